"""The actor against the simulated exchange: orders, faults, reconnects."""

import logging
import queue
from concurrent.futures import Future
from decimal import Decimal

import pykka
import pytest
from attrs import evolve

from deribit_example.actors.deribit_ws import (
    BadCredentials,
    ConnectionEvent,
    Credentials,
    DeribitClient,
    DeribitConfig,
    DeribitWSActor,
    Disconnected,
    ExchangeUnreachable,
    GetTicker,
    NewOrder,
    NotConnected,
    OrderSnapshot,
    OutcomeUnknown,
    PlaceOrder,
    Reconnected,
    RequestRefused,
    RequestThrottled,
    Secret,
    SubscriptionMissing,
    SubscriptionRefused,
    Ticker,
)
from deribit_example.exchange import FaultName, SimulatedExchange

BTC = "BTC-PERPETUAL"


def resting(client: DeribitClient, label: str = "l-1", valid_until_millis: int | None = None) -> NewOrder:
    """A buy order at the lowest price that the exchange accepts."""
    ticker = client.get_ticker(BTC)
    assert ticker.best_bid_price is not None
    price = ticker.best_bid_price - 100
    return NewOrder(
        instrument=BTC,
        direction="buy",
        amount=Decimal(40),
        price=price,
        label=label,
        valid_until_millis=valid_until_millis,
    )


def marketable(label: str = "l-1") -> NewOrder:
    return NewOrder(instrument=BTC, direction="buy", amount=Decimal(10), order_type="market", label=label)


def next_of(events: "queue.SimpleQueue[ConnectionEvent]", kind: type[ConnectionEvent]) -> ConnectionEvent:
    while True:
        event = events.get(timeout=10)
        if isinstance(event, kind):
            return event


def watched(client: DeribitClient) -> "queue.SimpleQueue[ConnectionEvent]":
    events: queue.SimpleQueue[ConnectionEvent] = queue.SimpleQueue()
    client.watch_connection(events.put)
    return events


def test_an_order_rests_is_found_by_id_and_label_and_is_cancelled(client: DeribitClient) -> None:
    order = resting(client)
    placed = client.place_order(order)
    assert (placed.state, placed.price, placed.label, placed.amount) == ("open", order.price, "l-1", Decimal(40))
    assert client.get_order_state(placed.order_id).state == "open"
    assert [found.order_id for found in client.get_order_state_by_label("BTC", "l-1")] == [placed.order_id]
    cancelled = client.cancel_order(placed.order_id)
    assert (cancelled.state, cancelled.cancel_reason) == ("cancelled", "user_request")
    with pytest.raises(RequestRefused) as caught:
        client.cancel_order(placed.order_id)
    assert caught.value.code == 11044
    assert placed.order_id in [old.order_id for old in client.get_order_history(BTC)]


def test_instrument_and_limits_are_read(client: DeribitClient) -> None:
    instrument = client.get_instrument(BTC)
    assert (instrument.tick_size, instrument.contract_size) == (Decimal("0.5"), Decimal(10))
    assert client.get_account_limits().matching_engine is not None


def test_a_listener_hears_of_each_change_of_an_order_once(client: DeribitClient, exchange: SimulatedExchange) -> None:
    heard: queue.SimpleQueue[OrderSnapshot] = queue.SimpleQueue()
    client.watch_orders(BTC, heard.put)
    exchange.faults.arm(FaultName.DUPLICATE_USER_ORDER_EVENT, count=None)
    exchange.faults.arm(FaultName.EVENT_BEFORE_REPLY, count=None)
    placed = client.place_order(resting(client))
    exchange.fill_order("l-1", Decimal(10))
    exchange.fill_order("l-1")
    states = [(order.state, order.filled_amount) for order in (heard.get(timeout=10) for _ in range(3))]
    assert states == [("open", Decimal(0)), ("open", Decimal(10)), ("filled", Decimal(40))]
    assert client.get_order_state(placed.order_id).state == "filled"
    assert heard.empty()


def test_ticks_arrive_and_a_listener_that_raises_harms_nobody_else(
    client: DeribitClient, exchange: SimulatedExchange
) -> None:
    heard: queue.SimpleQueue[Ticker] = queue.SimpleQueue()

    def broken(ticker: Ticker) -> None:
        raise RuntimeError("listener")

    client.watch_ticker(BTC, broken)
    client.watch_ticker(BTC, heard.put)
    exchange.step_market()
    assert heard.get(timeout=10).instrument == BTC


