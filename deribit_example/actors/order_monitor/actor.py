"""The order monitor: follows a placed order to its end."""

import logging
from collections.abc import Callable
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
from deribit_example.actors.order_monitor.messaging import OrderMonitorMessage, OrderUpdated, SessionIsBack
from deribit_example.actors.order_monitor.saga.participant import OrderMonitorSteps
from deribit_example.actors.order_monitor.saga.state_ext import OrderMonitorSagaState
from deribit_example.saga.types import FilledOrder
from saga_choreography import (
    SagaEvent,
    SagaId,
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

        def tell_self_of(order: OrderSnapshot) -> None:
            _tell(tell, OrderUpdated(order))

        def on_connection(event: ConnectionEvent) -> None:
            if isinstance(event, Reconnected):
                _tell(tell, SessionIsBack())

        self.tell_self_of = tell_self_of
        self._on_connection = on_connection

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
            case SessionIsBack():
                self._ask_for_all()
            case SagaEvent(event):
                handle_saga_event(self, event)
            case _:
                assert_never(message)

    def _on_update(self, order: OrderSnapshot) -> None:
        saga_id = self.watched.get(order.order_id)
        if saga_id is None:
            return  # not ours, not yet, or no longer
        reading = read(order)
        try:
            match reading:
                case StillOpen():
                    return
                case FilledOrder():
                    self._forget(order.order_id, saga_id)
                    complete_pending(self, saga_id, StepOutput(reading, None))
                case Ended(why):
                    self._forget(order.order_id, saga_id)
                    fail_pending(self, saga_id, why)
        except UnknownSaga:
            _log.debug("order %s ended after its saga %s", order.order_id, saga_id)

    def _forget(self, order_id: str, saga_id: SagaId) -> None:
        self.watched.pop(order_id, None)
        _log.debug("order %s of saga %s has ended", order_id, saga_id)

    def _ask_for_all(self) -> None:
        for order_id in list(self.watched):
            try:
                order = self.client.get_order_state(order_id)
            except DeribitError as error:
                _log.warning("order %s could not be asked for, its follow-up will: %s", order_id, error)
            else:
                self._on_update(order)


def _tell(tell: Callable[[OrderMonitorMessage], None], message: OrderMonitorMessage) -> None:
    """Called on the connection's thread; an ended monitor has a successor that asks for itself."""
    try:
        tell(message)
    except pykka.ActorDeadError:
        _log.debug("an update for an ended order monitor was dropped")
