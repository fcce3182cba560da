"""The actor that owns the one connection to the exchange.

It answers through the reply that each command carries and never waits for the exchange, so its inbox is always
short. Nothing may escape a handler: an exception in a `tell` would kill the actor and drop its inbox.
"""

import logging
import queue
from collections.abc import Callable
from types import TracebackType
from typing import ClassVar, assert_never, final

import pykka
from attrs import frozen
from pykka._envelope import Envelope

from deribit_example.actors.deribit_ws.calls import answer, call_for, expiry, refuse
from deribit_example.actors.deribit_ws.config import DeribitConfig
from deribit_example.actors.deribit_ws.connection import Connection, ConnectionSink
from deribit_example.actors.deribit_ws.errors import (
    BadCredentials,
    BadReply,
    ExchangeUnreachable,
    NotConnected,
    OutcomeUnknown,
)
from deribit_example.actors.deribit_ws.messaging import (
    AwaitReady,
    CancelOrder,
    ConnectionLost,
    ConnectionOpened,
    DeribitMessage,
    FrameArrived,
    FrameUnreadable,
    GetAccountLimits,
    GetInstrument,
    GetOrderHistory,
    GetOrderState,
    GetOrderStateByLabel,
    GetStatus,
    GetTicker,
    PlaceOrder,
    Replied,
    Request,
    TimerFired,
    WatchConnection,
    WatchOrders,
    WatchTicker,
)
from deribit_example.actors.deribit_ws.records import ConnectionStatus, Disconnected, Reconnected, SubscriptionMissing
from deribit_example.actors.deribit_ws.requests import Requests
from deribit_example.actors.deribit_ws.rpc import Failure, Frame, Heartbeat, Ignored, Notification, Result
from deribit_example.actors.deribit_ws.session import Session
from deribit_example.actors.deribit_ws.timers import Timers
from deribit_example.actors.deribit_ws.watchers import Watchers

logger = logging.getLogger(__name__)


