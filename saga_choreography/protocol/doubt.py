"""A step in doubt: started, outcome unknown. Probe it; else run it again under the same key, or quarantine it.

Settling an old attempt is not a new forward step: it goes on behind a fence, to learn the undo data.
"""

from saga_choreography.events import AttemptFailure, StepAttemptFailed, StepQuarantined
from saga_choreography.protocol import attempts
from saga_choreography.protocol.commands import NotifyQuarantined, RunCancel, RunProbe
from saga_choreography.protocol.stimuli import ProbeDue
from saga_choreography.protocol.telling import tell_fact
from saga_choreography.protocol.turn import Turn
from saga_choreography.state import Executing, ExecutionPhase, is_in
from saga_choreography.types import InDoubt


def enter(turn: Turn, state: Executing, failure: AttemptFailure, error: str) -> None:
    """The attempt's outcome is unknown."""
    if turn.spec.has_probe:
        _probe_first(turn, failure, error)
    elif _may_run_again(turn, state):
        attempts.again_later(turn, state, failure, error, doubtful=True)
    else:
        _quarantine(turn, state, error)


def crashed(turn: Turn, error: str) -> None:
    """The program ended while the step ran."""
    entry = turn.entry
    if not is_in(entry, Executing):
        return
    if turn.spec.has_probe and not turn.plan.pure:
        _probe_first(turn, AttemptFailure.CRASHED, error)
    elif turn.plan.pure and (entry.fence is not None or not _may_run_again(turn, entry.state)):
        attempts.failed(turn, error)  # nothing outside that an operator would have to look at
    elif _may_run_again(turn, entry.state):
        attempts.run(turn, entry.state.attempt + 1, doubtful=not turn.plan.pure)
    else:
        _quarantine(turn, entry.state, error)


def settle_before_retry(turn: Turn, state: Executing) -> None:
    """A fence found the step between two attempts, with an effect that may exist."""
    error = state.error or "its outcome is unknown"
    if turn.spec.has_probe:
        _probe_first(turn, AttemptFailure.AMBIGUOUS, error)
    else:
        _quarantine(turn, state, error)


def not_executed(turn: Turn) -> None:
    """A probe, or the cancellation of a pending step, found that there is no effect."""
    entry = turn.entry
    if not is_in(entry, Executing) or entry.state.phase in (ExecutionPhase.RUNNING, ExecutionPhase.RETRYING):
        return
    state = entry.state
    if entry.fence is not None:
        attempts.failed(turn, "not executed; the saga is being undone")
    elif state.attempt < _bound(turn):
        attempts.run(turn, state.attempt + 1, doubtful=False)
    else:
        attempts.failed(turn, f"not executed in {state.attempt} attempts: {state.error or 'no reason given'}")


def still_unknown(turn: Turn, why: str) -> None:
    """The probe could not tell, or a pending step could not be cancelled."""
    entry = turn.entry
    if not is_in(entry, Executing):
        return
    if entry.state.phase is ExecutionPhase.PENDING:
        if entry.fence is not None:
            _cancel_later(turn, entry.state)
        return
    if entry.state.phase is not ExecutionPhase.IN_DOUBT:
        return
    if _may_run_again(turn, entry.state):
        attempts.again_later(turn, entry.state, AttemptFailure.AMBIGUOUS, why, doubtful=True)
    else:
        _quarantine(turn, entry.state, why)


def probe_raised(turn: Turn, error: str) -> None:
    """The probe failed: probe again by timer, as often as the step's retry policy says; then it is unknown."""
    entry = turn.entry
    if not is_in(entry, Executing) or entry.state.phase is not ExecutionPhase.IN_DOUBT:
        return
    probes = turn.told.probes + 1
    turn.told = turn.told.probed(probes)
    if probes < turn.plan.retry.max_attempts:
        turn.arm(turn.now_millis + turn.delay_millis(probes), ProbeDue(entry.state.attempt))
    else:
        still_unknown(turn, f"the probe failed {probes} times: {error}")


def probe_due(turn: Turn, attempt: int) -> None:
    """The timer of a repeated probe or cancellation fired; a stale one is ignored."""
    entry = turn.entry
    if not is_in(entry, Executing) or entry.state.attempt != attempt:
        return
    if entry.state.phase is ExecutionPhase.IN_DOUBT:
        turn.do(RunProbe())
    elif entry.state.phase is ExecutionPhase.PENDING and entry.fence is not None and turn.spec.has_cancel:
        turn.do(RunCancel())


def _cancel_later(turn: Turn, state: Executing) -> None:
    """No deadline runs behind a fence, so a pending step is asked to stop until it has: with backoff, without end."""
    tries = turn.told.probes + 1
    turn.told = turn.told.probed(tries)
    turn.arm(turn.now_millis + turn.delay_millis(tries), ProbeDue(state.attempt))


def _probe_first(turn: Turn, failure: AttemptFailure, error: str) -> None:
    turn.record(StepAttemptFailed(failure=failure, error=error, doubtful=True))
    turn.told = turn.told.probed(0)
    turn.do(RunProbe())


def _bound(turn: Turn) -> int:
    return max(turn.plan.retry.max_attempts, turn.plan.in_doubt_attempts)


def _may_run_again(turn: Turn, state: Executing) -> bool:
    wanted = turn.plan.in_doubt is InDoubt.RETRY or turn.plan.pure
    return wanted and state.attempt < _bound(turn)


def _quarantine(turn: Turn, state: Executing, error: str) -> None:
    reason = f"outcome unknown after {state.attempt} attempt(s)"
    turn.record(StepQuarantined(reason=reason, error=error))
    tell_fact(turn)
    turn.do(NotifyQuarantined(f"{reason}: {error}"))
