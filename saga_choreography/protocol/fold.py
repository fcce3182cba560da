"""`fold(entry, record) -> entry`: the state is the journal, replayed. Used live and in recovery alike."""

from typing import assert_never

from saga_choreography.errors import IllegalTransition
from saga_choreography.events import (
    CompensationAttemptFailed,
    CompensationExecutionCompleted,
    CompensationExecutionStarted,
    FenceRecorded,
    ParticipantEvent,
    QuarantineResolved,
    ResolutionKind,
    SagaEnded,
    StepAttemptFailed,
    StepExecutionCompleted,
    StepExecutionFailed,
    StepExecutionStarted,
    StepQuarantined,
    StepSuspended,
    StepTriggered,
    TimestampedEvent,
)
from saga_choreography.state import (
    Compensating,
    Completed,
    Executing,
    Idle,
    ParticipantState,
    Quarantined,
    SagaStateEntry,
    Triggered,
    is_in,
    transitions,
)


def fold(entry: SagaStateEntry | None, record: TimestampedEvent[ParticipantEvent]) -> SagaStateEntry:
    """The entry after `record`; `entry` is None before the first record of a saga.

    Raises:
        IllegalTransition: the record cannot follow (a journal that was written by this library never does that).
    """
    now, event = record.at_millis, record.event
    if entry is None:
        return _first(event, now)
    match event:  # the records of a saga without faults first: they are by far the most frequent
        case StepTriggered() if is_in(entry, Idle):
            return transitions.trigger(entry, event.input, now)
        case StepExecutionStarted() if is_in(entry, Triggered) or is_in(entry, Executing):
            return transitions.start_execution(entry, event.attempt, now, doubtful=event.doubtful)
        case StepExecutionCompleted() if is_in(entry, Executing):
            return transitions.complete(entry, event.output, event.undo, now)
        case SagaEnded():
            return transitions.note_ended(entry, now)
        case FenceRecorded():
            return transitions.remember_fence(entry, event.cause, now)
        case StepAttemptFailed() if is_in(entry, Executing):
            return transitions.note_attempt_failed(
                entry, event.error, event.retry_at_millis, now, doubtful=event.doubtful
            )
        case StepSuspended() if is_in(entry, Executing):
            return transitions.suspend(entry, event.pending_until_millis, now)
        case StepExecutionFailed() if is_in(entry, Executing):
            return transitions.fail(entry, event.error, now)
        case CompensationExecutionStarted() if is_in(entry, Completed):
            return transitions.start_compensation(entry, now)
        case CompensationExecutionStarted() if is_in(entry, Compensating):
            return transitions.restart_compensation(entry, event.attempt, now)
        case CompensationAttemptFailed() if is_in(entry, Compensating):
            return transitions.note_compensation_failed(entry, event.error, event.retry_at_millis, now)
        case CompensationExecutionCompleted() if is_in(entry, Compensating):
            return transitions.complete_compensation(entry, now)
        case StepQuarantined() if is_in(entry, Executing) or is_in(entry, Compensating):
            return transitions.quarantine(entry, event.reason, event.error, now)
        case QuarantineResolved() if is_in(entry, Quarantined):
            return _resolved(entry, event, now)
        case _:
            raise IllegalTransition(type(entry.state).__name__, type(event).__name__, ("a record that fits the state",))


def _first(event: ParticipantEvent, now: int) -> SagaStateEntry:
    match event:
        case StepTriggered():
            return transitions.trigger(transitions.new(event.origin, event.step_name, now), event.input, now)
        case FenceRecorded():
            return transitions.remember_fence(transitions.new(event.origin, event.step_name, now), event.cause, now)
        case _:
            raise IllegalTransition("nothing", type(event).__name__, ("StepTriggered", "FenceRecorded"))


def _resolved(entry: ParticipantState[Quarantined], event: QuarantineResolved, now: int) -> SagaStateEntry:
    parked = entry.state
    match event.resolution:
        case ResolutionKind.RETRY if parked.while_compensating:
            return transitions.restart_compensation(entry, parked.attempts + 1, now)
        case ResolutionKind.RETRY:
            return transitions.start_execution(entry, parked.attempts + 1, now, doubtful=True)
        case ResolutionKind.COMPLETED:
            return transitions.complete(entry, event.output or b"", event.undo or b"", now)
        case ResolutionKind.UNDONE | ResolutionKind.NOT_EXECUTED if parked.while_compensating:
            return transitions.complete_compensation(entry, now)
        case ResolutionKind.UNDONE | ResolutionKind.NOT_EXECUTED:
            return transitions.fail(entry, f"{event.resolution.value} by {event.by}: {event.why}", now)
        case _:
            assert_never(event.resolution)
