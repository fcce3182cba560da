"""`MockDeribitWSActor`: understands the commands of the connection actor and does what its behaviour says.

Like the real one it answers through the reply of each command and never waits: a request that is held back waits at
its gate, not on this thread.
"""

from collections.abc import Callable
from concurrent.futures import Future
from decimal import Decimal
from typing import assert_never, final

import pykka

from deribit_example.actors.deribit_ws import (
    AccountLimits,
    AwaitReady,
    CancelOrder,
    ConnectionEvent,
    ConnectionStatus,
    Disconnected,
    GetAccountLimits,
    GetInstrument,
    GetOrderHistory,
    GetOrderState,
    GetOrderStateByLabel,
    GetStatus,
    GetTicker,
    NotConnected,
    OrderSnapshot,
    OutcomeUnknown,
    PlaceOrder,
    Reconnected,
    RequestRefused,
    WatchConnection,
    WatchOrders,
    WatchTicker,
)
from deribit_example.actors.deribit_ws.messaging import Request
from tests.e2e.mock_behavior import Answer, Apply, Drop, Fail, Fills, MockWSBehavior, NotIndexed, Updates
from tests.e2e.mock_books import INSTRUMENTS, MockBooks, ticker_of
from tests.e2e.mock_messages import (
    ChangeBooks,
    DropConnection,
    MockMessage,
    Release,
    RestoreConnection,
    answer,
    fail,
    tell_isolated,
)


