"""What a participant can tell of a saga at any time, from its entry alone. Re-telling is this, nothing else."""

from typing import assert_never

from saga_choreography.events import (
    AckStatus,
    CompensationCompleted,
    CompensationFailed,
    StepAck,
    StepCompleted,
    StepEvent,
    StepFailed,
)
from saga_choreography.protocol.memory import plan_of
from saga_choreography.state import (
    Compensated,
    Compensating,
    Completed,
    Executing,
    Failed,
    Idle,
    Quarantined,
    SagaStateEntry,
    Triggered,
    is_in,
)


def is_settled(entry: SagaStateEntry) -> bool:
    """Whether the step can change no more by itself, after a fence."""
    if is_in(entry, Failed) or is_in(entry, Compensated):
        return True
    if is_in(entry, Idle) or is_in(entry, Triggered):
        return entry.fence is not None
    if is_in(entry, Completed):
        plan = plan_of(entry)
        return entry.fence is not None and plan is not None and plan.pure
    return False


def fact_of(entry: SagaStateEntry) -> StepEvent | None:
    """The fact that follows from the entry, or None while there is nothing others wait for."""
    origin, name, at, sequence = entry.origin, entry.step_name, entry.updated_at_millis, entry.sequence
    if is_in(entry, Idle) or is_in(entry, Triggered):
        if entry.fence is None:
            return None
        status = AckStatus.NOT_APPLICABLE
        return StepAck(origin=origin, at_millis=at, step_name=name, sequence=sequence, status=status)
    if is_in(entry, Completed):
        if is_settled(entry):
            status = AckStatus.NOTHING_TO_UNDO
            return StepAck(origin=origin, at_millis=at, step_name=name, sequence=sequence, status=status)
        output, late = entry.state.output, entry.fence is not None
        return StepCompleted(origin=origin, at_millis=at, step_name=name, sequence=sequence, output=output, late=late)
    if is_in(entry, Failed):
        reason = entry.state.error
        return StepFailed(origin=origin, at_millis=at, step_name=name, sequence=sequence, reason=reason)
    if is_in(entry, Compensated):
        return CompensationCompleted(origin=origin, at_millis=at, step_name=name, sequence=sequence)
    if is_in(entry, Quarantined):
        reason = entry.state.reason
        if entry.state.while_compensating:
            return CompensationFailed(origin=origin, at_millis=at, step_name=name, sequence=sequence, reason=reason)
        status = AckStatus.QUARANTINED
        return StepAck(origin=origin, at_millis=at, step_name=name, sequence=sequence, status=status, reason=reason)
    if is_in(entry, Executing) or is_in(entry, Compensating):
        return None
    assert_never(entry)
