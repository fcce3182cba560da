"""The only functions that change a state, and the table they obey.

Theory: a step is a typestate (Strom and Yemini, 1986). The signatures below are what the type checker reads, `LEGAL` is
what the run-time guard, the documentation and the diagram read; a test proves that both say the same.

Executing -> Executing covers another attempt, a suspension and a doubt; Compensating -> Compensating another attempt of
the undo. Quarantined leaves only by an operator's word.
"""

from collections.abc import Callable, Mapping
from typing import Final, cast

from typing_extensions import TypeVar

from saga_choreography.errors import IllegalTransition
from saga_choreography.state.container import ParticipantState, T
from saga_choreography.state.states import (
    Compensated,
    Compensating,
    Completed,
    Executing,
    ExecutionPhase,
    Failed,
    Idle,
    Quarantined,
    StepState,
    Triggered,
)
from saga_choreography.types import FailureCause, SagaOrigin, StepInput

P = TypeVar("P", bound=ParticipantState[StepState])

LEGAL: Final[Mapping[type[StepState], frozenset[type[StepState]]]] = {
    Idle: frozenset({Triggered}),
    Triggered: frozenset({Executing}),
    Executing: frozenset({Executing, Completed, Failed, Quarantined}),
    Completed: frozenset({Compensating}),
    Failed: frozenset(),
    Compensating: frozenset({Compensating, Compensated, Quarantined}),
    Compensated: frozenset(),
    Quarantined: frozenset({Executing, Completed, Failed, Compensating, Compensated}),
}


_IDLE: Final = Idle()  # it holds nothing, so one is enough


def _require(entry: ParticipantState[StepState], target: type[StepState], *sources: type[StepState]) -> None:
    """The run-time guard of one transition, before it reads anything of the state.

    Raises:
        IllegalTransition: the entry is in none of `sources`; nothing was changed.
    """
    if not isinstance(entry.state, sources):
        legal = (kind.__name__ for kind in LEGAL[type(entry.state)])
        raise IllegalTransition(type(entry.state).__name__, target.__name__, legal)


def _move(entry: ParticipantState[StepState], state: T, now_millis: int) -> ParticipantState[T]:
    if type(state) not in LEGAL[type(entry.state)]:
        legal = (kind.__name__ for kind in LEGAL[type(entry.state)])
        raise IllegalTransition(type(entry.state).__name__, type(state).__name__, legal)
    return ParticipantState(
        origin=entry.origin,
        step_name=entry.step_name,
        sequence=entry.sequence + 1,
        updated_at_millis=now_millis,
        fence=entry.fence,
        state=state,
    )


def _stay(entry: P, fence: FailureCause | None, now_millis: int) -> P:
    stayed = ParticipantState(
        origin=entry.origin,
        step_name=entry.step_name,
        sequence=entry.sequence + 1,
        updated_at_millis=now_millis,
        fence=fence,
        state=entry.state,
    )
    return cast("P", stayed)  # the same state, so the same type; attrs.evolve would know it, and takes twice as long


def new(origin: SagaOrigin, step_name: str, now_millis: int) -> ParticipantState[Idle]:
    """A step nobody has triggered yet."""
    return ParticipantState(origin=origin, step_name=step_name, updated_at_millis=now_millis, state=_IDLE)


def remember_fence(entry: P, cause: FailureCause, now_millis: int) -> P:
    """The fence is a mark beside the state: it stops what has not started and changes nothing that has."""
    return _stay(entry, cause, now_millis)


def note_ended(entry: P, now_millis: int) -> P:
    """The saga has its outcome; the step's own state is what it was."""
    return _stay(entry, entry.fence, now_millis)


def trigger(entry: ParticipantState[Idle], step_input: StepInput, now_millis: int) -> ParticipantState[Triggered]:
    _require(entry, Triggered, Idle)
    return _move(entry, Triggered(triggered_at_millis=now_millis, input=step_input), now_millis)


def start_execution(
    entry: ParticipantState[Triggered | Executing | Quarantined],
    attempt: int,
    now_millis: int,
    *,
    doubtful: bool = False,
) -> ParticipantState[Executing]:
    """The first run of a step, or another one (same key)."""
    _require(entry, Executing, Triggered, Executing, Quarantined)
    state = Executing(started_at_millis=now_millis, input=entry.state.input, attempt=attempt, doubtful=doubtful)
    return _move(entry, state, now_millis)


