"""Compensation: in reverse dependency order, by the participants themselves.

A step is undone once every step in its `undo_after` has settled; independent branches undo in parallel.
"""

from saga_choreography.events import (
    CompensationAttemptFailed,
    CompensationExecutionCompleted,
    CompensationExecutionStarted,
    CompensationStarted,
    StepQuarantined,
)
from saga_choreography.protocol.commands import NotifyQuarantined, RunCompensation
from saga_choreography.protocol.stimuli import CompensationRetryDue
from saga_choreography.protocol.telling import tell_fact
from saga_choreography.protocol.turn import Turn
from saga_choreography.state import Compensating, Completed, ExecutionPhase, is_in


def answered(turn: Turn, step_name: str) -> None:
    """A dependent has settled; facts may arrive before the fence does."""
    if turn.plan.pure or step_name not in turn.plan.undo_after or step_name in turn.told.answered:
        return
    turn.told = turn.told.answered_by(step_name)
    advance(turn)


def completed(turn: Turn) -> None:
    """The step has just completed: tell it, and behind a fence begin to undo it."""
    tell_fact(turn)
    advance(turn)


def advance(turn: Turn) -> None:
    """Undo a completed step behind a fence, once all who depend on it have settled. A pure one has nothing to undo."""
    entry = turn.entry
    if not is_in(entry, Completed) or entry.fence is None or turn.plan.pure:
        return
    if turn.told.answered.issuperset(turn.plan.undo_after):
        run(turn, 1)


def run(turn: Turn, attempt: int) -> None:
    """Commit an attempt of the undo, then run it."""
    turn.record(CompensationExecutionStarted(attempt=attempt))
    run_committed(turn, attempt)


def run_committed(turn: Turn, attempt: int) -> None:
    """Run an attempt whose record is already in this turn."""
    entry = turn.entry
    if turn.spec.is_observed:
        turn.publish(
            CompensationStarted(
                origin=entry.origin,
                at_millis=turn.now_millis,
                step_name=entry.step_name,
                sequence=entry.sequence,
                attempt=attempt,
            )
        )
    turn.do(RunCompensation())


def returned(turn: Turn) -> None:
    """The effect is undone."""
    if is_in(turn.entry, Compensating):
        turn.record(CompensationExecutionCompleted())
        tell_fact(turn)


def raised(turn: Turn, *, retryable: bool, error: str) -> None:
    """The undo failed: again by timer, or park it with its evidence."""
    entry = turn.entry
    if not is_in(entry, Compensating):
        return
    attempt = entry.state.attempt
    if retryable and attempt < turn.plan.compensation_retry.max_attempts:
        retry_at = turn.now_millis + turn.delay_millis(attempt, compensating=True)
        turn.record(CompensationAttemptFailed(error=error, retry_at_millis=retry_at))
        turn.arm(retry_at, CompensationRetryDue(attempt))
    else:
        _quarantine(turn, attempt, error)


def retry_due(turn: Turn, attempt: int) -> None:
    """The timer of an undo retry fired; a stale one is ignored."""
    entry = turn.entry
    if is_in(entry, Compensating) and entry.state.phase is ExecutionPhase.RETRYING and entry.state.attempt == attempt:
        run(turn, attempt + 1)


def recovered(turn: Turn, state: Compensating) -> None:
    """The program ended during the undo, or between two attempts of it."""
    if state.phase is ExecutionPhase.RETRYING:
        turn.arm(state.retry_at_millis or turn.now_millis, CompensationRetryDue(state.attempt))
    elif state.attempt < max(turn.plan.compensation_retry.max_attempts, turn.plan.in_doubt_attempts):
        run(turn, state.attempt + 1)
    else:
        _quarantine(turn, state.attempt, f"the program ended during undo attempt {state.attempt}")


def _quarantine(turn: Turn, attempt: int, error: str) -> None:
    reason = f"not undone after {attempt} attempt(s): {error}"
    turn.record(StepQuarantined(reason=reason, error=error))
    tell_fact(turn)
    turn.do(NotifyQuarantined(reason))
