"""Orders, cancels, queries and positions, over a real socket."""

from collections.abc import Sequence

from deribit_example.exchange import CreditLimits, ExchangeConfig, ManualClock, Rate, SimulatedExchange
from deribit_example.exchange.probe import Probe
from deribit_example.exchange.wire import Json, JsonObject, as_list, as_object

BTC = "BTC-PERPETUAL"
MINUTE = 60_000


def place(probe: Probe, side: str = "buy", **params: Json) -> JsonObject:
    """A resting order unless told otherwise."""
    given: dict[str, Json] = {"instrument_name": BTC, "amount": 40, "price": 84_000, **params}
    return as_object(probe.get(f"private/{side}", **given)["order"])


def labels(orders: Sequence[JsonObject]) -> list[Json]:
    return [order["label"] for order in orders]


def test_a_resting_order_shows_the_documented_fields(trader: Probe) -> None:
    order = place(trader, label="sg-1")
    assert order["order_state"] == "open"
    assert (order["amount"], order["contracts"], order["filled_amount"]) == (40, 4, 0)
    assert (order["label"], order["direction"], order["post_only"]) == ("sg-1", "buy", False)
    assert trader.get("private/get_order_state", order_id=order["order_id"]) == order


def test_a_market_order_fills_at_once_with_trades(trader: Probe) -> None:
    result = trader.get("private/buy", instrument_name=BTC, amount=100, type="market", label="m")
    order = as_object(result["order"])
    trades = [as_object(trade) for trade in as_list(result["trades"])]
    assert (order["order_state"], order["filled_amount"], order["average_price"]) == ("filled", 100, 84_200)
    assert [(trade["liquidity"], trade["label"], trade["fee_currency"]) for trade in trades] == [("T", "m", "BTC")]


def test_an_immediate_order_that_finds_nothing_ends_cancelled(trader: Probe) -> None:
    result = trader.get(
        "private/buy", instrument_name=BTC, amount=100, price=84_000, time_in_force="immediate_or_cancel"
    )
    assert as_object(result["order"])["order_state"] == "cancelled"
    assert result["trades"] == []


def test_a_fill_or_kill_order_too_big_for_the_book_ends_cancelled(trader: Probe) -> None:
    order = place(trader, amount=400_000, price=84_200, time_in_force="fill_or_kill")
    assert (order["order_state"], order["filled_amount"]) == ("cancelled", 0)


def test_a_big_limit_order_fills_partly_and_stays_open(trader: Probe) -> None:
    asks = as_list(trader.get("public/get_order_book", instrument_name=BTC, depth=1)["asks"])
    filled = as_list(asks[0])[1]
    order = place(trader, amount=400_000, price=84_200)
    assert (order["order_state"], order["filled_amount"]) == ("open", filled)
    cancelled = trader.get("private/cancel", order_id=order["order_id"])
    assert (cancelled["order_state"], cancelled["filled_amount"]) == ("cancelled", filled)


def test_post_only_moves_or_rejects_a_crossing_order(trader: Probe) -> None:
    assert place(trader, price=84_300, post_only=True)["price"] == 84_199.5
    code = trader.code(
        "private/buy", instrument_name=BTC, amount=10, price=84_300, post_only=True, reject_post_only=True
    )
    assert code == 11054


def test_an_omitted_post_only_means_true_as_documented(clock: ManualClock) -> None:
    config = ExchangeConfig(clock=clock, market_interval_millis=0)
    with SimulatedExchange(config=config) as exchange, Probe(exchange.url) as probe:
        probe.login()
        assert place(probe, price=84_300)["price"] == 84_199.5


def test_prices_outside_the_band_are_refused(trader: Probe) -> None:
    assert trader.code("private/buy", instrument_name=BTC, amount=10, price=99_000) == 10007
    assert trader.code("private/sell", instrument_name=BTC, amount=10, price=50_000) == 10005


def test_an_order_beyond_the_margin_is_refused(trader: Probe) -> None:
    assert trader.code("private/buy", instrument_name=BTC, amount=900_000_000, price=84_000) == 10009


def test_an_order_past_its_deadline_is_refused(trader: Probe) -> None:
    params: dict[str, Json] = {"instrument_name": BTC, "amount": 10, "price": 84_000}
    assert trader.code("private/buy", **params, valid_until=1_790_000_000_000) == 13888
    trader.call("private/buy", **params, valid_until=1_790_000_000_001)


def test_reduce_only_cuts_the_order_to_the_position(trader: Probe) -> None:
    assert trader.code("private/sell", instrument_name=BTC, amount=10, type="market", reduce_only=True) == 11030
    trader.call("private/buy", instrument_name=BTC, amount=100, type="market")
    order = as_object(
        trader.get("private/sell", instrument_name=BTC, amount=500, type="market", reduce_only=True)["order"]
    )
    assert (order["amount"], order["order_state"]) == (100, "filled")


