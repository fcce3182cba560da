"""`SagaStateExt`: where a participant's saga state, journal and dedupe store live."""

from abc import ABC, abstractmethod
from collections.abc import MutableMapping
from queue import SimpleQueue
from typing import Any, ClassVar

from saga_choreography.observability.stats import ParticipantStats
from saga_choreography.state import SagaStateEntry
from saga_choreography.storage import ParticipantDedupeStore, ParticipantJournal, StorePlace
from saga_choreography.types import SagaId


class ActorMixin:
    """What every saga actor sets on its Pykka class; mixed in before `pykka.ThreadingActor`.

    Daemon threads: a forgotten non-daemon actor hangs the interpreter at exit. SimpleQueue: 3 to 5 times the throughput
    of the default inbox, and its `put` is re-entrant.
    """

    use_daemon_thread: ClassVar[bool] = True
    saga_engines: tuple[object, ...] = ()
    """Set when the actor joins a system; the helpers find their machinery here."""

    @staticmethod
    def _create_actor_inbox() -> "SimpleQueue[Any]":
        return SimpleQueue()


class SagaStateExt(ActorMixin, ABC):
    """Implement the five members (see the participant template); everything else is done by the helpers.

    All members are used on the actor's own thread only.
    """

    @abstractmethod
    def open_saga_store(self, place: StorePlace) -> None:
        """Open journal and dedupe store at `place`. Called before any other member, and again after a restart.

        Raises:
            StoreError: the store is locked, damaged, or somebody else's.
        """

    @property
    @abstractmethod
    def saga_states(self) -> MutableMapping[SagaId, SagaStateEntry]:
        """The live entries by saga id; the helpers write them, once they are committed."""

    @property
    @abstractmethod
    def saga_journal(self) -> ParticipantJournal:
        """The journal that `open_saga_store` opened."""

    @property
    @abstractmethod
    def saga_dedupe(self) -> ParticipantDedupeStore:
        """The dedupe store; it shares the journal's transactions."""

    @property
    @abstractmethod
    def saga_stats(self) -> ParticipantStats:
        """The counters; one object for the life of the actor."""
