"""A bare client for tests of the exchange: one request, one answer, and everything else kept in order of arrival."""

from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Self, final

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from deribit_example.exchange.wire import Json, JsonObject, as_list, as_object, decode, encode


@final
class ProbeError(RuntimeError):
    """The exchange answered with an error."""

    def __init__(self, error: JsonObject) -> None:
        self.error = error
        self.code = error.get("code")
        super().__init__(str(dict(error)))


@final
class Probe:
    """One connection, used by one thread. Nothing is answered by itself, not even a test request."""

    def __init__(self, url: str, *, timeout: float = 5.0) -> None:
        self._timeout = timeout
        self._stack = ExitStack()
        self.socket: ClientConnection = self._stack.enter_context(
            connect(url, compression=None, proxy=None, ping_interval=None, open_timeout=timeout, close_timeout=1)
        )
        self._next_id = 0
        self.unread: list[JsonObject] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def send(self, method: str, **params: Json) -> int:
        """Send a request and return its id."""
        self._next_id += 1
        self.socket.send(encode({"jsonrpc": "2.0", "id": self._next_id, "method": method, "params": params}))
        return self._next_id

    def reply(self, request_id: int) -> JsonObject:
        """The whole reply to a request; raises TimeoutError, ConnectionClosed."""
        return self.until(lambda frame: frame.get("id") == request_id)

    def call(self, method: str, **params: Json) -> Json:
        """The result of a request; raises ProbeError."""
        body = self.reply(self.send(method, **params))
        if "error" in body:
            raise ProbeError(as_object(body["error"]))
        return body["result"]

    def get(self, method: str, **params: Json) -> JsonObject:
        """A result that is an object."""
        return as_object(self.call(method, **params))

    def list(self, method: str, **params: Json) -> tuple[JsonObject, ...]:
        """A result that is a list of objects."""
        return tuple(as_object(item) for item in as_list(self.call(method, **params)))

    def code(self, method: str, **params: Json) -> Json:
        """The error code of a request that must fail."""
        return as_object(self.reply(self.send(method, **params))["error"])["code"]

    def login(self, scope: str = "connection") -> JsonObject:
        """Authenticate with the default key."""
        return self.get(
            "public/auth",
            grant_type="client_credentials",
            client_id="simKey01",
            client_secret="simSecret01",
            scope=scope,
        )

    def until(self, wanted: Callable[[JsonObject], bool]) -> JsonObject:
        """The first frame that is wanted, kept ones first; raises TimeoutError, ConnectionClosed."""
        for index, frame in enumerate(self.unread):
            if wanted(frame):
                return self.unread.pop(index)
        while True:
            frame = as_object(decode(self.socket.recv(timeout=self._timeout)))
            if wanted(frame):
                return frame
            self.unread.append(frame)

    def event(self, channel_prefix: str) -> Json:
        """The data of the next notification on a channel."""
        frame = self.until(lambda frame: _channel(frame).startswith(channel_prefix))
        return as_object(frame["params"])["data"]

    def closed(self) -> ConnectionClosed:
        """Read until the connection ends and say how; raises TimeoutError."""
        try:
            while True:
                self.unread.append(as_object(decode(self.socket.recv(timeout=self._timeout))))
        except ConnectionClosed as end:
            return end


def _channel(frame: JsonObject) -> str:
    params = frame.get("params")
    if frame.get("method") != "subscription" or params is None:
        return ""
    return str(as_object(params).get("channel"))
