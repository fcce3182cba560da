"""I8: whatever is told follows from a committed record of who tells it."""

from saga_choreography.events import (
    CompensationRequested,
    CompensationStarted,
    FenceRaised,
    OutcomeKind,
    SagaCompleted,
    SagaFailed,
    SagaQuarantined,
    SagaStarted,
    StepEvent,
    StepStarted,
)
from saga_choreography.helpers.peer import Directed, Outgoing
from saga_choreography.protocol.facts import fact_of
from saga_choreography.state import Compensating, Executing, is_in
from saga_choreography.testing.simulation.roles import InitiatorDisk, ParticipantDisk
from saga_choreography.testing.simulation.violation import Violation


def check_told(out: Outgoing, participant: ParticipantDisk | None, initiator: InitiatorDisk | None) -> None:
    """Check one event against the disks of the actor that tells it.

    Raises:
        Violation: no committed record justifies it.
    """
    event = out.event if isinstance(out, Directed) else out
    if isinstance(event, StepEvent):
        if participant is None:
            raise Violation("I8", f"an initiator tells {type(event).__name__}", event.saga_id)
        _check_step_event(event, participant)
    elif initiator is None:
        raise Violation("I8", f"a participant tells {type(event).__name__}", event.saga_id)
    elif not _follows(out, initiator):
        raise Violation("I8", f"the initiator tells {type(event).__name__} before its commit", event.saga_id)


def _check_step_event(event: StepEvent, disk: ParticipantDisk) -> None:
    entries = disk.entries.get(event.saga_id, ())
    if not 0 < event.sequence <= len(entries):
        raise Violation("I8", f"{event.step_name} tells {type(event).__name__} before its commit", event.saga_id)
    basis = entries[event.sequence - 1]
    if isinstance(event, StepStarted):
        follows = is_in(basis, Executing) and basis.state.attempt == event.attempt
    elif isinstance(event, CompensationStarted):
        follows = is_in(basis, Compensating) and basis.state.attempt == event.attempt
    else:
        follows = fact_of(basis) == event
    if not follows:
        what = f"{type(event).__name__} of {event.step_name} does not follow from its record"
        raise Violation("I8", what, event.saga_id)


def _follows(out: Outgoing, disk: InitiatorDisk) -> bool:
    event = out.event if isinstance(out, Directed) else out
    entry = disk.last(event.saga_id)
    if entry is None:
        return False
    match event:
        case SagaStarted():
            return True
        case CompensationRequested():
            fences = [record.event for record in disk.records[event.saga_id] if isinstance(record.event, FenceRaised)]
            return any(fence.cause == event.cause for fence in fences)
        case SagaCompleted():
            return entry.outcome is OutcomeKind.COMPLETED
        case SagaFailed():
            return entry.outcome is OutcomeKind.FAILED
        case SagaQuarantined():
            return len(disk.records[event.saga_id]) > 1
        case _:
            return False
