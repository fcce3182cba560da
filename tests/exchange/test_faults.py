"""Every fault switch does what its name says, as often and for whom it was armed."""

import time
from decimal import Decimal

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from deribit_example.exchange import DropKind, FaultName, ManualClock, RpcError, SimulatedExchange
from deribit_example.exchange.probe import Probe
from deribit_example.exchange.wire import Json, JsonObject, as_object

BTC = "BTC-PERPETUAL"
REST: dict[str, Json] = {"instrument_name": BTC, "amount": 40, "price": 84_000}
TAKE: dict[str, Json] = {"instrument_name": BTC, "amount": 40, "price": 84_200}


def states(exchange: SimulatedExchange) -> list[tuple[str, str, Decimal]]:
    return [(order.label, order.order_state, order.filled_amount) for order in exchange.orders()]


def order_of(result: JsonObject) -> JsonObject:
    return as_object(result["order"])


@pytest.mark.parametrize("kind", [DropKind.RESET, DropKind.EOF])
def test_drop_before_apply_leaves_no_order(exchange: SimulatedExchange, trader: Probe, kind: DropKind) -> None:
    exchange.faults.arm(FaultName.DROP_BEFORE_APPLY, kind=kind)
    trader.send("private/buy", **REST)
    assert trader.closed().rcvd is None
    assert states(exchange) == []


@pytest.mark.parametrize("kind", [DropKind.RESET, DropKind.EOF, DropKind.HEARTBEAT_CLOSE, DropKind.CLOSE])
def test_apply_then_drop_places_the_order_and_never_replies(
    exchange: SimulatedExchange, trader: Probe, kind: DropKind
) -> None:
    exchange.faults.arm(FaultName.APPLY_THEN_DROP, kind=kind, label_prefix="sg-")
    trader.call("private/buy", **REST, label="other")
    trader.send("private/buy", **REST, label="sg-1")
    end = trader.closed()
    assert (end.rcvd is None) == (kind in (DropKind.RESET, DropKind.EOF))
    assert [frame for frame in trader.unread if "id" in frame] == []
    assert states(exchange) == [("other", "open", Decimal(0)), ("sg-1", "open", Decimal(0))]


def test_a_refused_order_does_not_use_apply_then_drop_up(exchange: SimulatedExchange, trader: Probe) -> None:
    exchange.faults.arm(FaultName.APPLY_THEN_DROP)
    assert trader.code("private/buy", instrument_name=BTC, amount=7, price=84_000) == -32602
    assert exchange.faults.fired(FaultName.APPLY_THEN_DROP) == 0


def test_drop_then_apply_places_the_order_after_the_connection_is_gone(
    exchange: SimulatedExchange, trader: Probe
) -> None:
    exchange.faults.arm(FaultName.DROP_THEN_APPLY, millis=30)
    trader.send("private/buy", **REST, label="late")
    trader.closed()
    exchange.wait_for(lambda seen: states(seen) == [("late", "open", Decimal(0))])


def test_drop_then_apply_respects_the_deadline_of_the_order(
    exchange: SimulatedExchange, trader: Probe, clock: ManualClock
) -> None:
    exchange.faults.arm(FaultName.DROP_THEN_APPLY, count=2, millis=500)
    deadline = exchange.now_millis() + 1_000
    with Probe(exchange.url) as other:
        other.login()
        trader.send("private/buy", **REST, label="dead", valid_until=deadline)
        trader.closed()
        other.send("private/buy", **REST, label="alive")
        other.closed()
    clock.advance_millis(2_000)
    exchange.wait_for(lambda seen: len(seen.orders()) > 0)
    assert states(exchange) == [("alive", "open", Decimal(0))]


def test_delay_reply_lets_later_replies_overtake(exchange: SimulatedExchange, trader: Probe) -> None:
    exchange.faults.arm(FaultName.DELAY_REPLY, millis=60)
    slow = trader.send("private/buy", **REST)
    quick = trader.send("public/get_time")
    assert trader.until(lambda frame: "id" in frame)["id"] == quick
    assert "result" in trader.reply(slow)