def test_an_order_off_the_tick_is_refused(client: DeribitClient) -> None:
    with pytest.raises(RequestRefused) as caught:
        client.place_order(evolve(resting(client), price=Decimal("50000.3")))
    assert caught.value.code == -32602


def test_a_socket_lost_after_the_order_was_taken_leaves_the_outcome_unknown(
    client: DeribitClient, exchange: SimulatedExchange
) -> None:
    order = resting(client)
    exchange.faults.arm(FaultName.APPLY_THEN_DROP)
    with pytest.raises(OutcomeUnknown):
        client.place_order(order)
    found = client.get_order_state_by_label("BTC", "l-1", wait_for_connection=True)
    assert [order.state for order in found] == ["open"]
    assert len(exchange.orders()) == 1


def test_a_socket_lost_before_the_order_was_taken_looks_the_same_until_one_asks(
    client: DeribitClient, exchange: SimulatedExchange
) -> None:
    order = resting(client)
    exchange.faults.arm(FaultName.DROP_BEFORE_APPLY)
    with pytest.raises(OutcomeUnknown):
        client.place_order(order)
    assert client.get_order_state_by_label("BTC", "l-1", wait_for_connection=True) == ()


def test_a_reply_that_is_late_leaves_the_outcome_unknown_and_the_session_up(
    client: DeribitClient, exchange: SimulatedExchange
) -> None:
    order = resting(client)
    exchange.faults.arm(FaultName.DELAY_REPLY, millis=600)
    with pytest.raises(OutcomeUnknown, match="not answered in time"):
        client.place_order(order, timeout_millis=100)
    assert client.get_status().connected


def test_an_expired_token_is_renewed_and_the_order_is_placed_once(
    client: DeribitClient, exchange: SimulatedExchange
) -> None:
    order = resting(client)
    exchange.expire_tokens()
    assert client.place_order(order).state == "open"
    assert len(exchange.orders()) == 1


@pytest.mark.parametrize(
    ("code", "error"), [(13028, OutcomeUnknown), (10041, RequestThrottled), (10009, RequestRefused)]
)
def test_each_class_of_error_is_told_apart(
    client: DeribitClient, exchange: SimulatedExchange, code: int, error: type[Exception]
) -> None:
    order = resting(client)
    exchange.faults.arm(FaultName.ERROR_BEFORE, code=code)
    with pytest.raises(error):
        client.place_order(order)


def test_listeners_are_subscribed_again_after_a_reconnect(client: DeribitClient, exchange: SimulatedExchange) -> None:
    events = watched(client)
    heard: queue.SimpleQueue[OrderSnapshot] = queue.SimpleQueue()
    client.watch_orders(BTC, heard.put)
    exchange.drop_all_connections("heartbeat_close")
    assert next_of(events, Disconnected) == Disconnected(reason="heartbeat close", code=4000)
    assert next_of(events, Reconnected) == Reconnected(reconnects=1)
    client.place_order(resting(client))
    assert heard.get(timeout=10).state == "open"
    assert client.get_status().reconnects == 1


def test_a_channel_the_exchange_does_not_know_is_reported(client: DeribitClient) -> None:
    events = watched(client)
    with pytest.raises(SubscriptionRefused):
        client.watch_ticker("NO-SUCH-THING", lambda ticker: None)
    assert next_of(events, SubscriptionMissing) == SubscriptionMissing(channel="ticker.NO-SUCH-THING.100ms")
    assert client.get_status().connected


def test_a_socket_that_falls_silent_is_given_up(exchange: SimulatedExchange, config: DeribitConfig) -> None:
    ref = DeribitWSActor.start(evolve(config, silence_millis=700))
    client = DeribitClient(ref)
    client.wait_until_ready(10_000)
    events = watched(client)
    exchange.drop_all_connections("stall")
    assert next_of(events, Disconnected) == Disconnected(reason="no frame for 700 ms", code=None)
    next_of(events, Reconnected)
    ref.stop(timeout=10)