@final
class DeribitWSActor(pykka.ThreadingActor):
    """Connects, keeps the session alive, sends requests and hands events to listeners."""

    use_daemon_thread: ClassVar[bool] = True

    @staticmethod
    def _create_actor_inbox() -> queue.SimpleQueue[Envelope[object]]:
        return queue.SimpleQueue()

    def __init__(self, config: DeribitConfig) -> None:
        super().__init__()
        self._config = config
        self._tell = _teller(self.actor_ref.tell)
        self._timers = Timers(lambda action: self._tell(TimerFired(action=action)))
        self._watchers = Watchers()
        self._requests = Requests(self._timers)
        self._session = Session(config, self._timers, self._requests, self._watchers, self)
        self._parked: list[tuple[Request, float]] = []
        self._awaiting_ready: list[AwaitReady] = []

    def on_start(self) -> None:
        """Start the timer thread and the first dial."""
        self._timers.start()
        self._session.dial()

    def on_stop(self) -> None:
        """Close the connection and settle everything that waits."""
        self._shut_down()

    def on_failure(
        self,
        exception_type: type[BaseException] | None,
        exception_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Settle everything that waits also when the actor dies."""
        self._shut_down()

    def on_receive(self, message: DeribitMessage) -> None:
        """Handle one command or signal; commands are answered through their reply."""
        try:
            self._handle(message)
        except Exception as error:
            logger.exception("handling %s failed", type(message).__name__)
            if isinstance(message, Replied):
                refuse(
                    message.reply,
                    OutcomeUnknown(f"internal error {type(error).__name__} while handling {type(message).__name__}"),
                )

    def _handle(self, message: DeribitMessage) -> None:
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
                self._subscribe(self._watchers.watch_orders(instrument, order_listener, message.reply), message)
            case WatchTicker(instrument=instrument, listener=ticker_listener):
                self._subscribe(self._watchers.watch_ticker(instrument, ticker_listener, message.reply), message)
            case WatchConnection(listener=listener):
                self._watchers.watch_connection(listener)
                answer(message.reply, None)
            case GetStatus():
                answer(message.reply, self._status())
            case AwaitReady():
                self._await_ready(message)
            case ConnectionOpened(generation=generation, connection=connection):
                if generation == self._session.generation:
                    self._session.opened(connection)
            case FrameArrived(generation=generation, frame=frame, at_millis=at_millis):
                if generation == self._session.generation:
                    self._frame(frame, at_millis)
            case FrameUnreadable(problem=problem):
                self._session.last_error = problem
                logger.warning("unreadable frame: %s", problem)
            case ConnectionLost(generation=generation, reason=reason, code=code):
                if generation == self._session.generation:
                    self._session.lost(reason, code)
            case TimerFired(action=action):
                action()
            case _:
                assert_never(message)

    def _request(self, request: Request) -> None:
        if self._session.ready:
            self._send(request, expiry(request.timeout_millis))
        elif request.wait_for_connection:
            parked = (request, expiry(request.timeout_millis))
            self._parked.append(parked)
            self._timers.after(request.timeout_millis, lambda: self._unpark(parked))
        else:
            refuse(request.reply, NotConnected(self._session.last_error or "the session is not ready yet"))

    def _send(self, request: Request, expires_at: float) -> None:
        self._requests.send(call_for(request, self._watchers.adopt, self._requests.clock.offset_millis, expires_at))

    def _unpark(self, parked: tuple[Request, float]) -> None:
        if parked in self._parked:
            self._parked.remove(parked)
            refuse(parked[0].reply, NotConnected(self._session.last_error or "no session within the timeout"))

    def _subscribe(self, channel: str, command: WatchOrders | WatchTicker) -> None:
        if self._session.ready:
            self._session.subscribe((channel,))

        def give_up() -> None:
            refuse(command.reply, NotConnected(f"{channel} is not subscribed yet; the listener stays registered"))

        self._timers.after(command.timeout_millis, give_up)

    def _await_ready(self, command: AwaitReady) -> None:
        if self._session.ready:
            answer(command.reply, None)
        elif self._session.rejected is not None:
            refuse(command.reply, self._session.rejected)
        else:
            self._awaiting_ready.append(command)

            def give_up() -> None:
                if command in self._awaiting_ready:
                    self._awaiting_ready.remove(command)
                    refuse(
                        command.reply,
                        ExchangeUnreachable(self._config.url, self._session.last_error or "no answer yet"),
                    )

            self._timers.after(command.timeout_millis, give_up)

    def _frame(self, frame: Frame, at_millis: int) -> None:
        match frame:
            case Result():
                self._requests.result(frame, at_millis)
            case Failure():
                self._session.failed(frame)
            case Notification(channel=channel, data=data):
                try:
                    self._watchers.data(channel, data)
                except BadReply as error:
                    self._session.last_error = str(error)
                    logger.warning("data of channel %s: %s", channel, error)
            case Heartbeat():
                # The reader has dealt with it.
                return
            case Ignored(what=what):
                logger.info("ignored %s", what)
            case _:
                assert_never(frame)

    def _status(self) -> ConnectionStatus:
        session = self._session
        return ConnectionStatus(
            connected=session.ready,
            clock_offset_millis=self._requests.clock.offset_millis,
            reconnects=session.reconnects,
            last_error=session.last_error,
        )

    def sink(self, generation: int) -> ConnectionSink:
        """Where a connection of this generation reports to."""
        return _Sink(generation=generation, tell=self._tell)

    def session_ready(self, reconnects: int) -> None:
        """Tell those who wait, then the listeners, then send what was parked."""
        waiting, self._awaiting_ready = self._awaiting_ready, []
        for command in waiting:
            answer(command.reply, None)
        self._watchers.connection(Reconnected(reconnects=reconnects))
        parked, self._parked = self._parked, []
        for request, expires_at in parked:
            self._send(request, expires_at)

    def session_lost(self, reason: str, code: int | None) -> None:
        """Tell the listeners."""
        self._watchers.connection(Disconnected(reason=reason, code=code))

    def channel_missing(self, channel: str) -> None:
        """Tell the listeners."""
        logger.error("channel %s was not subscribed", channel)
        self._watchers.connection(SubscriptionMissing(channel=channel))

    def credentials_rejected(self, error: BadCredentials) -> None:
        """Tell those who wait for a session: it will not come by itself."""
        logger.error("%s", error)
        waiting, self._awaiting_ready = self._awaiting_ready, []
        for command in waiting:
            refuse(command.reply, error)

    def _shut_down(self) -> None:
        self._timers.stop()
        self._session.stop()
        for request, _ in self._parked:
            refuse(request.reply, NotConnected("the connection actor was stopped"))
        for command in self._awaiting_ready:
            refuse(command.reply, ExchangeUnreachable(self._config.url, "the connection actor was stopped"))
        self._watchers.refused(self._watchers.channels(), NotConnected("the connection actor was stopped"))


@final
@frozen(kw_only=True)
class _Sink:
    generation: int
    tell: Callable[[DeribitMessage], None]

    def opened(self, connection: Connection) -> None:
        self.tell(ConnectionOpened(generation=self.generation, connection=connection))

    def frame(self, frame: Frame, at_millis: int) -> None:
        self.tell(FrameArrived(generation=self.generation, frame=frame, at_millis=at_millis))

    def unreadable(self, problem: str) -> None:
        self.tell(FrameUnreadable(generation=self.generation, problem=problem))

    def lost(self, reason: str, code: int | None) -> None:
        self.tell(ConnectionLost(generation=self.generation, reason=reason, code=code))


def _teller(deliver: Callable[[DeribitMessage], None]) -> Callable[[DeribitMessage], None]:
    def tell(message: DeribitMessage) -> None:
        try:
            deliver(message)
        except pykka.ActorDeadError:
            # The actor was stopped: nobody is left to hear of it.
            logger.debug("%s came after the actor was stopped", type(message).__name__)

    return tell
