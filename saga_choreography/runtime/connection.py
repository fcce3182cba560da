"""`Connection`: one actor's surroundings, made of a stream, a timer thread and its own mailbox."""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import final

import pykka

from saga_choreography.helpers.fault_points import FaultPoint, FaultPointHook, nothing_happens
from saga_choreography.helpers.peer import Outgoing
from saga_choreography.helpers.ports import Clock
from saga_choreography.helpers.signals import Flush, SagaEvent, SagaSignal
from saga_choreography.observability import NoticeKind, SagaNotice
from saga_choreography.runtime.event_stream import Published, Ref
from saga_choreography.runtime.timers import Timers
from saga_choreography.types import PeerId, SagaId

_log = logging.getLogger("saga_choreography")
_FLUSH = SagaEvent(Flush())


@final
class Connection:
    """What one incarnation of an actor sees of the system."""

    def __init__(
        self,
        *,
        peer_id: PeerId,
        own_ref: Ref,
        stream: Ref,
        timers: Timers,
        clock: Clock,
        stopping: threading.Event,
        tell_observers: Callable[[SagaNotice], None],
        fault_points: FaultPointHook,
        is_observed: bool,
    ) -> None:
        self._peer_id = peer_id
        self._own_ref = own_ref
        self._stream = stream
        self._timers = timers
        self._clock = clock
        self._stopping = stopping
        self._tell_observers = tell_observers
        self._fault_points = fault_points
        self._is_observed = is_observed

    @property
    def peer_id(self) -> PeerId:
        return self._peer_id

    @property
    def own_ref(self) -> Ref:
        return self._own_ref

    @property
    def clock(self) -> Clock:
        return self._clock

    @property
    def is_stopping(self) -> bool:
        return self._stopping.is_set()

    @property
    def is_observed(self) -> bool:
        return self._is_observed

    def publish(self, events: Sequence[Outgoing]) -> None:
        tell(self._stream, Published(events))

    def wake_later(self) -> None:
        tell(self._own_ref, _FLUSH)

    def mailbox_is_empty(self) -> bool:
        return self._own_ref.actor_inbox.empty()

    def arm(self, at_millis: int, signal: SagaSignal) -> None:
        message = SagaEvent(signal)
        self._timers.arm(at_millis, lambda: tell(self._own_ref, message))

    def notice(self, kind: NoticeKind, detail: str, saga_id: SagaId | None = None) -> None:
        self._tell_observers(SagaNotice(kind=kind, peer=self._peer_id, detail=detail, saga_id=saga_id))

    def reach(self, point: FaultPoint) -> None:
        if self._fault_points is not nothing_happens:
            self._fault_points(point, self._peer_id)

    def pause(self, seconds: float) -> bool:
        return not self._stopping.wait(seconds)


def tell(ref: Ref, message: object) -> None:
    """Tell an actor that may have ended: its successor learns what it must from the journals."""
    try:
        ref.tell(message)
    except pykka.ActorDeadError:
        _log.debug("a message for an ended actor was dropped: %r", message)
