"""The actor against a scripted server, for what an honest exchange does not do on demand."""

import contextlib
import json
import queue
import threading
from collections.abc import Iterator
from decimal import Decimal
from typing import final

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from deribit_example.actors.deribit_ws import (
    BadReply,
    Credentials,
    DeribitClient,
    DeribitConfig,
    DeribitWSActor,
    NewOrder,
    OutcomeUnknown,
    RequestRefused,
    Secret,
    Ticker,
)

TICK = {"instrument_name": "I", "mark_price": 1.5, "timestamp": 1}


@final
class ScriptedServer:
    """Answers from a table of results; everything it receives can be waited for."""

    def __init__(self) -> None:
        self.results: dict[str, object] = {
            "public/auth": {"access_token": "t", "expires_in": 900},
            "public/set_heartbeat": "ok",
        }
        self.errors: dict[str, int] = {}
        self.received: queue.SimpleQueue[dict[str, object]] = queue.SimpleQueue()
        self.sockets: queue.SimpleQueue[ServerConnection] = queue.SimpleQueue()
        self._server = serve(self._handle, "127.0.0.1", 0, compression=None)
        self.url = f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def next_of(self, method: str) -> dict[str, object]:
        while True:
            frame = self.received.get(timeout=10)
            if frame["method"] == method:
                return frame

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join(timeout=10)

    def _handle(self, socket: ServerConnection) -> None:
        self.sockets.put(socket)
        with contextlib.suppress(ConnectionClosed):
            for text in socket:
                frame = json.loads(text)
                self.received.put(frame)
                method = frame["method"]
                if method.endswith("/subscribe"):
                    self._reply(socket, frame["id"], frame["params"]["channels"])
                elif method in self.errors:
                    error = {"code": self.errors[method], "message": "scripted"}
                    socket.send(json.dumps({"jsonrpc": "2.0", "id": frame["id"], "error": error}))
                elif method in self.results:
                    self._reply(socket, frame["id"], self.results[method])

    @staticmethod
    def _reply(socket: ServerConnection, request_id: object, result: object) -> None:
        socket.send(json.dumps({"jsonrpc": "2.0", "id": request_id, "result": result}))


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    running = ScriptedServer()
    yield running
    running.close()


@pytest.fixture
def client(server: ScriptedServer) -> Iterator[DeribitClient]:
    config = DeribitConfig(
        url=server.url,
        credentials=Credentials(client_id="i", client_secret=Secret("s")),
        backoff_initial_millis=5,
        backoff_max_millis=20,
    )
    ref = DeribitWSActor.start(config)
    yield DeribitClient(ref)
    ref.stop(timeout=10)


def test_a_test_request_is_answered_while_the_actor_is_busy(server: ScriptedServer, client: DeribitClient) -> None:
    client.wait_until_ready(10_000)
    busy, release = threading.Event(), threading.Event()

    def block(ticker: Ticker) -> None:
        busy.set()
        release.wait(10)

    client.watch_ticker("I", block)
    socket = server.sockets.get(timeout=10)
    notification = {"method": "subscription", "params": {"channel": "ticker.I.100ms", "data": TICK}}
    socket.send(json.dumps(notification))
    assert busy.wait(10)
    socket.send('{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"test_request"}}')
    assert server.next_of("public/test")["id"] == 0
    release.set()


def test_the_token_is_renewed_before_it_ends(server: ScriptedServer, client: DeribitClient) -> None:
    server.results["public/auth"] = {"access_token": "t", "expires_in": 0.01}
    client.wait_until_ready(10_000)
    for _ in range(3):
        assert server.next_of("public/auth")["params"] == {
            "grant_type": "client_credentials",
            "client_id": "i",
            "client_secret": "s",
        }
    assert client.get_status().reconnects == 0


def test_frames_that_make_no_sense_are_survived_and_shown_in_the_status(
    server: ScriptedServer, client: DeribitClient
) -> None:
    client.wait_until_ready(10_000)
    client.watch_ticker("I", lambda ticker: None)
    socket = server.sockets.get(timeout=10)
    for text in ("no json", "[]", '{"id":77,"result":1}', '{"error":{"code":11050,"message":"bad_request"}}'):
        socket.send(text)
    socket.send('{"method":"subscription","params":{"channel":"ticker.I.100ms","data":{}}}')
    server.results["public/ticker"] = TICK
    assert client.get_ticker("I").mark_price == Decimal("1.5")
    status = client.get_status()
    assert status.connected
    assert "instrument_name" in (status.last_error or "")


def test_an_answer_without_the_documented_shape_is_a_bad_reply_to_a_query_but_an_unknown_outcome_to_an_order(
    server: ScriptedServer, client: DeribitClient
) -> None:
    client.wait_until_ready(10_000)
    server.results["public/ticker"] = []
    server.results["private/buy"] = {"order": {"order_id": "1"}}
    with pytest.raises(BadReply):
        client.get_ticker("I")
    order = NewOrder(instrument="I", direction="buy", amount=Decimal(1), order_type="market", label="l")
    with pytest.raises(OutcomeUnknown, match="succeeded"):
        client.place_order(order)


def test_a_request_that_stays_unauthorized_is_sent_twice_at_most(server: ScriptedServer, client: DeribitClient) -> None:
    client.wait_until_ready(10_000)
    server.errors["private/cancel"] = 13009
    with pytest.raises(RequestRefused) as caught:
        client.cancel_order("7")
    assert caught.value.code == 13009
    methods = []
    while not server.received.empty():
        methods.append(server.received.get()["method"])
    assert methods.count("private/cancel") == 2
    assert methods.count("public/auth") == 2


def test_a_renewal_that_fails_is_tried_again_and_the_session_stays(
    server: ScriptedServer, client: DeribitClient
) -> None:
    server.results["public/auth"] = {"access_token": "t", "expires_in": 0.01}
    client.wait_until_ready(10_000)
    server.errors["public/auth"] = 11094
    for _ in range(4):
        server.next_of("public/auth")
    status = client.get_status()
    assert (status.connected, status.reconnects) == (True, 0)


def test_a_channel_wanted_during_the_handshake_is_subscribed_before_the_session_is_ready(
    server: ScriptedServer, client: DeribitClient
) -> None:
    client.watch_ticker("I", lambda ticker: None)
    client.wait_until_ready(10_000)
    params = server.next_of("private/subscribe")["params"]
    assert params == {"channels": ["ticker.I.100ms"]}


def test_without_server_times_in_replies_the_time_is_asked_for(server: ScriptedServer, client: DeribitClient) -> None:
    client.wait_until_ready(10_000)
    assert server.next_of("public/get_time")["params"] == {}
