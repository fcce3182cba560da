"""How a saga reaches a participant and leaves it: arrival of sources, the fence, the terminal event."""

from typing import assert_never

from saga_choreography.events import (
    AckStatus,
    FenceRecorded,
    OutcomeKind,
    SagaCompleted,
    SagaEnded,
    SagaOutcome,
    StepAck,
    StepTriggered,
)
from saga_choreography.protocol import attempts, doubt, undo
from saga_choreography.protocol.commands import AWAIT_RUN, Anomaly, Forget, RunCancel
from saga_choreography.protocol.dependencies import satisfied_by, sources
from saga_choreography.protocol.facts import is_settled
from saga_choreography.protocol.telling import tell_fact
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
    Triggered,
    is_in,
)
from saga_choreography.types import FailureCause, InDoubt


def arrived(turn: Turn, source: str, value: bytes) -> None:
    """A source of the step has happened; it is triggered once its dependency is satisfied and no fence was seen."""
    entry, told = turn.entry, turn.told
    if not is_in(entry, Idle) or entry.fence is not None or source in told.arrived:
        return
    if source not in sources(turn.plan.after):
        return
    known = {**told.arrived, source: value}
    step_input = satisfied_by(turn.plan.after, known)
    if step_input is None:
        turn.told = told.holding(known)
        return
    if told.arrived:
        turn.told = told.holding({})
    turn.record(StepTriggered(origin=entry.origin, step_name=entry.step_name, input=step_input))
    if turn.may_run:
        attempts.run(turn, 1, doubtful=False)
    else:
        turn.do(AWAIT_RUN)


def fenced(turn: Turn, cause: FailureCause) -> None:
    """No forward step after this. What has not started never will; what is done waits for its turn to be undone."""
    entry = turn.entry
    if entry.fence is not None:
        return
    turn.record(FenceRecorded(origin=entry.origin, step_name=entry.step_name, cause=cause))
    if is_in(entry, Idle) or is_in(entry, Triggered):
        if turn.told.arrived:
            turn.told = turn.told.holding({})
        turn.publish(
            StepAck(
                origin=entry.origin,
                at_millis=turn.now_millis,
                step_name=entry.step_name,
                sequence=turn.entry.sequence,
                status=AckStatus.NOT_APPLICABLE,
            )
        )
    elif is_in(entry, Executing):
        _fenced_executing(turn, entry.state)
    elif is_in(entry, Completed):
        if turn.plan.pure:
            tell_fact(turn)
        undo.advance(turn)
    elif is_in(entry, Failed) or is_in(entry, Quarantined):
        pass  # settled already, or waiting for an operator
    elif is_in(entry, Compensating) or is_in(entry, Compensated):
        pass  # unreachable: both need a fence
    else:
        assert_never(entry)


def _fenced_executing(turn: Turn, state: Executing) -> None:
    match state.phase:
        case ExecutionPhase.RUNNING | ExecutionPhase.IN_DOUBT:
            pass  # its result, or the settling under way, comes back as a stimulus of its own
        case ExecutionPhase.PENDING:
            if turn.spec.has_cancel:
                turn.do(RunCancel())
        case ExecutionPhase.RETRYING:
            if not state.doubtful:
                attempts.failed(turn, state.error or "fenced before its next attempt")
            elif turn.spec.has_probe or turn.plan.in_doubt is InDoubt.QUARANTINE:
                doubt.settle_before_retry(turn, state)
            # Otherwise the armed retry runs it again under the same key, to learn the undo data.
        case _:
            assert_never(state.phase)


def ended(turn: Turn, outcome: SagaOutcome) -> None:
    """The saga has its outcome: the participant is done with it."""
    entry = turn.entry
    if entry.sequence == 0:
        turn.do(Forget(outcome))
        return
    completed = isinstance(outcome, SagaCompleted)
    consistent = is_in(entry, Completed) and entry.fence is None if completed else is_settled(entry)
    if not consistent:
        state = type(entry.state).__name__
        turn.do(Anomaly(f"{type(outcome).__name__} of saga {entry.saga_id} while step {entry.step_name!r} is {state}"))
        return
    turn.record(SagaEnded(outcome=OutcomeKind.COMPLETED if completed else OutcomeKind.FAILED))
    turn.do(Forget(outcome))