def test_contracts_and_amount_must_agree(trader: Probe) -> None:
    params: dict[str, Json] = {"instrument_name": BTC, "price": 84_000}
    assert as_object(trader.get("private/buy", **params, contracts=3)["order"])["amount"] == 30
    assert trader.code("private/buy", **params, contracts=3, amount=40) == -32602


def test_order_ids_carry_the_prefix_of_their_pool(trader: Probe) -> None:
    assert str(place(trader)["order_id"]).isdigit()
    assert str(place(trader, instrument_name="ETH-PERPETUAL", price=2_799)["order_id"]).startswith("ETH-")
    assert str(place(trader, instrument_name="SOL_USDC-PERPETUAL", price=139)["order_id"]).startswith("USDC-")


def test_a_cancel_answers_with_the_bare_order_and_then_with_11044(trader: Probe) -> None:
    order_id = place(trader)["order_id"]
    cancelled = trader.get("private/cancel", order_id=order_id)
    assert (cancelled["order_state"], cancelled["cancel_reason"]) == ("cancelled", "user_request")
    assert trader.code("private/cancel", order_id=order_id) == 11044
    assert trader.code("private/cancel", order_id="1") == 10004


def test_many_orders_are_cancelled_at_once_and_counted(trader: Probe) -> None:
    for label in ("a", "a", "b"):
        place(trader, label=label)
    assert trader.call("private/cancel_by_label", label="a", currency="ETH") == 0
    assert trader.call("private/cancel_by_label", label="a") == 2
    assert trader.call("private/cancel_all") == 1


def test_the_same_label_can_be_used_twice(trader: Probe) -> None:
    first, second = place(trader, label="twin"), place(trader, label="twin")
    found = trader.list("private/get_order_state_by_label", currency="BTC", label="twin")
    assert [order["order_id"] for order in found] == [first["order_id"], second["order_id"]]
    assert trader.list("private/get_order_state_by_label", currency="USDC", label="twin") == ()


def test_ended_orders_leave_the_label_query_after_half_an_hour(trader: Probe, clock: ManualClock) -> None:
    trader.login("session:long")
    gone, kept = place(trader, label="old"), place(trader, label="kept")
    trader.call("private/cancel", order_id=gone["order_id"])
    query: dict[str, Json] = {"currency": "BTC", "label": "old"}
    clock.advance_millis(30 * MINUTE)
    trader.login("session:long")
    assert len(trader.list("private/get_order_state_by_label", **query)) == 1
    clock.advance_millis(1)
    assert trader.list("private/get_order_state_by_label", **query) == ()
    assert trader.code("private/get_order_state", order_id=gone["order_id"]) == 10004
    trader.get("private/get_order_state", order_id=kept["order_id"])
    history: dict[str, Json] = {"instrument_name": BTC, "include_unfilled": True}
    assert trader.list("private/get_order_history_by_instrument", **history) == ()
    found = trader.list("private/get_order_history_by_instrument", **history, historical=True)
    assert labels(found) == ["old"]


def test_open_orders_are_found_by_currency_and_instrument(trader: Probe) -> None:
    place(trader, label="btc")
    place(trader, label="eth", instrument_name="ETH-PERPETUAL", price=2_799)
    assert labels(trader.list("private/get_open_orders_by_currency", currency="BTC")) == ["btc"]
    found = trader.list("private/get_open_orders_by_instrument", instrument_name="ETH-PERPETUAL")
    assert labels(found) == ["eth"]


def test_trades_are_found_by_instrument_and_order(trader: Probe) -> None:
    result = trader.get("private/buy", instrument_name=BTC, amount=100, type="market", label="t")
    order_id = as_object(result["order"])["order_id"]
    by_order = trader.list("private/get_user_trades_by_order", order_id=order_id)
    by_instrument = trader.get("private/get_user_trades_by_instrument", instrument_name=BTC)
    assert list(by_order) == list(as_list(by_instrument["trades"])) == list(as_list(result["trades"]))


def test_an_edit_changes_price_and_amount(trader: Probe) -> None:
    order_id = place(trader)["order_id"]
    edited = as_object(trader.get("private/edit", order_id=order_id, amount=60, price=84_001)["order"])
    assert (edited["order_id"], edited["amount"], edited["price"], edited["replaced"]) == (order_id, 60, 84_001, True)
    crossing = as_object(trader.get("private/edit", order_id=order_id, amount=60, price=84_200)["order"])
    assert crossing["order_state"] == "filled"
    assert trader.code("private/edit", order_id=order_id, amount=10) == 11044


def test_a_resting_order_is_filled_when_the_market_passes_it(trader: Probe, exchange: SimulatedExchange) -> None:
    order = place(trader, price=84_000)
    exchange.set_price(BTC, 83_900)
    state = trader.get("private/get_order_state", order_id=order["order_id"])
    assert (state["order_state"], state["average_price"]) == ("filled", 84_000)


