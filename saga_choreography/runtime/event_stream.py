"""`EventStream`: the actor that fans facts out to whom they concern. It decides nothing and remembers no saga.

Everything one actor publishes at once goes to each recipient as one message. Its cost follows the interested parties,
not the number of actors: recipients are looked up by (saga type, step), never searched.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Final, TypeAlias, assert_never, final

import pykka
from attrs import field, frozen

from saga_choreography.events import SagaChoreographyEvent
from saga_choreography.helpers.peer import Directed, Outgoing, Peer
from saga_choreography.helpers.signals import Events, PeerJoined, SagaEvent
from saga_choreography.protocol.routing import Addressees, addressees
from saga_choreography.traits.state_ext import ActorMixin
from saga_choreography.types import PeerId, SagaId

Ref: TypeAlias = "pykka.ActorRef[Any]"

_MOST_ROUTES: Final = 10_000


@final
@frozen
class Published:
    """Facts of one commit of one actor."""

    outgoing: Sequence[Outgoing]


@final
@frozen(kw_only=True)
class Joined:
    """An actor is ready: deliver to it from now on, and let everybody tell it what it missed."""

    peer_id: PeerId
    ref: Ref = field(eq=False)
    steps: frozenset[tuple[str, str]]
    is_initiator: bool
    shard: int = 0
    shards: int = 1


@final
@frozen
class Left:
    """An actor is gone."""

    peer_id: PeerId


@final
@frozen
class Observed:
    """Call `observer` with everything published from now on; it must return at once and never raise."""

    observer: Callable[[Sequence[SagaChoreographyEvent]], None]


@final
@frozen
class Barrier:
    """Everything published before this has been delivered when `passed` is set."""

    passed: "Future[None]" = field(eq=False)


StreamMessage: TypeAlias = Published | Joined | Left | Observed | Barrier


@final
class EventStream(ActorMixin, pykka.ThreadingActor):
    """Interest-based fan-out. A dead subscriber is dropped and reported, and harms nobody."""

    def __init__(self, on_dropped: Callable[[PeerId], None] | None = None) -> None:
        super().__init__()
        self._on_dropped = on_dropped
        self._peers: dict[PeerId, Joined] = {}
        self._owners: dict[tuple[str, str], dict[int, Joined]] = {}
        self._observers: list[Callable[[Sequence[SagaChoreographyEvent]], None]] = []
        self._routes: dict[tuple[str, Addressees], frozenset[PeerId] | None] = {}
        """Who serves the steps of a saga type; None: that depends on the saga."""

    def on_receive(self, message: StreamMessage) -> None:
        """Handle one message."""
        match message:
            case Published():
                self._publish(message.outgoing)
            case Joined():
                self._join(message)
            case Left():
                self._drop(message.peer_id)
            case Observed():
                self._observers.append(message.observer)
            case Barrier(passed):
                passed.set_result(None)
            case _:
                assert_never(message)

    def _publish(self, outgoing: Sequence[Outgoing]) -> None:
        batches: dict[PeerId, list[SagaChoreographyEvent]] = {}
        for out in outgoing:
            if isinstance(out, Directed):
                event, to = out.event, Addressees((out.step_name,))
            else:
                event, to = out, addressees(out)
            receivers = self._receivers(event, to)
            for peer_id in receivers:
                batches.setdefault(peer_id, []).append(event)
            # An actor that serves an event in two roles gets it once: both of its engines see it.
            if to.initiator and event.origin.initiator not in receivers:
                batches.setdefault(event.origin.initiator, []).append(event)
        for peer_id, events in batches.items():
            if peer_id in self._peers:
                self._tell(peer_id, SagaEvent(Events(tuple(events))))
        if self._observers:
            told = [out for out in outgoing if not isinstance(out, Directed)]
            for observer in self._observers:
                observer(told)

    def _receivers(self, event: SagaChoreographyEvent, to: Addressees) -> frozenset[PeerId]:
        saga_type = event.saga_type
        try:
            known = self._routes[saga_type, to]
        except KeyError:
            sharded = any(
                owner.shards > 1 for step in to.steps for owner in self._owners.get((saga_type, step), {}).values()
            )
            known = self._routes[saga_type, to] = None if sharded else self._look_up(event, to)
            if len(self._routes) > _MOST_ROUTES:
                self._routes.clear()
        return known if known is not None else self._look_up(event, to)

    def _look_up(self, event: SagaChoreographyEvent, to: Addressees) -> frozenset[PeerId]:
        owners = (self._owner(event, step) for step in to.steps)
        return frozenset(owner for owner in owners if owner is not None)

    def _owner(self, event: SagaChoreographyEvent, step_name: str) -> PeerId | None:
        owners = self._owners.get((event.saga_type, step_name))
        if not owners:
            return None
        some = next(iter(owners.values()))
        owner = some if some.shards == 1 else owners.get(shard_of(event.saga_id, some.shards))
        return None if owner is None else owner.peer_id

    def _join(self, joined: Joined) -> None:
        self._routes.clear()
        self._peers[joined.peer_id] = joined
        for owned in joined.steps:
            self._owners.setdefault(owned, {})[joined.shard] = joined
        announcement = SagaEvent(PeerJoined(_peer(joined)))
        for peer_id in list(self._peers):
            if peer_id != joined.peer_id:
                self._tell(peer_id, announcement)

    def _drop(self, peer_id: PeerId) -> None:
        self._routes.clear()
        gone = self._peers.pop(peer_id, None)
        if gone is None:
            return
        for owned in gone.steps:
            owners = self._owners.get(owned, {})
            if owners.get(gone.shard) is gone:
                del owners[gone.shard]

    def _tell(self, peer_id: PeerId, message: SagaEvent) -> None:
        try:
            self._peers[peer_id].ref.tell(message)
        except pykka.ActorDeadError:
            self._drop(peer_id)
            if self._on_dropped is not None:
                self._on_dropped(peer_id)


def shard_of(saga_id: SagaId, shards: int) -> int:
    """Which shard serves a saga: the low bits of a UUID are random in every version this library makes."""
    return saga_id.int % shards


def _peer(joined: Joined) -> Peer:
    def tell(events: Sequence[SagaChoreographyEvent]) -> None:
        try:
            joined.ref.tell(SagaEvent(Events(tuple(events))))
        except pykka.ActorDeadError:
            return  # it died meanwhile; its successor joins again and is told again

    def owns(saga_id: SagaId) -> bool:
        return joined.shards == 1 or shard_of(saga_id, joined.shards) == joined.shard

    return Peer(peer_id=joined.peer_id, steps=joined.steps, is_initiator=joined.is_initiator, tell=tell, owns=owns)
