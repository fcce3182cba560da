"""The three ways an attempt of a step begins or ends; what both execution and doubt build on."""

from saga_choreography.events import (
    AttemptFailure,
    StepAttemptFailed,
    StepExecutionFailed,
    StepExecutionStarted,
    StepStarted,
)
from saga_choreography.protocol.commands import RUN_STEP
from saga_choreography.protocol.stimuli import RetryDue
from saga_choreography.protocol.telling import tell_fact
from saga_choreography.protocol.turn import Turn
from saga_choreography.state import Executing


def run(turn: Turn, attempt: int, *, doubtful: bool) -> None:
    """Commit an attempt, then run it."""
    turn.record(StepExecutionStarted(attempt=attempt, doubtful=doubtful))
    run_committed(turn, attempt)


def run_committed(turn: Turn, attempt: int) -> None:
    """Run an attempt whose record is already in this turn."""
    entry = turn.entry
    if turn.spec.is_observed:
        turn.publish(
            StepStarted(
                origin=entry.origin,
                at_millis=turn.now_millis,
                step_name=entry.step_name,
                sequence=entry.sequence,
                attempt=attempt,
            )
        )
    turn.do(RUN_STEP)


def failed(turn: Turn, error: str) -> None:
    """The step ended without lasting effect."""
    turn.record(StepExecutionFailed(error=error))
    tell_fact(turn)


def again_later(turn: Turn, state: Executing, failure: AttemptFailure, error: str, *, doubtful: bool) -> None:
    """Arm the next attempt."""
    retry_at = turn.now_millis + turn.delay_millis(state.attempt)
    turn.record(StepAttemptFailed(failure=failure, error=error, doubtful=doubtful, retry_at_millis=retry_at))
    turn.arm(retry_at, RetryDue(state.attempt))
