"""The order monitor: follows a placed order to its end."""

import logging
from collections.abc import Iterable
from typing import Final, assert_never, final

import pykka

from deribit_example.actors.deribit_ws import (
    ConnectionEvent,
    DeribitClient,
    DeribitError,
    OrderSnapshot,
    Reconnected,
)
from deribit_example.actors.order_monitor.business import Ended, StillOpen, read
from deribit_example.actors.order_monitor.messaging import (
    OrderMonitorMessage,
    OrderResumed,
    OrderUpdated,
    SessionIsBack,
)
from deribit_example.actors.order_monitor.saga.participant import OrderMonitorSteps
from deribit_example.actors.order_monitor.saga.state_ext import OrderMonitorSagaState
from deribit_example.saga.order_lookup import HistoryTooLong
from deribit_example.saga.types import FilledOrder
from saga_choreography import (
    ResolutionRefused,
    SagaEvent,
    StepOutput,
    UnknownSaga,
    complete_pending,
    fail_pending,
    handle_saga_event,
)

FOLLOW_UP_MILLIS: Final = 30_000

_log = logging.getLogger(__name__)


@final
class OrderMonitor(OrderMonitorSteps, OrderMonitorSagaState, pykka.ThreadingActor):
    """Participant of step monitor_order; asks again after `follow_up_millis` without news."""

    def __init__(self, client: DeribitClient, follow_up_millis: int = FOLLOW_UP_MILLIS) -> None:
        super().__init__()
        self.client = client
        self.follow_up_millis = follow_up_millis
        self.watched = {}
        self.subscribed = set()
        tell = self.actor_ref.tell

        def tell_self(message: OrderMonitorMessage) -> None:
            """Called on the connection's thread too; an ended monitor has a successor that asks for itself."""
            try:
                tell(message)
            except pykka.ActorDeadError:
                _log.debug("news for an ended order monitor were dropped")

        self.tell_self = tell_self

    def on_start(self) -> None:
        """Hear of sessions that come back."""
        try:
            self.client.watch_connection(self._on_connection)
        except DeribitError as error:
            # Nothing is lost: every pending step asks again by itself after `follow_up_millis`.
            _log.warning("the order monitor will not hear of reconnects: %s", error)

    def on_receive(self, message: OrderMonitorMessage) -> None:
        """Handle one message."""
        match message:
            case OrderUpdated(order):
                self._on_update(order)
            case OrderResumed(order_id):
                self._ask_for([order_id])
            case SessionIsBack():
                self._ask_for(list(self.watched))
            case SagaEvent(event):
                handle_saga_event(self, event)
            case _:
                assert_never(message)

    def _on_connection(self, event: ConnectionEvent) -> None:
        if isinstance(event, Reconnected):
            self.tell_self(SessionIsBack())

    def _on_update(self, order: OrderSnapshot) -> None:
        watched = self.watched.get(order.order_id)
        if watched is None:
            return  # not ours, not yet, or no longer
        reading = read(order, watched.placed.price)
        try:
            match reading:
                case StillOpen():
                    return
                case FilledOrder():
                    self.stop_watching(watched.saga_id)
                    complete_pending(self, watched.saga_id, StepOutput(reading, None))
                case Ended(why):
                    self.stop_watching(watched.saga_id)
                    fail_pending(self, watched.saga_id, why)
                case _:
                    assert_never(reading)
        except (UnknownSaga, ResolutionRefused) as error:
            _log.debug("order %s ended when nobody waited for it: %s", order.order_id, error)

    def _ask_for(self, order_ids: Iterable[str]) -> None:
        """Ask for orders that are watched. Without a session this ends at once: the next one asks again."""
        try:
            if not self.client.get_status().connected:
                return
        except DeribitError as error:
            _log.warning("the connection does not answer, follow-ups will ask: %s", error)
            return
        for order_id in order_ids:
            watched = self.watched.get(order_id)
            if watched is None:
                continue
            try:
                self.subscribe_to(watched.placed.instrument)
                order = self.look_at(watched, wait_for_connection=False)
            except (DeribitError, HistoryTooLong) as error:
                _log.warning("order %s could not be asked for, its follow-up will: %s", order_id, error)
            else:
                self._on_update(order)
