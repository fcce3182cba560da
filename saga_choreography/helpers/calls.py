"""From a command of the core to a call of business code, and back to a stimulus."""

from collections.abc import Callable

from typing_extensions import TypeVar

from saga_choreography.helpers.execution import (
    BoundStep,
    cancel_wrapper,
    compensate_wrapper,
    execute_step_wrapper,
    probe_wrapper,
)
from saga_choreography.helpers.ports import Clock
from saga_choreography.protocol.commands import Command, ResumePending, RunCancel, RunCompensation, RunProbe, RunStep
from saga_choreography.protocol.stimuli import Stimulus
from saga_choreography.state import Compensating, Executing, ParticipantState, SagaStateEntry, is_in
from saga_choreography.traits.participant import SagaParticipant
from saga_choreography.types import context_for

In = TypeVar("In")
Out = TypeVar("Out")
Undo = TypeVar("Undo")


def must_be_committed_first(entry: SagaStateEntry, command: Command) -> bool:
    """Whether the records behind a call must be durable before it: always, but for a pure step."""
    if not isinstance(command, RunStep):
        return True
    plan = entry.origin.plan.step(entry.step_name)
    return plan is None or not plan.pure


def call_business(
    participant: SagaParticipant[In, Out, Undo],
    bound: BoundStep[In, Out, Undo],
    entry: SagaStateEntry,
    command: Command,
    clock: Clock,
    isolate: Callable[[str, Callable[[], None]], bool],
) -> Stimulus | None:
    """Make the call a command asks for; None when it has no answer, or is out of date."""
    if is_in(entry, Executing):
        match command:
            case RunStep():
                return execute_step_wrapper(participant, bound, entry, clock)
            case RunProbe():
                return probe_wrapper(participant, bound, entry, clock)
            case RunCancel():
                return cancel_wrapper(participant, bound, entry, clock)
            case ResumePending():
                isolate("resume_pending", lambda: _resume(participant, bound, entry))
                return None
            case _:
                return None
    if is_in(entry, Compensating) and isinstance(command, RunCompensation):
        return compensate_wrapper(participant, bound, entry)
    return None


def _resume(
    participant: SagaParticipant[In, Out, Undo],
    bound: BoundStep[In, Out, Undo],
    entry: ParticipantState[Executing],
) -> None:
    context = context_for(entry.origin, entry.step_name, entry.state.attempt, "do")
    participant.resume_pending(context, bound.input_of(entry.state.input))