def test_the_event_comes_after_the_reply_or_before_it(exchange: SimulatedExchange, trader: Probe) -> None:
    trader.call("private/subscribe", channels=[f"user.orders.{BTC}.raw"])
    exchange.faults.arm(FaultName.EVENT_BEFORE_REPLY, label_prefix="early")
    for label, first in (("normal", "reply"), ("early", "event")):
        request_id = trader.send("private/buy", **REST, label=label)
        frame = trader.until(lambda frame: "id" in frame or frame.get("method") == "subscription")
        assert ("event" if "method" in frame else "reply") == first
        if first == "reply":
            trader.event("user.orders")
        else:
            trader.reply(request_id)


def test_order_events_can_be_doubled_and_lost(exchange: SimulatedExchange, trader: Probe) -> None:
    trader.call("private/subscribe", channels=[f"user.orders.{BTC}.raw"])
    exchange.faults.arm(FaultName.DUPLICATE_USER_ORDER_EVENT, label_prefix="twice")
    exchange.faults.arm(FaultName.LOSE_USER_ORDER_EVENT, label_prefix="lost")
    for label in ("twice", "lost", "once"):
        trader.call("private/buy", **REST, label=label)
    told = [as_object(trader.event("user.orders"))["label"] for _ in range(3)]
    assert told == ["twice", "twice", "once"]


def test_partial_fill_fills_a_part_and_the_rest_stands_still(exchange: SimulatedExchange, trader: Probe) -> None:
    exchange.faults.arm(FaultName.PARTIAL_FILL, fraction=0.25)
    result = trader.get("private/buy", **TAKE, label="p")
    assert (order_of(result)["order_state"], order_of(result)["filled_amount"]) == ("open", 10)
    exchange.step_market()
    assert states(exchange) == [("p", "open", Decimal(10))]
    exchange.release_fills()
    assert states(exchange) == [("p", "filled", Decimal(40))]


def test_partial_fill_of_an_immediate_order_cancels_the_rest(exchange: SimulatedExchange, trader: Probe) -> None:
    exchange.faults.arm(FaultName.PARTIAL_FILL, fraction=0.5)
    result = trader.get("private/buy", **TAKE, time_in_force="immediate_or_cancel")
    assert (order_of(result)["order_state"], order_of(result)["filled_amount"]) == ("cancelled", 20)


def test_a_cancel_can_lose_the_race_against_a_fill(exchange: SimulatedExchange, trader: Probe) -> None:
    exchange.faults.arm(FaultName.FILL_BEFORE_CANCEL)
    order_id = order_of(trader.get("private/buy", **REST, label="r"))["order_id"]
    assert trader.code("private/cancel", order_id=order_id) == 11044
    assert states(exchange) == [("r", "filled", Decimal(40))]


def test_a_cancel_can_find_a_part_filled(exchange: SimulatedExchange, trader: Probe) -> None:
    exchange.faults.arm(FaultName.FILL_BEFORE_CANCEL, fraction=0.5)
    order_id = order_of(trader.get("private/buy", **REST))["order_id"]
    cancelled = trader.get("private/cancel", order_id=order_id)
    assert (cancelled["order_state"], cancelled["filled_amount"]) == ("cancelled", 20)


def test_error_before_applies_nothing_and_error_after_applies_it(exchange: SimulatedExchange, trader: Probe) -> None:
    exchange.faults.arm(FaultName.ERROR_BEFORE, code=10047)
    assert trader.code("private/buy", **REST, label="a") == 10047
    assert states(exchange) == []
    exchange.faults.arm(FaultName.ERROR_AFTER, code=11094)
    assert trader.code("private/buy", **REST, label="b") == 11094
    assert states(exchange) == [("b", "open", Decimal(0))]


