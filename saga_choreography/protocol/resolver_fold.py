"""`fold_saga(entry, record) -> entry`: the initiator's view of a saga is its journal, replayed."""

from typing import assert_never

from attrs import evolve

from saga_choreography.errors import IllegalTransition
from saga_choreography.events import (
    FenceRaised,
    InitiatorEvent,
    OutcomeKind,
    SagaAccepted,
    SagaParked,
    SagaResolved,
    SagaUnparked,
    TimestampedEvent,
)
from saga_choreography.protocol.resolver_commands import SagaEntry


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
    sequence, at_millis = record.sequence, record.at_millis
    match event:
        case SagaAccepted():
            raise IllegalTransition("started", "SagaAccepted", ("FenceRaised", "SagaResolved"))
        case FenceRaised():
            if entry.fence is not None:
                raise IllegalTransition("fenced", "FenceRaised", ("SagaResolved",))
            return evolve(entry, sequence=sequence, updated_at_millis=at_millis, fence=event.cause)
        case SagaParked():
            return evolve(entry, sequence=sequence, updated_at_millis=at_millis, parked=event.steps)
        case SagaUnparked():
            return evolve(entry, sequence=sequence, updated_at_millis=at_millis, parked=())
        case SagaResolved():
            if (event.outcome is OutcomeKind.FAILED) != (entry.fence is not None):
                fenced = "unfenced" if entry.fence is None else "fenced"
                raise IllegalTransition(fenced, f"SagaResolved {event.outcome.value}", ("the outcome that fits",))
            outcome = event.outcome
            return evolve(entry, sequence=sequence, updated_at_millis=at_millis, outcome=outcome, parked=())
        case _:
            assert_never(event)
