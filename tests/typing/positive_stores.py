# pyright: strict
"""Stores, counters and plain data, for who brings parts of their own. Checked by mypy and pyright, never run."""

from pathlib import Path
from typing import assert_type

from saga_choreography import (
    Durability,
    InMemoryDedupe,
    InMemoryJournal,
    LmdbDedupe,
    LmdbJournal,
    ParticipantDedupeStore,
    ParticipantEvent,
    ParticipantJournal,
    ParticipantState,
    ParticipantStats,
    ParticipantStatsSnapshot,
    Quarantined,
    RetryPolicy,
    SagaId,
    StorePlace,
    TimestampedEvent,
)
from saga_choreography.events import InitiatorEvent, OutcomeKind
from saga_choreography.storage import InMemoryEnvironment, LmdbEnvironment, Tombstone
from saga_choreography.storage.layout import Role
from saga_choreography.types import SagaPlan, StepPlan
from tests.typing.positive_wiring import BOOK_FLIGHT, TRIP, TRIP_WORKFLOW


def opened(place: StorePlace) -> tuple[LmdbJournal[ParticipantEvent], LmdbJournal[InitiatorEvent]]:
    """Where an actor is told to keep its journals."""
    return place.open_journal(), place.open_initiator_journal()


def on_disk(path: Path) -> tuple[ParticipantJournal, ParticipantDedupeStore]:
    """A store of one's own; the journal and the marks share its transactions."""
    journal = LmdbJournal.open(path, owner="FlightDesk", durability=Durability.PROCESS)
    assert_type(journal, LmdbJournal[ParticipantEvent])
    assert_type(journal.environment, LmdbEnvironment)
    assert_type(LmdbJournal.participant(journal.environment).role, Role[ParticipantEvent])
    return journal, LmdbDedupe(journal)


def in_memory() -> tuple[ParticipantJournal, ParticipantDedupeStore]:
    """The same without a medium."""
    journal = InMemoryJournal()
    assert_type(journal, InMemoryJournal[ParticipantEvent])
    assert_type(journal.environment, InMemoryEnvironment)
    assert_type(InMemoryJournal.initiator(journal.environment), InMemoryJournal[InitiatorEvent])
    return journal, InMemoryDedupe(journal)


def written(
    journal: ParticipantJournal, saga_id: SagaId, record: TimestampedEvent[ParticipantEvent]
) -> tuple[TimestampedEvent[ParticipantEvent], ...]:
    """From the first record of a saga to its tombstone."""
    with journal.transaction():
        journal.append(saga_id, record)
        journal.append_all([(saga_id, record)])
    assert_type(list(journal.live_sagas()), list[SagaId])
    records = journal.read(saga_id)
    journal.end(saga_id, 5, Tombstone(outcome=OutcomeKind.COMPLETED, digest=b""))
    assert_type(journal.prune(before_millis=9, limit=10) + journal.prune_tombstones(before_millis=9, limit=10), int)
    assert_type(journal.tombstone(saga_id), Tombstone | None)
    journal.close()
    return records


def marked(dedupe: ParticipantDedupeStore, saga_id: SagaId) -> bool:
    """A key is acted on once."""
    is_new = dedupe.check_and_mark(saga_id, "trigger", 5) and not dedupe.seen(saga_id, "trigger")
    dedupe.prune(saga_id)
    return is_new


def counted(stats: ParticipantStats, events: list[ParticipantEvent]) -> int:
    """Counters of who serves a participant without the library's own actors."""
    stats.committed(events)
    stats.count("anomalies")
    assert_type(stats.snapshot(), ParticipantStatsSnapshot)
    return stats.snapshot().completed


def plain(policy: RetryPolicy, entry: ParticipantState[Quarantined]) -> tuple[StepPlan, SagaPlan]:
    """What tokens and workflows compile to."""
    assert_type(policy.delay_millis(2, spread=0.5), int)
    assert_type(entry.state.while_compensating, bool)
    assert_type(TRIP.sagas() | BOOK_FLIGHT.sagas(), frozenset[str])
    assert_type(TRIP_WORKFLOW.payload_class(), type)
    print(TRIP.take({"@start": b""}), BOOK_FLIGHT.undo_class())
    return BOOK_FLIGHT.plan(), TRIP_WORKFLOW.build_plan()