def test_reject_order_is_a_business_refusal(exchange: SimulatedExchange, trader: Probe) -> None:
    exchange.faults.arm(FaultName.REJECT_ORDER)
    assert trader.code("private/sell", instrument_name=BTC, amount=10, price=84_300) == 10009
    assert states(exchange) == []


@pytest.mark.parametrize("disconnect", [False, True])
def test_the_rate_limit_may_or_may_not_disconnect(
    exchange: SimulatedExchange, trader: Probe, *, disconnect: bool
) -> None:
    exchange.faults.arm(FaultName.RATE_LIMIT, disconnect=disconnect)
    assert trader.code("private/buy", **REST) == 10028
    if disconnect:
        assert trader.closed().rcvd is None
    else:
        trader.call("private/buy", **REST)


def test_settlement_refuses_matching_until_it_is_over(exchange: SimulatedExchange, trader: Probe) -> None:
    window = exchange.faults.arm(FaultName.SETTLEMENT, count=None)
    assert [trader.code("private/buy", **REST) for _ in range(3)] == [10041] * 3
    trader.call("private/get_open_orders_by_currency", currency="BTC")
    exchange.faults.disarm(window)
    trader.call("private/buy", **REST)


def test_heartbeat_close_ends_with_4000(exchange: SimulatedExchange, trader: Probe) -> None:
    exchange.faults.arm(FaultName.HEARTBEAT_CLOSE)
    trader.send("public/get_time")
    end = trader.closed()
    assert end.rcvd is not None
    assert (end.rcvd.code, end.rcvd.reason) == (4000, "heartbeat close")


def test_reset_ends_without_a_close_frame(exchange: SimulatedExchange, trader: Probe) -> None:
    exchange.faults.arm(FaultName.RESET, method="public/*")
    trader.send("public/get_time")
    end = trader.closed()
    assert end.rcvd is None
    assert isinstance(end.__cause__, ConnectionResetError)


def test_a_stalled_connection_answers_nothing_not_even_pings(exchange: SimulatedExchange, trader: Probe) -> None:
    exchange.faults.arm(FaultName.SILENT_STALL)
    trader.send("public/get_time")
    trader.send("private/buy", **REST)
    exchange.wait_for(lambda seen: seen.faults.fired(FaultName.SILENT_STALL) == 1)
    assert not trader.socket.ping().wait(0.1)
    with pytest.raises(TimeoutError):
        trader.socket.recv(timeout=0.05)
    assert states(exchange) == []
    assert exchange.connection_count == 1


def test_connections_are_refused_as_often_as_armed(exchange: SimulatedExchange) -> None:
    exchange.faults.arm(FaultName.REFUSE_CONNECTIONS, count=2)
    for _ in range(2):
        with pytest.raises(InvalidStatus, match="429"):
            Probe(exchange.url)
    with Probe(exchange.url) as probe:
        probe.call("public/test")
    assert exchange.stats().connections_refused == 2


def test_expired_tokens_answer_13009_until_the_next_login(exchange: SimulatedExchange, trader: Probe) -> None:
    exchange.faults.arm(FaultName.EXPIRE_TOKENS)
    assert trader.code("private/buy", **REST) == 13009
    assert trader.code("private/buy", **REST) == 13009
    trader.login()
    trader.call("private/buy", **REST)


def test_a_clock_offset_shows_in_every_time(exchange: SimulatedExchange, trader: Probe) -> None:
    exchange.faults.arm(FaultName.CLOCK_OFFSET, millis=-7_000)
    assert trader.call("public/get_time") == 1_790_000_000_000 - 7_000
    exchange.faults.clear()
    assert trader.call("public/get_time") == 1_790_000_000_000


