"""The forward step: granted, returned, suspended, raised, retried."""

from typing import assert_never

from saga_choreography.events import AttemptFailure, StepExecutionCompleted, StepSuspended
from saga_choreography.protocol import attempts, doubt, undo
from saga_choreography.protocol.commands import RunCancel
from saga_choreography.protocol.stimuli import PendingExpired, Raised
from saga_choreography.protocol.turn import Turn
from saga_choreography.state import Executing, ExecutionPhase, Triggered, is_in


def granted(turn: Turn) -> None:
    """Run a triggered step, unless the fence overtook it."""
    entry = turn.entry
    if is_in(entry, Triggered) and entry.fence is None:
        attempts.run(turn, 1, doubtful=False)


def returned(turn: Turn, output: bytes, undo_data: bytes) -> None:
    """The effect exists. Behind a fence it is undone, never leaked."""
    if not is_in(turn.entry, Executing):
        return
    turn.record(StepExecutionCompleted(output=output, undo=undo_data))
    undo.completed(turn)


def suspended(turn: Turn, pending_until_millis: int | None) -> None:
    """The step goes on outside."""
    entry = turn.entry
    if not is_in(entry, Executing):
        return
    turn.record(StepSuspended(pending_until_millis=pending_until_millis))
    if pending_until_millis is not None:
        turn.arm(pending_until_millis, PendingExpired(entry.state.attempt))
    if entry.fence is not None and turn.spec.has_cancel:
        turn.do(RunCancel())


def raised(turn: Turn, how: Raised, error: str) -> None:
    """The step raised, or a pending step was reported as failed."""
    entry = turn.entry
    if not is_in(entry, Executing):
        return
    state = entry.state
    match how:
        case Raised.NO_EFFECT:
            attempts.failed(turn, error)
        case Raised.RETRYABLE:
            _retry_or(turn, state, AttemptFailure.RETRYABLE, error, doubtful=state.doubtful)
        case Raised.UNEXPECTED:
            _retry_or(turn, state, AttemptFailure.UNEXPECTED, error, doubtful=not turn.plan.pure)
        case Raised.AMBIGUOUS:
            if turn.plan.pure:  # nothing outside that could be in doubt
                _retry_or(turn, state, AttemptFailure.AMBIGUOUS, error, doubtful=False)
            else:
                doubt.enter(turn, state, AttemptFailure.AMBIGUOUS, error)
        case _:
            assert_never(how)


def _retry_or(turn: Turn, state: Executing, failure: AttemptFailure, error: str, *, doubtful: bool) -> None:
    """Try again by timer while the policy allows; then it is in doubt, or has failed without effect."""
    is_fenced = turn.entry.fence is not None
    may_retry = state.attempt < turn.plan.retry.max_attempts
    if doubtful and (not may_retry or (is_fenced and turn.spec.has_probe)):
        doubt.enter(turn, state, failure, error)
    elif not doubtful and (not may_retry or is_fenced):
        attempts.failed(turn, error)
    else:
        attempts.again_later(turn, state, failure, error, doubtful=doubtful)


def retry_due(turn: Turn, attempt: int) -> None:
    """The timer of a retry fired; a stale one is ignored."""
    entry = turn.entry
    if is_in(entry, Executing) and entry.state.phase is ExecutionPhase.RETRYING and entry.state.attempt == attempt:
        attempts.run(turn, attempt + 1, doubtful=entry.state.doubtful)


def pending_expired(turn: Turn, attempt: int) -> None:
    """A pending step did not finish in time: nobody knows what became of it."""
    entry = turn.entry
    if not is_in(entry, Executing):
        return
    state = entry.state
    if state.phase is not ExecutionPhase.PENDING or state.attempt != attempt:
        return
    error = "pending, and not finished in time"
    if turn.plan.pure:
        _retry_or(turn, state, AttemptFailure.EXPIRED, error, doubtful=False)
    else:
        doubt.enter(turn, state, AttemptFailure.EXPIRED, error)