@final
class MockDeribitWSActor(pykka.ThreadingActor):
    """A connection without an exchange; the books are given, so that they outlive it."""

    use_daemon_thread = True

    def __init__(self, books: MockBooks, behavior: MockWSBehavior) -> None:
        super().__init__()
        self._books = books
        self._behavior = behavior
        self._connected = True
        self._reconnects = 0
        self._order_listeners: list[tuple[str, Callable[[OrderSnapshot], None]]] = []
        self._connection_listeners: list[Callable[[ConnectionEvent], None]] = []
        self._held: list[Request] = []
        self._parked: list[Request] = []

    def on_stop(self) -> None:
        """Settle what waits."""
        for request in self._held:
            fail(request, OutcomeUnknown("the mock was stopped"))
        for request in self._parked:
            fail(request, NotConnected("the mock was stopped"))

    def on_receive(self, message: MockMessage) -> None:
        """Handle one message; a refusal of the books is answered as the exchange would."""
        match message:
            case (
                PlaceOrder()
                | CancelOrder()
                | GetOrderState()
                | GetOrderStateByLabel()
                | GetOrderHistory()
                | GetInstrument()
                | GetTicker()
                | GetAccountLimits()
            ):
                self._request(message)
            case WatchOrders(instrument=instrument, listener=order_listener):
                self._order_listeners.append((instrument, order_listener))
                answer(message.reply, None)
            case WatchTicker():
                answer(message.reply, None)
            case WatchConnection(listener=listener):
                self._connection_listeners.append(listener)
                answer(message.reply, None)
            case GetStatus():
                answer(message.reply, self._status())
            case AwaitReady():
                answer(message.reply, None)
            case Release(request=request):
                if request in self._held:
                    self._held.remove(request)
                    self._serve(request)
            case DropConnection(reply=reply):
                self._drop()
                answer(reply, None)
            case RestoreConnection(reply=reply):
                self._restore()
                answer(reply, None)
            case ChangeBooks(change=change, reply=changed):
                self._change(change, changed)
            case _:
                assert_never(message)

    # ---------------------------------------------------------------- requests

    def _request(self, request: Request) -> None:
        if not self._connected:
            if request.wait_for_connection:
                self._parked.append(request)
            else:
                fail(request, NotConnected("the mock's connection is down"))
            return
        # Only what was sent is recorded: a request without a connection never left.
        self._books.record(request)
        gate = self._behavior.hold(request)
        if gate is None:
            self._serve(request)
        else:
            self._held.append(request)
            gate.hold(lambda: self.actor_ref.tell(Release(request=request)))

    def _serve(self, request: Request) -> None:
        drop = self._behavior.should_drop_connection(request)
        if drop is not None:
            if drop is Drop.AFTER_APPLY:
                self._apply(request, silent=True)
            fail(request, OutcomeUnknown("the mock's connection broke"))
            self._drop()
            return
        chosen = self._answer_of(request)
        match chosen:
            case Apply():
                self._apply(request)
            case Fail(error=error, applied=applied):
                if applied:
                    self._apply(request, silent=True)
                fail(request, error)
            case NotIndexed():
                assert isinstance(request, GetOrderStateByLabel)
                answer(request.reply, ())
            case _:
                assert_never(chosen)

    def _answer_of(self, request: Request) -> Answer:
        behavior = self._behavior
        match request:
            case PlaceOrder():
                return behavior.place_order_response(request)
            case CancelOrder():
                return behavior.cancel_order_response(request)
            case GetOrderState():
                return behavior.order_state_response(request)
            case GetOrderStateByLabel():
                return behavior.state_by_label_response(request)
            case _:
                return Apply()

    def _apply(self, request: Request, *, silent: bool = False) -> None:
        """Do it in the books, and answer unless `silent`."""
        try:
            self._do(request, silent=silent)
        except RequestRefused as error:
            if not silent:
                fail(request, error)

    def _do(self, request: Request, *, silent: bool) -> None:
        books = self._books
        match request:
            case PlaceOrder():
                self._told(books.take(request.order, self._filled_at_once(request)), request, silent=silent)
            case CancelOrder(order_id=order_id):
                self._told(books.cancel(order_id), request, silent=silent)
            case GetOrderState(order_id=order_id):
                answer(request.reply, books.order(order_id))
            case GetOrderStateByLabel(label=label):
                answer(request.reply, tuple(books.orders(label=label)))
            case GetOrderHistory(instrument=instrument, count=count, offset=offset):
                old = [order for order in reversed(books.orders(instrument=instrument)) if order.is_terminal]
                answer(request.reply, tuple(old[offset : offset + count]))
            case GetInstrument(name=name):
                if name not in INSTRUMENTS:
                    raise RequestRefused(13020, "not_found")
                answer(request.reply, INSTRUMENTS[name])
            case GetTicker(name=name):
                if name not in INSTRUMENTS:
                    raise RequestRefused(13020, "not_found")
                answer(request.reply, ticker_of(name))
            case GetAccountLimits():
                limits = AccountLimits(non_matching_engine=None, matching_engine=None, cancel_all=None)
                answer(request.reply, limits)
            case _:
                assert_never(request)

    def _filled_at_once(self, request: PlaceOrder) -> Decimal:
        order = request.order
        if order.order_type == "market" or self._behavior.fills is Fills.AT_ONCE:
            return order.amount
        return self._behavior.fill_amount

    def _told(self, order: OrderSnapshot, request: PlaceOrder | CancelOrder, *, silent: bool) -> None:
        early = self._behavior.updates is Updates.BEFORE_REPLY
        if early:
            self._tell(order)
        if not silent:
            answer(request.reply, order)
        if not early:
            self._tell(order)

    # ---------------------------------------------------------------- news

    def _change(self, change: Callable[[MockBooks], OrderSnapshot], reply: Future[OrderSnapshot]) -> None:
        try:
            order = change(self._books)
        except RequestRefused as error:
            reply.set_exception(error)
            return
        self._tell(order)
        reply.set_result(order)

    def _tell(self, order: OrderSnapshot) -> None:
        if self._behavior.updates is Updates.LOST or not self._connected:
            return
        for _ in range(2 if self._behavior.updates is Updates.DOUBLED else 1):
            for instrument, listener in self._order_listeners:
                if instrument == order.instrument:
                    tell_isolated(listener, order)

    def _drop(self) -> None:
        if not self._connected:
            return
        self._connected = False
        held, self._held = self._held, []
        for request in held:
            fail(request, OutcomeUnknown("the mock's connection broke"))
        self._tell_connection(Disconnected(reason="dropped by the mock", code=None))
        if self._behavior.reconnects:
            self.actor_ref.tell(RestoreConnection())

    def _restore(self) -> None:
        if self._connected:
            return
        self._connected = True
        self._reconnects += 1
        self._tell_connection(Reconnected(reconnects=self._reconnects))
        parked, self._parked = self._parked, []
        for request in parked:
            self._request(request)

    def _tell_connection(self, event: ConnectionEvent) -> None:
        for listener in self._connection_listeners:
            tell_isolated(listener, event)

    def _status(self) -> ConnectionStatus:
        return ConnectionStatus(
            connected=self._connected, clock_offset_millis=0, reconnects=self._reconnects, last_error=None
        )
