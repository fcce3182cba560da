"""Methods that only read an account: orders, trades, positions, summary."""

from collections.abc import Iterable
from decimal import Decimal

from deribit_example.exchange.call import Call, Method
from deribit_example.exchange.errors import RpcError, invalid_param
from deribit_example.exchange.orders import Order
from deribit_example.exchange.views import order_json, trade_json
from deribit_example.exchange.wire import Json


def get_order_state(call: Call) -> Json:
    """One order by its id; old ends are not found."""
    order = call.venue.engine.store.find(call.account.user_id, call.params.text("order_id"), call.now_millis)
    if order is None:
        raise RpcError(10004)
    return order_json(order)


def get_order_state_by_label(call: Call) -> Json:
    """All recent orders with a label, ended ones too; none is an empty list."""
    currency, label = call.params.text("currency"), call.params.text("label")
    return _orders(call.venue.engine.store.by_label(call.account.user_id, currency, label, call.now_millis))


def get_open_orders_by_currency(call: Call) -> Json:
    """Open orders in one settlement currency."""
    currency = call.params.text("currency")
    orders = call.venue.engine.store.open_orders(call.account.user_id)
    return _orders(order for order in orders if order.instrument.settlement == currency)


def get_open_orders_by_instrument(call: Call) -> Json:
    """Open orders in one instrument."""
    name = call.venue.engine.instrument(call.params.text("instrument_name")).name
    orders = call.venue.engine.store.open_orders(call.account.user_id)
    return _orders(order for order in orders if order.instrument.name == name)


def get_order_history_by_instrument(call: Call) -> Json:
    """Ended orders of one instrument, newest first; `historical` looks behind the window of recent records."""
    name = call.venue.engine.instrument(call.params.text("instrument_name")).name
    orders = call.venue.engine.store.history(
        call.account.user_id,
        name,
        call.now_millis,
        historical=call.params.flag("historical", False),
        include_unfilled=call.params.flag("include_unfilled", False),
    )
    offset = call.params.integer("offset", 0)
    return _orders(orders[offset : offset + _count(call, 20)])


def get_user_trades_by_instrument(call: Call) -> Json:
    """Fills in one instrument, newest first."""
    name = call.venue.engine.instrument(call.params.text("instrument_name")).name
    historical = call.params.flag("historical", False)
    trades = call.venue.engine.store.trades_of(call.account.user_id, call.now_millis, historical=historical)
    mine = [trade for trade in trades if trade.order.instrument.name == name]
    count = _count(call, 10)
    return {"trades": [trade_json(trade) for trade in mine[:count]], "has_more": len(mine) > count}


def get_user_trades_by_order(call: Call) -> Json:
    """Fills of one order, oldest first unless `sorting` says otherwise."""
    order_id = call.params.text("order_id")
    historical = call.params.flag("historical", False)
    trades = call.venue.engine.store.trades_of(call.account.user_id, call.now_millis, historical=historical)
    mine: list[Json] = [trade_json(trade) for trade in trades if trade.order.order_id == order_id]
    return mine if call.params.choice("sorting", ("asc", "desc", "default"), "default") == "desc" else mine[::-1]


def get_position(call: Call) -> Json:
    """The position in one instrument."""
    engine = call.venue.engine
    instrument = engine.instrument(call.params.text("instrument_name"))
    market = engine.markets[instrument.name]
    return engine.ledger.position(call.account.user_id, instrument).as_json(market.mark, market.index)


def get_account_summary(call: Call) -> Json:
    """Money and limits of one currency."""
    currency = call.params.text("currency")
    if currency not in call.account.equity:
        raise invalid_param("currency", "is not supported")
    engine, balance = call.venue.engine, call.account.equity[currency]
    floating = margin = Decimal(0)
    for position in engine.ledger.positions():
        if position.user_id == call.account.user_id and position.instrument.settlement == currency:
            mark = engine.markets[position.instrument.name].mark
            balance += position.realized
            floating += position.profit_at(mark)
            margin += abs(position.instrument.value(position.size, mark)) / position.instrument.max_leverage
    equity = balance + floating
    return {
        "currency": currency,
        "balance": balance,
        "equity": equity,
        "margin_balance": equity,
        "available_funds": equity - margin,
        "initial_margin": margin,
        "maintenance_margin": margin / 2,
        "session_upl": floating,
        "margin_model": "segregated_sm",
        "limits": call.venue.config.limits.as_json(),
        "id": call.account.user_id,
        "type": "main",
    }


def _count(call: Call, default: int) -> int:
    count = call.params.integer("count", default)
    if not 1 <= count <= 1_000:
        raise invalid_param("count", "must be within 1..1000")
    return count


def _orders(orders: Iterable[Order]) -> Json:
    return [order_json(order) for order in orders]


METHODS: dict[str, Method] = {
    "private/get_order_state": Method(get_order_state, "trade"),
    "private/get_order_state_by_label": Method(get_order_state_by_label, "trade"),
    "private/get_open_orders_by_currency": Method(get_open_orders_by_currency, "trade"),
    "private/get_open_orders_by_instrument": Method(get_open_orders_by_instrument, "trade"),
    "private/get_order_history_by_instrument": Method(get_order_history_by_instrument, "trade"),
    "private/get_user_trades_by_instrument": Method(get_user_trades_by_instrument, "trade"),
    "private/get_user_trades_by_order": Method(get_user_trades_by_order, "trade"),
    "private/get_position": Method(get_position, "trade"),
    "private/get_account_summary": Method(get_account_summary, "account"),
}
