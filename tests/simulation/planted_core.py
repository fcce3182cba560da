"""Planted faults in the participant's core."""

from collections.abc import Mapping

import pytest

from saga_choreography.events import AttemptFailure, StepTriggered
from saga_choreography.protocol import attempts, decide, doubt, execution, triggering, undo
from saga_choreography.protocol.commands import RunCancel
from saga_choreography.protocol.dependencies import satisfied_by
from saga_choreography.protocol.stimuli import PendingExpired
from saga_choreography.protocol.telling import tell_fact
from saga_choreography.protocol.turn import Turn
from saga_choreography.state import Completed, Executing, ExecutionPhase, Idle, Triggered, is_in
from saga_choreography.types import (
    FailureCause,
)
from tests.simulation.planting import Plant, ignore


def fence_not_remembered(patch: pytest.MonkeyPatch) -> None:
    """The answer to a fence is told, the fence itself is not journaled before a step has started."""
    fenced = triggering.fenced

    def forgetful(turn: Turn, cause: FailureCause) -> None:
        if turn.entry.sequence == 0:
            return
        fenced(turn, cause)

    patch.setattr(decide, "fenced", forgetful)


def fence_does_not_stop_a_triggered_step(patch: pytest.MonkeyPatch) -> None:
    def granted(turn: Turn) -> None:
        if is_in(turn.entry, Triggered):
            attempts.run(turn, 1, doubtful=False)

    patch.setattr(decide, "granted", granted)


def undo_order_ignored(patch: pytest.MonkeyPatch) -> None:
    def advance(turn: Turn) -> None:
        if is_in(turn.entry, Completed) and turn.entry.fence is not None and not turn.plan.pure:
            undo.run(turn, 1)

    patch.setattr(undo, "advance", advance)


def late_completion_leaked(patch: pytest.MonkeyPatch) -> None:
    def returned(turn: Turn, output: bytes, undo_data: bytes) -> None:
        if turn.entry.fence is not None and is_in(turn.entry, Executing):
            attempts.failed(turn, "too late")
        else:
            execution.returned(turn, output, undo_data)

    patch.setattr(decide, "returned", returned)


def doubt_ignored_after_a_crash(patch: pytest.MonkeyPatch) -> None:
    def crashed(turn: Turn, error: str) -> None:
        if is_in(turn.entry, Executing):
            attempts.failed(turn, error)

    patch.setattr(doubt, "crashed", crashed)


def ambiguity_taken_for_failure(patch: pytest.MonkeyPatch) -> None:
    def enter(turn: Turn, state: Executing, failure: AttemptFailure, error: str) -> None:
        attempts.failed(turn, error)

    patch.setattr(doubt, "enter", enter)


def doubt_forgotten_on_retry(patch: pytest.MonkeyPatch) -> None:
    def retry_due(turn: Turn, attempt: int) -> None:
        entry = turn.entry
        if is_in(entry, Executing) and entry.state.phase is ExecutionPhase.RETRYING and entry.state.attempt == attempt:
            attempts.run(turn, attempt + 1, doubtful=False)

    patch.setattr(decide, "retry_due", retry_due)


def answer_before_the_fence_forgotten(patch: pytest.MonkeyPatch) -> None:
    answered = undo.answered

    def forgetful(turn: Turn, step_name: str) -> None:
        if turn.entry.fence is not None:
            answered(turn, step_name)

    patch.setattr(undo, "answered", forgetful)


def retry_not_armed_again(patch: pytest.MonkeyPatch) -> None:
    recovered = decide._recovered_executing

    def forgetful(turn: Turn, state: Executing) -> None:
        if state.phase is not ExecutionPhase.RETRYING:
            recovered(turn, state)

    patch.setattr(decide, "_recovered_executing", forgetful)


def pending_not_resumed(patch: pytest.MonkeyPatch) -> None:
    recovered = decide._recovered_executing

    def forgetful(turn: Turn, state: Executing) -> None:
        if state.phase is not ExecutionPhase.PENDING:
            recovered(turn, state)

    patch.setattr(decide, "_recovered_executing", forgetful)


def undo_not_resumed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(undo, "recovered", ignore)


def any_of_fires_again(patch: pytest.MonkeyPatch) -> None:
    def arrived(turn: Turn, source: str, value: bytes) -> None:
        entry = turn.entry
        if not is_in(entry, Idle) and entry.fence is None and (found := satisfied_by(turn.plan.after, {source: value})):
            turn.record(StepTriggered(origin=entry.origin, step_name=entry.step_name, input=found))
        triggering.arrived(turn, source, value)

    patch.setattr(decide, "arrived", arrived)


def reply_to_a_reply(patch: pytest.MonkeyPatch) -> None:
    answered = undo.answered

    def chatty(turn: Turn, step_name: str) -> None:
        answered(turn, step_name)
        tell_fact(turn)

    patch.setattr(undo, "answered", chatty)


def wait_not_resumed_behind_a_fence(patch: pytest.MonkeyPatch) -> None:
    """After a restart a pending step is only cancelled: if that cannot tell, nobody watches for its end."""
    recovered = decide._recovered_executing

    def forgetful(turn: Turn, state: Executing) -> None:
        if state.phase is ExecutionPhase.PENDING and turn.entry.fence is not None and turn.spec.has_cancel:
            if state.pending_until_millis is not None:
                turn.arm(state.pending_until_millis, PendingExpired(state.attempt))
            turn.do(RunCancel())
        else:
            recovered(turn, state)

    patch.setattr(decide, "_recovered_executing", forgetful)


CORE: Mapping[str, Plant] = {
    plant.__name__: plant
    for plant in (
        fence_not_remembered,
        fence_does_not_stop_a_triggered_step,
        undo_order_ignored,
        late_completion_leaked,
        doubt_ignored_after_a_crash,
        ambiguity_taken_for_failure,
        doubt_forgotten_on_retry,
        answer_before_the_fence_forgotten,
        retry_not_armed_again,
        pending_not_resumed,
        undo_not_resumed,
        any_of_fires_again,
        reply_to_a_reply,
        wait_not_resumed_behind_a_fence,
    )
}
