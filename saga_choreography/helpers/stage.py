"""What one turn of a participant is about to commit: records, marks and ends, in one transaction."""

from typing import Final, TypeAlias, final

from saga_choreography.events import OutcomeKind, ParticipantEvent, TimestampedEvent
from saga_choreography.storage import ParticipantDedupeStore, ParticipantJournal, Tombstone
from saga_choreography.types import SagaId

Record: TypeAlias = TimestampedEvent[ParticipantEvent]

_TOMBSTONES: Final = {outcome: Tombstone(outcome=outcome, digest=b"") for outcome in OutcomeKind}
"""Only initiators are asked to start a saga again, so only their tombstones identify a payload."""


@final
class Stage:
    """Collects, then writes. It can be written again if a transaction failed."""

    def __init__(self) -> None:
        self._records: list[tuple[SagaId, Record]] = []
        self._marks: list[tuple[SagaId, str, int]] = []
        self._ends: list[tuple[SagaId, int, OutcomeKind]] = []

    def __bool__(self) -> bool:
        return bool(self._records or self._ends)

    def add(self, saga_id: SagaId, step_name: str, records: tuple[Record, ...]) -> None:
        """Stage records of one saga. The very first one leaves a mark that outlives the journal."""
        self._records += [(saga_id, record) for record in records]
        if records[0].sequence == 1:
            self._marks.append((saga_id, step_name, records[0].at_millis))

    def end(self, saga_id: SagaId, at_millis: int, outcome: OutcomeKind) -> None:
        """Take a saga off the live index."""
        self._ends.append((saga_id, at_millis, outcome))

    def write(self, journal: ParticipantJournal, dedupe: ParticipantDedupeStore) -> None:
        """Write everything, inside the caller's transaction."""
        journal.append_all(self._records)
        for saga_id, key, at_millis in self._marks:
            dedupe.check_and_mark(saga_id, key, at_millis)
        for saga_id, at_millis, outcome in self._ends:
            journal.end(saga_id, at_millis, _TOMBSTONES[outcome])

    def clear(self) -> list[ParticipantEvent]:
        """Everything is committed: forget it; returns the events that were."""
        events = [record.event for _, record in self._records]
        self._records, self._marks, self._ends = [], [], []
        return events