def test_a_connection_refused_with_429_is_tried_again(exchange: SimulatedExchange, config: DeribitConfig) -> None:
    exchange.faults.arm(FaultName.REFUSE_CONNECTIONS, count=3, http_status=429)
    ref = DeribitWSActor.start(config)
    DeribitClient(ref).wait_until_ready(10_000)
    assert exchange.stats().connections_refused == 3
    ref.stop(timeout=10)


def test_a_wrong_secret_is_reported_as_such_and_never_shown(
    exchange: SimulatedExchange, config: DeribitConfig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = evolve(config, credentials=Credentials(client_id="simKey01", client_secret=Secret("wrong-hunter2")))
    ref = DeribitWSActor.start(wrong)
    with pytest.raises(BadCredentials, match="DERIBIT_CLIENT_SECRET") as caught:
        DeribitClient(ref).wait_until_ready(10_000)
    ref.stop(timeout=10)
    assert "hunter2" not in caplog.text + str(caught.value) + repr(caught.value)


def test_neither_secret_nor_token_is_logged(
    client: DeribitClient, exchange: SimulatedExchange, config: DeribitConfig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    events = watched(client)
    exchange.drop_all_connections("reset")
    next_of(events, Reconnected)
    ours = [record.getMessage() for record in caplog.records if "exchange" not in record.name.split(".")]
    assert ours
    shown = "\n".join(ours)
    assert config.credentials.client_secret.reveal() not in shown
    assert "access_token" not in shown


def test_an_exchange_that_is_not_there_is_unreachable_and_requests_are_never_sent() -> None:
    nowhere = DeribitConfig(
        url="ws://127.0.0.1:9/ws/api/v2", credentials=Credentials(client_id="i", client_secret=Secret("s"))
    )
    ref = DeribitWSActor.start(nowhere)
    client = DeribitClient(ref)
    with pytest.raises(ExchangeUnreachable, match=r"127\.0\.0\.1:9"):
        client.wait_until_ready(200)
    with pytest.raises(NotConnected):
        client.place_order(marketable())
    with pytest.raises(NotConnected):
        client.place_order(marketable(), timeout_millis=100, wait_for_connection=True)
    ref.stop(timeout=10)
    with pytest.raises(NotConnected):
        client.get_status()


def test_a_deadline_in_local_time_becomes_one_in_the_time_of_the_exchange(
    exchange: SimulatedExchange, config: DeribitConfig
) -> None:
    exchange.faults.arm(FaultName.CLOCK_OFFSET, millis=3_600_000)
    ref = DeribitWSActor.start(config)
    client = DeribitClient(ref)
    client.wait_until_ready(10_000)
    offset = client.get_status().clock_offset_millis
    assert abs(offset - 3_600_000) < 60_000
    local = exchange.now_millis() - 3_600_000
    order = resting(client)
    assert client.place_order(order, local_deadline_millis=local + 60_000).state == "open"
    with pytest.raises(RequestRefused) as caught:
        client.place_order(evolve(order, label="l-2"), local_deadline_millis=local - 60_000)
    assert caught.value.code == 13888
    ref.stop(timeout=10)


def test_stopping_settles_what_waits(
    actor: "pykka.ActorRef[DeribitWSActor]", client: DeribitClient, exchange: SimulatedExchange
) -> None:
    exchange.faults.arm(FaultName.SILENT_STALL)
    waiting: Future[OrderSnapshot] = Future()
    actor.tell(PlaceOrder(order=marketable(), reply=waiting))
    exchange.wait_for(lambda ex: ex.faults.fired(FaultName.SILENT_STALL) == 1)
    actor.stop(timeout=10)
    with pytest.raises(OutcomeUnknown):
        waiting.result(timeout=10)


def test_a_caller_that_gave_up_does_not_disturb_the_actor(
    actor: "pykka.ActorRef[DeribitWSActor]", client: DeribitClient
) -> None:
    command = GetTicker(name=BTC)
    command.reply.cancel()
    actor.tell(command)
    assert client.get_ticker(BTC).instrument == BTC


def test_the_inbox_is_the_fast_one(actor: "pykka.ActorRef[DeribitWSActor]") -> None:
    assert isinstance(actor.actor_inbox, queue.SimpleQueue)
