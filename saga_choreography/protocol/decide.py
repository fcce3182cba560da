"""`decide(entry, told, stimulus, spec, now) -> Decision`: all a participant does, without IO, threads or a clock.

Rows follow the participant table of docs/architecture.md. Nothing from outside makes this raise: what does not fit the
state is a duplicate, late or out of order, and is ignored. A record always comes before the command it justifies.
"""

from typing import Final, assert_never

from saga_choreography.events import (
    AckStatus,
    CompensationCompleted,
    CompensationFailed,
    CompensationRequested,
    CompensationStarted,
    SagaCompleted,
    SagaFailed,
    SagaQuarantined,
    SagaStarted,
    StepAck,
    StepCompleted,
    StepFailed,
    StepStarted,
)
from saga_choreography.protocol import doubt, operator, undo
from saga_choreography.protocol.commands import AWAIT_RUN, Decision, ResumePending, RunCancel, RunProbe
from saga_choreography.protocol.execution import (
    granted,
    pending_expired,
    raised,
    retry_due,
    returned,
    suspended,
)
from saga_choreography.protocol.memory import Told
from saga_choreography.protocol.spec import ParticipantSpec
from saga_choreography.protocol.stimuli import (
    CompensationRaised,
    CompensationRetryDue,
    CompensationReturned,
    NotExecuted,
    OperatorResolved,
    PendingExpired,
    ProbeDue,
    ProbeRaised,
    Recovered,
    RetryDue,
    RunGranted,
    StepDeferred,
    StepRaised,
    StepReturned,
    StillUnknown,
    Stimulus,
)
from saga_choreography.protocol.triggering import arrived, ended, fenced
from saga_choreography.protocol.turn import Turn
from saga_choreography.state import (
    Compensated,
    Compensating,
    Completed,
    Executing,
    ExecutionPhase,
    Failed,
    Idle,
    Quarantined,
    SagaStateEntry,
    Triggered,
    is_in,
)
from saga_choreography.types import SAGA_START

CRASHED: Final = "the program ended during attempt {attempt}"


def decide(
    entry: SagaStateEntry,
    told: Told,
    stimulus: Stimulus,
    spec: ParticipantSpec,
    now_millis: int,
    *,
    may_run: bool = False,
) -> Decision:
    """What a participant does about one stimulus. `now_millis` is Unix time in milliseconds.

    `may_run`: the shell has room, so a step that is triggered runs at once, as if RunGranted followed.
    An entry whose plan does not name the participant's step decides nothing.
    """
    plan = entry.origin.plan.step(spec.step_name)
    if plan is None:
        return Decision(entry, told)
    turn = Turn(entry, told, spec, plan, now_millis, may_run=may_run)
    match stimulus:  # the stimuli of a saga without faults first: they are by far the most frequent
        case StepCompleted():
            if not stimulus.late:
                arrived(turn, stimulus.step_name, stimulus.output)
        case RunGranted():
            granted(turn)
        case StepReturned():
            returned(turn, stimulus.output, stimulus.undo)
        case SagaCompleted() | SagaFailed():
            ended(turn, stimulus)
        case SagaStarted():
            arrived(turn, SAGA_START, stimulus.payload)
        case CompensationRequested():
            fenced(turn, stimulus.cause)
        case StepFailed() | CompensationCompleted():
            undo.answered(turn, stimulus.step_name)
        case StepAck():
            if stimulus.status is not AckStatus.QUARANTINED:
                undo.answered(turn, stimulus.step_name)
        case StepStarted() | CompensationStarted() | CompensationFailed() | SagaQuarantined():
            pass
        case Recovered():
            _recovered(turn)
        case StepDeferred():
            suspended(turn, stimulus.pending_until_millis)
        case StepRaised():
            raised(turn, stimulus.raised, stimulus.error)
        case RetryDue():
            retry_due(turn, stimulus.attempt)
        case PendingExpired():
            pending_expired(turn, stimulus.attempt)
        case NotExecuted():
            doubt.not_executed(turn)
        case StillUnknown():
            doubt.still_unknown(turn, stimulus.why)
        case ProbeRaised():
            doubt.probe_raised(turn, stimulus.error)
        case ProbeDue():
            doubt.probe_due(turn, stimulus.attempt)
        case CompensationReturned():
            undo.returned(turn)
        case CompensationRaised():
            undo.raised(turn, retryable=stimulus.retryable, error=stimulus.error)
        case CompensationRetryDue():
            undo.retry_due(turn, stimulus.attempt)
        case OperatorResolved():
            operator.resolved(turn, stimulus)
        case _:
            assert_never(stimulus)
    return turn.decision()


def _recovered(turn: Turn) -> None:
    """Go on where the journal ends. Facts are told again by the shell; this does what was in progress."""
    entry = turn.entry
    if is_in(entry, Triggered):
        if entry.fence is None:
            turn.do(AWAIT_RUN)
    elif is_in(entry, Executing):
        _recovered_executing(turn, entry.state)
    elif is_in(entry, Completed):
        undo.advance(turn)
    elif is_in(entry, Compensating):
        undo.recovered(turn, entry.state)
    elif is_in(entry, Idle) or is_in(entry, Failed) or is_in(entry, Compensated) or is_in(entry, Quarantined):
        pass
    else:
        assert_never(entry)


def _recovered_executing(turn: Turn, state: Executing) -> None:
    match state.phase:
        case ExecutionPhase.RUNNING:
            doubt.crashed(turn, CRASHED.format(attempt=state.attempt))
        case ExecutionPhase.RETRYING:
            turn.arm(state.retry_at_millis or turn.now_millis, RetryDue(state.attempt))
        case ExecutionPhase.IN_DOUBT:
            if turn.spec.has_probe:
                turn.do(RunProbe())
            else:
                doubt.still_unknown(turn, state.error or "its outcome is unknown")
        case ExecutionPhase.PENDING:
            if state.pending_until_millis is not None:
                turn.arm(state.pending_until_millis, PendingExpired(state.attempt))
            turn.do(ResumePending())  # also before a cancellation: one that cannot tell leaves its end to be awaited
            if turn.entry.fence is not None and turn.spec.has_cancel:
                turn.do(RunCancel())
        case _:
            assert_never(state.phase)
