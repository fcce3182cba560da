"""`fold_saga(entry, record) -> entry`: the initiator's view of a saga is its journal, replayed."""

from typing import assert_never

from saga_choreography.errors import IllegalTransition
from saga_choreography.events import (
    FenceRaised,
    InitiatorEvent,
    OutcomeKind,
    QuarantinedStep,
    SagaAccepted,
    SagaParked,
    SagaResolved,
    SagaUnparked,
    TimestampedEvent,
)
from saga_choreography.protocol.resolver_commands import SagaEntry
from saga_choreography.types import FailureCause


def fold_saga(entry: SagaEntry | None, record: TimestampedEvent[InitiatorEvent]) -> SagaEntry:
    """The entry after `record`; `entry` is None before the first record.

    Raises:
        IllegalTransition: the record cannot follow: one outcome and one fence at most, nothing after the outcome.
    """
    event = record.event
    if entry is None:
        if not isinstance(event, SagaAccepted):
            raise IllegalTransition("nothing", type(event).__name__, ("SagaAccepted",))
        return SagaEntry(
            origin=event.origin,
            payload=event.payload,
            digest=event.digest,
            sequence=record.sequence,
            updated_at_millis=record.at_millis,
        )
    if entry.outcome is not None:
        raise IllegalTransition(entry.outcome.value, type(event).__name__, ())
    match event:
        case SagaAccepted():
            raise IllegalTransition("started", "SagaAccepted", ("FenceRaised", "SagaResolved"))
        case FenceRaised():
            if entry.fence is not None:
                raise IllegalTransition("fenced", "FenceRaised", ("SagaResolved",))
            return _moved(entry, record, fence=event.cause, parked=entry.parked)
        case SagaParked():
            return _moved(entry, record, fence=entry.fence, parked=event.steps)
        case SagaUnparked():
            return _moved(entry, record, fence=entry.fence, parked=())
        case SagaResolved():
            if (event.outcome is OutcomeKind.FAILED) != (entry.fence is not None):
                fenced = "unfenced" if entry.fence is None else "fenced"
                raise IllegalTransition(fenced, f"SagaResolved {event.outcome.value}", ("the outcome that fits",))
            return _moved(entry, record, fence=entry.fence, parked=(), outcome=event.outcome)
        case _:
            assert_never(event)


def _moved(
    entry: SagaEntry,
    record: TimestampedEvent[InitiatorEvent],
    *,
    fence: FailureCause | None,
    parked: tuple[QuarantinedStep, ...],
    outcome: OutcomeKind | None = None,
) -> SagaEntry:
    return SagaEntry(
        origin=entry.origin,
        payload=entry.payload,
        digest=entry.digest,
        sequence=record.sequence,
        updated_at_millis=record.at_millis,
        fence=fence,
        parked=parked,
        outcome=outcome,
    )