def test_positions_count_inverse_in_dollars_and_linear_as_a_notional(trader: Probe) -> None:
    assert trader.get("private/get_position", instrument_name=BTC)["size"] == 0
    trader.call("private/sell", instrument_name=BTC, amount=100, type="market")
    position = trader.get("private/get_position", instrument_name=BTC)
    assert (position["size"], position["direction"]) == (-100, "sell")
    trader.call("private/buy", instrument_name="SOL_USDC-PERPETUAL", amount=2, type="market")
    linear = trader.get("private/get_position", instrument_name="SOL_USDC-PERPETUAL")
    assert (linear["size"], linear["size_currency"]) == (280, 2)


def test_the_summary_shows_money_and_limits(trader: Probe) -> None:
    summary = trader.get("private/get_account_summary", currency="BTC", extended=True)
    assert summary["equity"] == 10
    assert "non_matching_engine" in as_object(summary["limits"])


def test_instruments_and_books_are_public(stranger: Probe) -> None:
    instrument = stranger.get("public/get_instrument", instrument_name=BTC)
    assert (instrument["tick_size"], instrument["contract_size"], instrument["min_trade_amount"]) == (
        stranger.list("public/get_instruments", currency="BTC")[0]["tick_size"],
        10,
        10,
    )
    book = stranger.get("public/get_order_book", instrument_name=BTC, depth=3)
    assert (len(as_list(book["bids"])), len(as_list(book["asks"]))) == (3, 3)
    assert stranger.get("public/ticker", instrument_name=BTC)["mark_price"] == 84_200


def test_order_events_are_bare_orders_and_trade_events_are_lists(trader: Probe) -> None:
    channels = [f"user.orders.{BTC}.raw", "user.trades.any.any.raw", f"user.changes.{BTC}.raw"]
    assert trader.call("private/subscribe", channels=channels) == channels
    trader.call("private/buy", instrument_name=BTC, amount=100, type="market", label="e")
    assert as_object(trader.event("user.orders"))["label"] == "e"
    assert [as_object(trade)["label"] for trade in as_list(trader.event("user.trades"))] == ["e"]
    changes = as_object(trader.event("user.changes"))
    assert [len(as_list(changes[key])) for key in ("orders", "trades", "positions")] == [1, 1, 1]


def test_orders_survive_a_lost_connection_unless_told_otherwise(exchange: SimulatedExchange) -> None:
    with Probe(exchange.url) as probe:
        probe.login()
        place(probe, label="stays")
        probe.call("private/enable_cancel_on_disconnect", scope="connection")
        assert probe.get("private/get_cancel_on_disconnect")["enabled"] is True
        place(probe, label="dies")
    exchange.wait_for(lambda seen: seen.connection_count == 0)
    ended = {order.label: (order.order_state, order.cancel_reason) for order in exchange.orders()}
    assert ended == {"stays": ("open", ""), "dies": ("cancelled", "cancel_on_disconnect")}


def test_the_account_scope_of_cancel_on_disconnect_is_for_new_connections(exchange: SimulatedExchange) -> None:
    with Probe(exchange.url) as old, Probe(exchange.url) as new:
        old.login()
        old.call("private/enable_cancel_on_disconnect", scope="account")
        new.login()
        assert old.get("private/get_cancel_on_disconnect") == {"scope": "connection", "enabled": False}
        assert new.get("private/get_cancel_on_disconnect") == {"scope": "connection", "enabled": True}


def test_logout_does_not_cancel_orders(exchange: SimulatedExchange) -> None:
    with Probe(exchange.url) as probe:
        probe.login()
        probe.call("private/enable_cancel_on_disconnect", scope="connection")
        place(probe, label="stays")
        probe.send("private/logout")
        probe.closed()
    exchange.wait_for(lambda seen: seen.connection_count == 0)
    assert [order.order_state for order in exchange.orders()] == ["open"]


def test_too_many_requests_are_refused_until_credits_return(clock: ManualClock) -> None:
    limits = CreditLimits(rates={"matching_engine": Rate(5, 2), "non_matching_engine": Rate(20, 100)})
    config = ExchangeConfig(clock=clock, market_interval_millis=0, limits=limits)
    with SimulatedExchange(config=config) as exchange, Probe(exchange.url) as probe:
        probe.login()
        place(probe)
        place(probe)
        assert probe.code("private/buy", instrument_name=BTC, amount=10, price=84_000) == 10028
        clock.advance_millis(1_000)
        place(probe)


def test_too_many_requests_can_also_end_the_connection(clock: ManualClock) -> None:
    limits = CreditLimits(rates={"matching_engine": Rate(5, 1)})
    config = ExchangeConfig(clock=clock, market_interval_millis=0, limits=limits, rate_limit_disconnects=True)
    with SimulatedExchange(config=config) as exchange, Probe(exchange.url) as probe:
        probe.login()
        place(probe)
        assert probe.code("private/buy", instrument_name=BTC, amount=10, price=84_000) == 10028
        assert probe.closed().rcvd is None
