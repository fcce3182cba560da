"""Greeting, authentication, heartbeats, subscriptions and bad input, over a real socket."""

import hashlib
import hmac

import pytest
from websockets.exceptions import InvalidStatus

from deribit_example.exchange import ExchangeConfig, ManualClock, SimulatedExchange
from deribit_example.exchange.call import Call, Method
from deribit_example.exchange.methods import METHODS
from deribit_example.exchange.probe import Probe, ProbeError
from deribit_example.exchange.wire import Json, as_object, decode


def test_replies_carry_server_times_and_the_testnet_mark(stranger: Probe) -> None:
    reply = stranger.reply(stranger.send("public/hello", client_name="test", client_version="1"))
    assert reply["jsonrpc"] == "2.0"
    assert as_object(reply["result"])["version"] == "1.2.26"
    assert reply["testnet"] is True
    assert reply["usIn"] == 1_790_000_000_000_000
    assert reply["usDiff"] == 0


def test_public_test_answers_or_fails_on_demand(stranger: Probe) -> None:
    assert "version" in stranger.get("public/test")
    assert stranger.code("public/test", expected_result="exception") == 11094


def test_time_and_status_are_public(stranger: Probe) -> None:
    assert stranger.call("public/get_time") == 1_790_000_000_000
    assert "locked" in stranger.get("public/status")


def test_credentials_open_a_connection_scope(stranger: Probe) -> None:
    grant = stranger.login()
    assert grant["token_type"] == "bearer"
    assert grant["expires_in"] == 900
    assert "connection" in str(grant["scope"]).split()
    assert stranger.list("private/get_open_orders_by_currency", currency="BTC") == ()


def test_wrong_credentials_are_refused(stranger: Probe) -> None:
    code = stranger.code("public/auth", grant_type="client_credentials", client_id="simKey01", client_secret="no")
    assert code == 13004
    assert stranger.code("private/get_position", instrument_name="BTC-PERPETUAL") == 13009


def test_a_signature_opens_a_session(stranger: Probe) -> None:
    text = b"1790000000000\nabc\nmore"
    signature = hmac.new(b"simSecret01", text, hashlib.sha256).hexdigest()
    grant = stranger.get(
        "public/auth",
        grant_type="client_signature",
        client_id="simKey01",
        timestamp=1_790_000_000_000,
        nonce="abc",
        data="more",
        signature=signature,
        state="echo",
    )
    assert grant["state"] == "echo"


def test_a_wrong_signature_is_refused(stranger: Probe) -> None:
    code = stranger.code(
        "public/auth", grant_type="client_signature", client_id="simKey01", timestamp=1, nonce="", signature="00"
    )
    assert code == 13004


def test_a_token_runs_out_and_is_renewed_once(stranger: Probe, clock: ManualClock) -> None:
    grant = stranger.login("session:demo")
    clock.advance_millis(900_000)
    assert stranger.code("private/get_position", instrument_name="BTC-PERPETUAL") == 13009
    renewed = stranger.get("public/auth", grant_type="refresh_token", refresh_token=grant["refresh_token"])
    assert renewed["access_token"] != grant["access_token"]
    stranger.get("private/get_position", instrument_name="BTC-PERPETUAL")
    assert stranger.code("public/auth", grant_type="refresh_token", refresh_token=grant["refresh_token"]) == 13009


def test_a_connection_token_dies_with_its_socket_and_a_session_token_does_not(exchange: SimulatedExchange) -> None:
    with Probe(exchange.url) as first:
        bound = first.login("connection")["access_token"]
        free = first.login("session:demo")["access_token"]
    exchange.wait_for(lambda seen: seen.connection_count == 0)
    with Probe(exchange.url) as second:
        assert second.code("private/get_position", instrument_name="BTC-PERPETUAL", access_token=bound) == 13009
        second.get("private/get_position", instrument_name="BTC-PERPETUAL", access_token=free)


def test_a_read_only_scope_may_not_trade(stranger: Probe) -> None:
    stranger.login("session:reader trade:read account:read")
    stranger.get("private/get_position", instrument_name="BTC-PERPETUAL")
    assert stranger.code("private/buy", instrument_name="BTC-PERPETUAL", amount=10, price=80_000) == 13021


def test_a_seventeenth_session_evicts_the_oldest(stranger: Probe) -> None:
    first = stranger.login("session:s0")["access_token"]
    for number in range(1, 17):
        stranger.login(f"session:s{number}")
    assert stranger.code("private/get_position", instrument_name="BTC-PERPETUAL", access_token=first) == 13009


def test_logout_closes_without_a_reply(trader: Probe) -> None:
    trader.send("private/logout")
    end = trader.closed()
    assert trader.unread == []
    assert end.rcvd is not None


def test_an_answered_test_request_keeps_the_connection(stranger: Probe) -> None:
    assert stranger.call("public/set_heartbeat", interval=10) == "ok"
    for _ in range(3):
        beat = stranger.until(lambda frame: frame.get("params") == {"type": "test_request"})
        assert beat["method"] == "heartbeat"
        stranger.call("public/test")
    assert stranger.call("public/disable_heartbeat") == "ok"


def test_an_unanswered_test_request_closes_with_4000(stranger: Probe) -> None:
    stranger.call("public/set_heartbeat", interval=10)
    end = stranger.closed()
    assert end.rcvd is not None
    assert (end.rcvd.code, end.rcvd.reason) == (4000, "heartbeat close")
    kinds = [as_object(frame["params"])["type"] for frame in stranger.unread]
    assert "test_request" in kinds


def test_a_heartbeat_interval_below_ten_is_refused(stranger: Probe) -> None:
    assert stranger.code("public/set_heartbeat", interval=5) == -32602


