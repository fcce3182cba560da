"""One client connection: a reader that never waits for the network, a writer with a bounded outbox, a heartbeat."""

import logging
import queue
import threading
from typing import Protocol, assert_never, final

from websockets.exceptions import ConnectionClosed

from deribit_example.exchange.channels import market_payloads, parse_channel, payloads
from deribit_example.exchange.connection import ConnectionState
from deribit_example.exchange.dispatch import Handled, Late, handle_frame
from deribit_example.exchange.events import Event
from deribit_example.exchange.faults import DropKind
from deribit_example.exchange.scheduler import Scheduler, Timer
from deribit_example.exchange.socket_ends import StallableConnection, cut, expel, reset
from deribit_example.exchange.venue import Venue
from deribit_example.exchange.wire import Json, encode

logger = logging.getLogger(__name__)


class Hub(Protocol):
    """What a session needs of the exchange around it."""

    venue: Venue
    scheduler: Scheduler

    def publish(self, events: tuple[Event, ...]) -> None:
        """Tell every connection."""
        ...

    def apply_later(self, state: ConnectionState, late: Late) -> None:
        """Apply a request after its connection is gone."""
        ...


@final
class Session:
    """Serves one socket until it ends. `deliver` and `drop` work from any thread and never wait for the peer."""

    def __init__(self, hub: Hub, socket: StallableConnection, connection_id: int) -> None:
        self.state = ConnectionState(connection_id=connection_id)
        self._hub = hub
        self._venue = hub.venue
        self._socket = socket
        self._outbox: queue.Queue[str | DropKind] = queue.Queue(self._venue.config.max_outbox)
        self._heartbeat: Timer | None = None
        self._sent_since_beat = False
        self._over = False

    def serve(self) -> None:
        """Read and answer frames; returns when the connection is over."""
        writer = threading.Thread(target=self._write, name=f"exchange-out-{self.state.connection_id}", daemon=True)
        writer.start()
        try:
            while not self._over:
                text = self._socket.recv()
                if not self._socket.stalled:
                    self._handle(text)
        except ConnectionClosed:
            logger.debug("connection %d closed", self.state.connection_id)
        finally:
            self.end(DropKind.EOF)
            writer.join(timeout=self._venue.config.send_timeout_seconds)

    def deliver(self, text: str) -> None:
        """Queue one frame; a peer that lets the outbox overflow is cut off."""
        if self._over or self._socket.stalled:
            return
        self._sent_since_beat = True
        try:
            self._outbox.put_nowait(text)
        except queue.Full:
            logger.info("connection %d reads too slowly", self.state.connection_id)
            self._stop()
            expel(self._socket)

    def drop(self, kind: DropKind) -> None:
        """End the connection after what is queued has been sent."""
        try:
            self._outbox.put_nowait(kind)
        except queue.Full:
            self.end(kind)

    def end(self, kind: DropKind) -> None:
        """End the connection now, or silence it; nothing queued is sent any more."""
        if kind is DropKind.STALL:
            self._socket.stalled = True
            return
        self._stop()
        match kind:
            case DropKind.RESET:
                reset(self._socket)
            case DropKind.EOF | DropKind.HEARTBEAT_CLOSE | DropKind.CLOSE:
                cut(self._socket)
            case _:
                assert_never(kind)

    def publish(self, events: tuple[Event, ...]) -> None:
        """Send the notifications these events cause on the channels of this connection."""
        now = self._venue.now_millis()
        for event in events:
            for name in tuple(self.state.subscriptions):
                channel = parse_channel(name)
                if channel is not None:
                    for data in payloads(channel, event, self._venue.engine, self.state.user_id, now):
                        self._notify(name, data)

    def _handle(self, text: str | bytes) -> None:
        with self._venue.lock:
            handled = handle_frame(self._venue, self.state, text)
            if handled.late is not None:
                self._hub.apply_later(self.state, handled.late)
            self._carry_out(handled)
            self._venue.lock.notify_all()

    def _carry_out(self, handled: Handled) -> None:
        if handled.events_first:
            self._hub.publish(handled.events)
        if handled.drop is not None and handled.reply is None:
            # The reply must never be sent, so the end comes before anything else could be.
            if handled.drop in (DropKind.CLOSE, DropKind.HEARTBEAT_CLOSE):
                self.drop(handled.drop)
            else:
                self.end(handled.drop)
        elif handled.reply is not None and handled.delay_millis > 0:
            late = handled.reply
            self._hub.scheduler.after(handled.delay_millis / 1_000, lambda: self.deliver(late))
        elif handled.reply is not None:
            self.deliver(handled.reply)
        if handled.drop is not None and handled.reply is not None:
            self.drop(handled.drop)
        self._after_reply()
        if not handled.events_first:
            self._hub.publish(handled.events)

    def _after_reply(self) -> None:
        for name in self.state.fresh_channels:
            channel = parse_channel(name)
            if channel is not None and channel.topic in ("ticker", "quote") and channel.instrument is not None:
                engine, now = self._venue.engine, self._venue.now_millis()
                for data in market_payloads(channel, channel.instrument, engine, now):
                    self._notify(name, data)
        self.state.fresh_channels.clear()
        if self.state.heartbeat_changed:
            self.state.heartbeat_changed = False
            self._plan_heartbeat()

    def _notify(self, channel: str, data: Json) -> None:
        body: Json = {"jsonrpc": "2.0", "method": "subscription", "params": {"channel": channel, "data": data}}
        self.deliver(encode(body))

    def _plan_heartbeat(self) -> None:
        if self._heartbeat is not None:
            self._heartbeat.cancel()
        seconds = self.state.heartbeat_seconds
        if seconds is not None and not self._over:
            self._heartbeat = self._hub.scheduler.after(seconds * self._venue.config.heartbeat_scale, self._beat)

    def _beat(self) -> None:
        with self._venue.lock:
            if self._over or self._socket.stalled or self.state.heartbeat_seconds is None:
                return
            if self.state.test_request_open:
                self.drop(DropKind.HEARTBEAT_CLOSE)
                return
            if not self._sent_since_beat:
                self._send_heartbeat("heartbeat")
            self._send_heartbeat("test_request")
            self._sent_since_beat = False
            self.state.test_request_open = True
            self._plan_heartbeat()

    def _send_heartbeat(self, kind: str) -> None:
        self.deliver(encode({"jsonrpc": "2.0", "method": "heartbeat", "params": {"type": kind}}))

    def _write(self) -> None:
        try:
            while not self._over:
                item = self._outbox.get()
                match item:
                    case DropKind.HEARTBEAT_CLOSE:
                        self._socket.close(4000, "heartbeat close")
                        return
                    case DropKind.CLOSE:
                        self._socket.close(1001, "going away")
                        return
                    case DropKind():
                        self.end(item)
                    case text if not self._over:
                        self._socket.send(text)
        except ConnectionClosed:
            logger.debug("connection %d closed while sending", self.state.connection_id)

    def _stop(self) -> None:
        self._over = True
        if self._heartbeat is not None:
            self._heartbeat.cancel()
        # The marker wakes a writer that waits for work, so that it sees the end.
        while True:
            try:
                self._outbox.get_nowait()
            except queue.Empty:
                break
        try:
            self._outbox.put_nowait(DropKind.EOF)
        except queue.Full:
            logger.debug("the writer has other work to wake it")
