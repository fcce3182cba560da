"""`SagaHost`: what the helpers ask of an actor - both traits at once, structurally."""

from collections.abc import MutableMapping
from typing import Protocol

from saga_choreography.observability import ParticipantStats
from saga_choreography.state import SagaStateEntry
from saga_choreography.storage import ParticipantDedupeStore, ParticipantJournal, StorePlace
from saga_choreography.types import SagaId


class HasEngines(Protocol):
    """An actor that can join a system."""

    saga_engines: tuple[object, ...]


class StateHost(Protocol):
    """The state trait, as the engine uses it."""

    def open_saga_store(self, place: StorePlace) -> None: ...

    @property
    def saga_states(self) -> MutableMapping[SagaId, SagaStateEntry]: ...

    @property
    def saga_journal(self) -> ParticipantJournal: ...

    @property
    def saga_dedupe(self) -> ParticipantDedupeStore: ...

    @property
    def saga_stats(self) -> ParticipantStats: ...