def note_attempt_failed(
    entry: ParticipantState[Executing], error: str, retry_at_millis: int | None, now_millis: int, *, doubtful: bool
) -> ParticipantState[Executing]:
    """An attempt ended badly: another one is due at `retry_at_millis`, or (None) the outcome must be settled first."""
    _require(entry, Executing, Executing)
    executing = entry.state
    state = Executing(
        started_at_millis=executing.started_at_millis,
        input=executing.input,
        attempt=executing.attempt,
        phase=ExecutionPhase.IN_DOUBT if retry_at_millis is None else ExecutionPhase.RETRYING,
        doubtful=doubtful,
        retry_at_millis=retry_at_millis,
        error=error,
    )
    return _move(entry, state, now_millis)


def suspend(
    entry: ParticipantState[Executing], pending_until_millis: int | None, now_millis: int
) -> ParticipantState[Executing]:
    """The step goes on outside; a later message finishes it."""
    _require(entry, Executing, Executing)
    executing = entry.state
    state = Executing(
        started_at_millis=executing.started_at_millis,
        input=executing.input,
        attempt=executing.attempt,
        phase=ExecutionPhase.PENDING,
        doubtful=executing.doubtful,
        pending_until_millis=pending_until_millis,
    )
    return _move(entry, state, now_millis)


def complete(
    entry: ParticipantState[Executing | Quarantined], output: bytes, undo: bytes, now_millis: int
) -> ParticipantState[Completed]:
    _require(entry, Completed, Executing, Quarantined)
    before = entry.state
    attempt = before.attempt if isinstance(before, Executing) else before.attempts
    state = Completed(completed_at_millis=now_millis, output=output, undo=undo, input=before.input, attempt=attempt)
    return _move(entry, state, now_millis)


def fail(entry: ParticipantState[Executing | Quarantined], error: str, now_millis: int) -> ParticipantState[Failed]:
    """The step ended and left no lasting effect."""
    _require(entry, Failed, Executing, Quarantined)
    return _move(entry, Failed(failed_at_millis=now_millis, error=error), now_millis)


def start_compensation(entry: ParticipantState[Completed], now_millis: int) -> ParticipantState[Compensating]:
    _require(entry, Compensating, Completed)
    done = entry.state
    state = Compensating(started_at_millis=now_millis, output=done.output, undo=done.undo, input=done.input, attempt=1)
    return _move(entry, state, now_millis)


def restart_compensation(
    entry: ParticipantState[Compensating | Quarantined], attempt: int, now_millis: int
) -> ParticipantState[Compensating]:
    """Another attempt of the undo (same key).

    Raises:
        IllegalTransition: the entry was quarantined in doubt, so there is no undo data yet.
    """
    _require(entry, Compensating, Compensating, Quarantined)
    before = entry.state
    if before.output is None or before.undo is None:
        raise IllegalTransition("Quarantined (in doubt)", "Compensating", ("Executing", "Completed", "Failed"))
    state = Compensating(
        started_at_millis=now_millis, output=before.output, undo=before.undo, input=before.input, attempt=attempt
    )
    return _move(entry, state, now_millis)


def note_compensation_failed(
    entry: ParticipantState[Compensating], error: str, retry_at_millis: int, now_millis: int
) -> ParticipantState[Compensating]:
    _require(entry, Compensating, Compensating)
    before = entry.state
    state = Compensating(
        started_at_millis=before.started_at_millis,
        output=before.output,
        undo=before.undo,
        input=before.input,
        attempt=before.attempt,
        phase=ExecutionPhase.RETRYING,
        retry_at_millis=retry_at_millis,
        error=error,
    )
    return _move(entry, state, now_millis)


def complete_compensation(
    entry: ParticipantState[Compensating | Quarantined], now_millis: int
) -> ParticipantState[Compensated]:
    _require(entry, Compensated, Compensating, Quarantined)
    return _move(entry, Compensated(completed_at_millis=now_millis), now_millis)


def quarantine(
    entry: ParticipantState[Executing | Compensating], reason: str, error: str | None, now_millis: int
) -> ParticipantState[Quarantined]:
    """Park the step with everything an operator needs to judge it."""
    _require(entry, Quarantined, Executing, Compensating)
    before = entry.state
    compensating = before if isinstance(before, Compensating) else None
    state = Quarantined(
        quarantined_at_millis=now_millis,
        reason=reason,
        input=before.input,
        output=compensating.output if compensating else None,
        undo=compensating.undo if compensating else None,
        attempts=before.attempt,
        error=error if error is not None else before.error,
    )
    return _move(entry, state, now_millis)


TRANSITIONS: Final[tuple[Callable[..., ParticipantState[StepState]], ...]] = (
    trigger,
    start_execution,
    note_attempt_failed,
    suspend,
    complete,
    fail,
    start_compensation,
    restart_compensation,
    note_compensation_failed,
    complete_compensation,
    quarantine,
)
