"""`SagaActor`: a participant in one class, for who needs no messages of its own. Everything is done by the same helpers
that serve an explicitly wired actor."""

from collections.abc import MutableMapping
from typing import Generic

import pykka
from typing_extensions import TypeVar

from saga_choreography.helpers.handler import handle_saga_event
from saga_choreography.helpers.signals import SagaEvent
from saga_choreography.observability import ParticipantStats
from saga_choreography.state import SagaStateEntry
from saga_choreography.storage import LmdbDedupe, ParticipantDedupeStore, ParticipantJournal, StorePlace
from saga_choreography.traits.participant import SagaParticipant
from saga_choreography.traits.state_ext import SagaStateExt
from saga_choreography.types import SagaId

In = TypeVar("In")
Out = TypeVar("Out")
Undo = TypeVar("Undo", default=None)


class SagaActor(SagaParticipant[In, Out, Undo], SagaStateExt, pykka.ThreadingActor, Generic[In, Out, Undo]):
    """Declare `step`, implement `execute_step` and `compensate_step`; start it with `system.start_actor`."""

    def __init__(self) -> None:
        super().__init__()
        self._saga_states: dict[SagaId, SagaStateEntry] = {}
        self._saga_stats = ParticipantStats()
        self._saga_journal: ParticipantJournal | None = None
        self._saga_dedupe: ParticipantDedupeStore | None = None

    def open_saga_store(self, place: StorePlace) -> None:
        journal = place.open_journal()
        self._saga_journal = journal
        self._saga_dedupe = LmdbDedupe(journal)

    @property
    def saga_states(self) -> MutableMapping[SagaId, SagaStateEntry]:
        return self._saga_states

    @property
    def saga_journal(self) -> ParticipantJournal:
        assert self._saga_journal is not None, "open_saga_store was not called yet"
        return self._saga_journal

    @property
    def saga_dedupe(self) -> ParticipantDedupeStore:
        assert self._saga_dedupe is not None, "open_saga_store was not called yet"
        return self._saga_dedupe

    @property
    def saga_stats(self) -> ParticipantStats:
        return self._saga_stats

    def on_receive(self, message: object) -> object:
        """Saga events go to the helpers; anything else to `on_message`."""
        if isinstance(message, SagaEvent):
            handle_saga_event(self, message.event)
            return None
        return self.on_message(message)

    def on_message(self, message: object, /) -> object:
        """Optional: messages of the actor's own. The return value answers an `ask`.

        Raises:
            TypeError: not overridden, so the actor has no messages of its own.
        """
        raise TypeError(f"{type(self).__name__} got a {type(message).__qualname__}, which it does not handle")
