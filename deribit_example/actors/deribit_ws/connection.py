"""One socket, one reader thread, no actor: it dials, reads until the end, and tells a sink what happens.

The reader never waits for anybody else, so a `test_request` is answered in time however busy the actor is. A send
is bounded by the socket timeout: a peer that stops reading cannot hang us. A send that returns proves nothing about
delivery.
"""

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable
from typing import Final, Protocol, final

from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect

from deribit_example.actors.deribit_ws.config import DeribitConfig
from deribit_example.actors.deribit_ws.errors import BadReply
from deribit_example.actors.deribit_ws.rpc import Frame, Heartbeat, Params, decode_frame, encode_request

HEARTBEAT_REPLY_ID: Final = 0
"""Id of our answers to test requests; requests of the actor count from 1, so their replies never mix."""
_MAX_QUEUED_FRAMES: Final = 1_024
_CLOSE_TIMEOUT_SECONDS: Final = 1.0

# The library logs whole frames at DEBUG, with secrets and tokens in them: this logger never goes below INFO.
_wire_logger = logging.getLogger("deribit_example.deribit_ws.wire")
_wire_logger.setLevel(logging.INFO)


class ConnectionSink(Protocol):
    """Who hears of the connection; called on the reader thread."""

    def opened(self, connection: "Connection") -> None:
        """The socket is open."""
        ...

    def frame(self, frame: Frame, at_millis: int) -> None:
        """A frame came (local wall clock)."""
        ...

    def unreadable(self, problem: str) -> None:
        """Something came that is not a frame."""
        ...

    def lost(self, reason: str, code: int | None) -> None:
        """The end, exactly once, also when the socket never opened."""
        ...


@final
class Connection:
    """A connection attempt and what becomes of it."""

    def __init__(self, config: DeribitConfig, sink: ConnectionSink) -> None:
        self._config = config
        self._sink = sink
        self._websocket: ClientConnection | None = None
        self._guard = threading.Lock()
        self._closing = False
        self._abort_reason: str | None = None
        self._thread = threading.Thread(target=self._run, name="deribit-ws-reader", daemon=True)

    def start(self) -> None:
        """Dial and read in the background."""
        self._thread.start()

    def send(self, request_id: int, method: str, params: Params) -> None:
        """Send one request; may block up to the send timeout.

        Raises:
            OSError, WebSocketException: it may or may not have been sent.
        """
        websocket = self._websocket
        if websocket is None:
            raise ConnectionError("the socket is not open")
        websocket.send(encode_request(request_id, method, params))

    def abort(self, reason: str) -> None:
        """Give the socket up at once, without a closing handshake; `reason` is what the sink hears."""
        with self._guard:
            self._closing = True
            if self._abort_reason is None:
                self._abort_reason = reason
            websocket = self._websocket
        if websocket is not None:
            # Already gone is what we want; every other call could wait for a peer that is not there.
            with contextlib.suppress(OSError):
                websocket.socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close politely (takes up to a second if the peer does not answer), then wait for the reader."""
        with self._guard:
            self._closing = True
            websocket = self._websocket
        if websocket is not None:
            websocket.close()
        if self._thread is not threading.current_thread() and self._thread.is_alive():
            self._thread.join(timeout=_CLOSE_TIMEOUT_SECONDS)

    def _run(self) -> None:
        reason, code = "closed", None
        try:
            reason, code = self._dial_and_read()
        except InvalidStatus as error:
            reason = f"the exchange answered the connection request with HTTP {error.response.status_code}"
        except TimeoutError:
            reason = f"no connection within {self._config.open_timeout_millis} ms"
        except (OSError, WebSocketException) as error:
            reason = f"{type(error).__name__}: {error}"
        finally:
            self._sink.lost(self._abort_reason or reason, code)

    def _dial_and_read(self) -> tuple[str, int | None]:
        with connect(
            self._config.url,
            open_timeout=self._config.open_timeout_millis / 1_000,
            close_timeout=_CLOSE_TIMEOUT_SECONDS,
            max_queue=_MAX_QUEUED_FRAMES,
            compression=None,
            proxy=None if _is_loopback(self._config.url) else True,
            logger=_wire_logger,
        ) as websocket:
            websocket.socket.settimeout(self._config.send_timeout_millis / 1_000)
            with self._guard:
                if self._closing:
                    return "closed", None
                self._websocket = websocket
            self._sink.opened(self)
            return self._read(websocket)

    def _read(self, websocket: ClientConnection) -> tuple[str, int | None]:
        silence = self._config.allowed_silence_millis
        while True:
            try:
                text = websocket.recv(timeout=silence / 1_000)
            except TimeoutError:
                self.abort(f"no frame for {silence} ms")
                return f"no frame for {silence} ms", None
            except ConnectionClosed as closed:
                if closed.rcvd is None:
                    cause = closed.__cause__
                    return f"the connection broke ({cause or 'no closing frame'})", None
                return closed.rcvd.reason or f"closed with {closed.rcvd.code}", closed.rcvd.code
            self._handle(text)

    def _handle(self, text: str | bytes) -> None:
        try:
            frame = decode_frame(text)
        except BadReply as error:
            self._sink.unreadable(error.problem)
            return
        match frame:
            case Heartbeat(kind="test_request"):
                # A failed answer shows as a closed socket at the next read.
                with contextlib.suppress(OSError, WebSocketException):
                    self.send(HEARTBEAT_REPLY_ID, "public/test", {})
            case Heartbeat():
                pass
            case _:
                self._sink.frame(frame, now_millis())


def now_millis() -> int:
    """Local wall clock in milliseconds."""
    return time.time_ns() // 1_000_000


def _is_loopback(url: str) -> bool:
    host: Callable[[str], bool] = url.split("://", 1)[-1].startswith
    return host("127.0.0.1") or host("localhost") or host("[::1]")