def test_maintenance_is_announced_then_closes_and_refuses(exchange: SimulatedExchange, trader: Probe) -> None:
    trader.call("public/subscribe", channels=["platform_state"])
    exchange.faults.arm(FaultName.MAINTENANCE)
    assert trader.event("platform_state") == {"maintenance": True}
    trader.closed()
    with pytest.raises(InvalidStatus, match="429"):
        Probe(exchange.url)
    exchange.faults.clear()
    with Probe(exchange.url) as probe:
        probe.call("public/test")


def test_held_orders_fill_only_when_released(exchange: SimulatedExchange, trader: Probe) -> None:
    trader.call("private/buy", **REST, label="resting")
    exchange.hold_fills(BTC)
    assert order_of(trader.get("private/buy", **TAKE, label="crossing"))["order_state"] == "open"
    exchange.set_price(BTC, 83_900)
    assert states(exchange) == [("resting", "open", Decimal(0)), ("crossing", "open", Decimal(0))]
    exchange.release_fills()
    assert states(exchange) == [("resting", "filled", Decimal(40)), ("crossing", "filled", Decimal(40))]


def test_orders_can_be_filled_and_cancelled_by_hand(exchange: SimulatedExchange, trader: Probe) -> None:
    trader.call("private/subscribe", channels=["user.orders.any.any.raw"])
    exchange.hold_fills()
    trader.call("private/buy", **TAKE, label="h")
    assert exchange.fill_order("h", 10).filled_amount == 10
    ended = exchange.cancel_order_as_exchange("h", "autoliquidation")
    assert (ended.order_state, ended.cancel_reason, ended.filled_amount) == (
        "cancelled",
        "autoliquidation",
        Decimal(10),
    )
    told = [as_object(trader.event("user.orders")) for _ in range(3)]
    assert [order["order_state"] for order in told] == ["open", "open", "cancelled"]
    with pytest.raises(RpcError, match="not_open_order"):
        exchange.fill_order("h")
    with pytest.raises(KeyError):
        exchange.fill_order("nobody")


@pytest.mark.parametrize("kind", list(DropKind))
def test_all_connections_can_be_ended_in_every_way(exchange: SimulatedExchange, trader: Probe, kind: DropKind) -> None:
    assert exchange.drop_all_connections(kind) == 1
    if kind is DropKind.STALL:
        with pytest.raises(TimeoutError):
            trader.socket.recv(timeout=0.05)
    else:
        assert isinstance(trader.closed(), ConnectionClosed)
        exchange.wait_for(lambda seen: seen.connection_count == 0)


def test_filters_choose_by_instrument_and_method(exchange: SimulatedExchange, trader: Probe) -> None:
    exchange.faults.arm(FaultName.ERROR_BEFORE, count=None, instrument="ETH-PERPETUAL", method="private/*")
    trader.call("private/buy", **REST)
    assert trader.code("private/buy", instrument_name="ETH-PERPETUAL", amount=1, price=2_799) == 13028
    assert trader.code("private/get_position", instrument_name="ETH-PERPETUAL") == 13028
    assert exchange.faults.fired("error_before") == 2
    assert len(exchange.faults.armed()) == 1


def test_a_switch_that_does_not_exist_cannot_be_armed(exchange: SimulatedExchange) -> None:
    with pytest.raises(ValueError, match="no_such"):
        exchange.faults.arm("no_such")
    with pytest.raises(ValueError, match="fraction"):
        exchange.faults.arm(FaultName.PARTIAL_FILL, fraction=1.5)


def test_closing_is_prompt_with_busy_stalled_and_half_open_peers(exchange: SimulatedExchange, trader: Probe) -> None:
    with Probe(exchange.url) as stalled:
        exchange.faults.arm(FaultName.SILENT_STALL)
        stalled.send("public/get_time")
        exchange.wait_for(lambda seen: seen.faults.fired(FaultName.SILENT_STALL) == 1)
        began = time.monotonic()
        exchange.close()
        assert time.monotonic() - began < 1
        end = trader.closed()
        assert end.rcvd is not None
        assert end.rcvd.code == 1001
