"""Where the saga state of the order placer lives: in memory, and in an LMDB environment of its own."""

from collections.abc import MutableMapping

from saga_choreography import (
    LmdbDedupe,
    LmdbJournal,
    ParticipantDedupeStore,
    ParticipantEvent,
    ParticipantJournal,
    ParticipantStats,
    SagaId,
    SagaStateEntry,
    SagaStateExt,
    StorePlace,
)


class OrderPlacerSagaState(SagaStateExt):
    """The infrastructure of the order placer; its thread is the only one that touches it."""

    def __init__(self) -> None:
        super().__init__()
        self._saga_states: dict[SagaId, SagaStateEntry] = {}
        self._saga_stats = ParticipantStats()
        self._saga_journal: LmdbJournal[ParticipantEvent] | None = None
        self._saga_dedupe: LmdbDedupe | None = None

    def open_saga_store(self, place: StorePlace) -> None:
        self._saga_journal = place.open_journal()
        self._saga_dedupe = LmdbDedupe(self._saga_journal)

    @property
    def saga_states(self) -> MutableMapping[SagaId, SagaStateEntry]:
        return self._saga_states

    @property
    def saga_journal(self) -> ParticipantJournal:
        assert self._saga_journal is not None, "the order placer has not joined a SagaSystem"
        return self._saga_journal

    @property
    def saga_dedupe(self) -> ParticipantDedupeStore:
        assert self._saga_dedupe is not None, "the order placer has not joined a SagaSystem"
        return self._saga_dedupe

    @property
    def saga_stats(self) -> ParticipantStats:
        return self._saga_stats