def test_an_unknown_channel_is_silently_missing_from_the_acknowledgement(trader: Probe) -> None:
    wanted = ["ticker.BTC-PERPETUAL.100ms", "ticker.NO-SUCH.100ms", "nonsense", "user.orders.BTC-PERPETUAL.raw"]
    assert trader.call("private/subscribe", channels=wanted) == [wanted[0], wanted[3]]


def test_private_channels_need_authentication(stranger: Probe) -> None:
    assert stranger.call("public/subscribe", channels=["user.orders.any.any.raw"]) == []
    assert stranger.code("private/subscribe", channels=["user.orders.any.any.raw"]) == 13009
    assert stranger.code("public/subscribe", channels=["ticker.BTC-PERPETUAL.raw"]) == 13778


def test_a_ticker_is_told_at_once_and_after_every_change(stranger: Probe, exchange: SimulatedExchange) -> None:
    stranger.call("public/subscribe", channels=["ticker.BTC-PERPETUAL.100ms"])
    first = as_object(stranger.event("ticker.BTC"))
    assert (first["best_bid_price"], first["best_ask_price"]) == (84199.5, 84200)
    exchange.set_price("BTC-PERPETUAL", 85_000)
    assert as_object(stranger.event("ticker.BTC"))["mark_price"] == 85_000
    assert stranger.call("public/unsubscribe", channels=["ticker.BTC-PERPETUAL.100ms"]) != []


def test_the_market_moves_by_itself_when_it_may() -> None:
    config = ExchangeConfig(market_interval_millis=5)
    with SimulatedExchange(seed=7, config=config) as exchange, Probe(exchange.url) as probe:
        probe.call("public/subscribe", channels=["ticker.BTC-PERPETUAL.100ms"])
        marks = {str(as_object(probe.event("ticker"))["mark_price"]) for _ in range(20)}
    assert len(marks) > 5


def test_bad_json_gets_11050_and_the_socket_stays_open(stranger: Probe) -> None:
    stranger.socket.send("{nonsense")
    reply = as_object(decode(stranger.socket.recv(timeout=5)))
    assert as_object(reply["error"])["code"] == 11050
    assert as_object(reply["error"])["data"] == "invalid json"
    assert "id" not in reply
    stranger.call("public/test")


@pytest.mark.parametrize("text", ["[]", "null", '"x"', '{"id":1}', '{"id":1,"method":7}', '{"id":NaN}'])
def test_frames_that_are_not_requests_are_refused(stranger: Probe, text: str) -> None:
    stranger.socket.send(text)
    reply = as_object(decode(stranger.socket.recv(timeout=5)))
    assert as_object(reply["error"])["code"] == 11050
    stranger.call("public/test")


def test_deeply_nested_json_harms_nobody(stranger: Probe) -> None:
    stranger.socket.send("[" * 30_000)
    assert "error" in as_object(decode(stranger.socket.recv(timeout=5)))
    stranger.call("public/test")


def test_a_frame_over_32_kilobytes_is_refused(stranger: Probe) -> None:
    stranger.socket.send('{"id":1,"method":"public/test","params":{"x":"' + "y" * 33_000 + '"}}')
    reply = as_object(decode(stranger.socket.recv(timeout=5)))
    assert as_object(reply["error"])["code"] == -32600
    stranger.call("public/test")


def test_unknown_methods_and_wrong_params_have_their_codes(trader: Probe) -> None:
    assert trader.code("public/no_such_thing") == -32601
    assert trader.code("public/ticker") == -32602
    assert trader.code("public/ticker", instrument_name="NO-SUCH") == 13020
    assert trader.code("private/buy", instrument_name="BTC-PERPETUAL", amount="ten", price=1) == -32602
    assert trader.code("private/buy", instrument_name="BTC-PERPETUAL", amount=True, price=1) == -32602


def test_a_request_without_an_id_is_answered_without_one(stranger: Probe) -> None:
    stranger.socket.send('{"jsonrpc":"2.0","method":"public/get_time"}')
    reply = as_object(decode(stranger.socket.recv(timeout=5)))
    assert reply["result"] == 1_790_000_000_000
    assert "id" not in reply


def test_the_thirty_third_connection_is_answered_with_429(clock: ManualClock) -> None:
    config = ExchangeConfig(clock=clock, market_interval_millis=0, max_connections_per_address=1)
    with SimulatedExchange(config=config) as exchange, Probe(exchange.url):
        exchange.wait_for(lambda seen: seen.connection_count == 1)
        with pytest.raises(InvalidStatus, match="429"):
            Probe(exchange.url)


def test_another_path_is_not_found(exchange: SimulatedExchange) -> None:
    with pytest.raises(InvalidStatus, match="404"):
        Probe(exchange.url + "/other")


def test_a_failing_handler_is_an_internal_error_and_harms_nobody(
    stranger: Probe, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(call: Call) -> Json:
        raise ZeroDivisionError("a bug")

    monkeypatch.setitem(METHODS, "public/ticker", Method(broken))
    assert stranger.code("public/ticker", instrument_name="BTC-PERPETUAL") == 11094
    assert "the handler of public/ticker failed" in caplog.text
    stranger.call("public/test")


def test_errors_of_requests_show_their_data(trader: Probe) -> None:
    with pytest.raises(ProbeError) as caught:
        trader.call("private/buy", instrument_name="BTC-PERPETUAL", amount=15, price=80_000)
    assert caught.value.error["data"] == {"param": "amount", "reason": "must be a multiple of contract size"}
    with pytest.raises(ProbeError) as caught:
        trader.call("private/buy", instrument_name="BTC-PERPETUAL", amount=10, price=80_000.3)
    assert caught.value.error["data"] == {"param": "price", "reason": "must conform to tick size"}
