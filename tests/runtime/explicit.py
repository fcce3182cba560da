"""A participant wired by hand: its own Pykka class, both traits, its own messages. The pattern of the template."""

from collections.abc import MutableMapping
from concurrent.futures import Future
from typing import TypeAlias, assert_never, final

import pykka
from attrs import frozen

from saga_choreography import (
    LmdbDedupe,
    LmdbJournal,
    ParticipantDedupeStore,
    ParticipantEvent,
    ParticipantJournal,
    ParticipantStats,
    SagaContext,
    SagaEvent,
    SagaId,
    SagaParticipant,
    SagaStateEntry,
    SagaStateExt,
    StepOutput,
    StepPending,
    StorePlace,
    complete_pending,
    fail_pending,
    handle_saga_event,
)
from tests.runtime.journey import STAY, Flight, Stay


@frozen
class RoomReady:
    saga_id: SagaId
    room: int


@frozen
class RoomRefused:
    saga_id: SagaId
    why: str


@frozen
class CountRequests:
    reply: "Future[int]"


ClerkMessage: TypeAlias = RoomReady | RoomRefused | CountRequests | SagaEvent


class ClerkSteps(SagaParticipant[Flight, Stay, None]):
    """Every room takes its time."""

    step = STAY
    requests: int
    waiting: "Future[SagaId]"

    def execute_step(self, context: SagaContext, step_input: Flight) -> StepPending:
        self.requests += 1
        if not self.waiting.done():
            self.waiting.set_result(context.saga_id)
        return StepPending()

    def compensate_step(self, context: SagaContext, undo: None) -> None:
        self.requests -= 1

    def resume_pending(self, context: SagaContext, step_input: Flight) -> None:
        self.requests += 1
        if not self.waiting.done():
            self.waiting.set_result(context.saga_id)


class ClerkSagaState(SagaStateExt):
    """Where the clerk's saga state lives."""

    def __init__(self) -> None:
        super().__init__()
        self._states: dict[SagaId, SagaStateEntry] = {}
        self._stats = ParticipantStats()
        self._journal: LmdbJournal[ParticipantEvent] | None = None
        self._dedupe: LmdbDedupe | None = None

    def open_saga_store(self, place: StorePlace) -> None:
        self._journal = place.open_journal()
        self._dedupe = LmdbDedupe(self._journal)

    @property
    def saga_states(self) -> MutableMapping[SagaId, SagaStateEntry]:
        return self._states

    @property
    def saga_journal(self) -> ParticipantJournal:
        assert self._journal is not None
        return self._journal

    @property
    def saga_dedupe(self) -> ParticipantDedupeStore:
        assert self._dedupe is not None
        return self._dedupe

    @property
    def saga_stats(self) -> ParticipantStats:
        return self._stats


@final
class Clerk(ClerkSteps, ClerkSagaState, pykka.ThreadingActor):
    """Messages of its own beside the saga's."""

    def __init__(self, waiting: "Future[SagaId]") -> None:
        super().__init__()
        self.requests = 0
        self.waiting = waiting

    def on_receive(self, message: ClerkMessage) -> None:
        match message:
            case RoomReady(saga_id, room):
                complete_pending(self, saga_id, StepOutput(Stay(room), None))
            case RoomRefused(saga_id, why):
                fail_pending(self, saga_id, why)
            case CountRequests(reply):
                reply.set_result(self.requests)
            case SagaEvent(event):
                handle_saga_event(self, event)
            case _:
                assert_never(message)
