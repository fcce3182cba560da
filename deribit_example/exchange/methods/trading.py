"""Methods that reach the matching engine. A repeated buy is a second order, same label or not."""

from collections.abc import Iterable
from decimal import Decimal

from deribit_example.exchange.call import Call, Method
from deribit_example.exchange.checks import NewOrder
from deribit_example.exchange.engine import Placed
from deribit_example.exchange.errors import RpcError, invalid_param
from deribit_example.exchange.faults import FaultName, Occasion
from deribit_example.exchange.instruments import Instrument, Side
from deribit_example.exchange.matching import OrderType, TimeInForce, may_rest
from deribit_example.exchange.orders import Order
from deribit_example.exchange.params import Params
from deribit_example.exchange.views import order_json, trade_json
from deribit_example.exchange.wire import Json

TYPES: tuple[OrderType, ...] = ("limit", "market")
TIMES: tuple[TimeInForce, ...] = ("good_til_cancelled", "good_til_day", "fill_or_kill", "immediate_or_cancel")


def buy(call: Call) -> Json:
    """Place a buy order."""
    return _place(call, "buy")


def sell(call: Call) -> Json:
    """Place a sell order."""
    return _place(call, "sell")


def _place(call: Call, side: Side) -> Json:
    params, engine = call.params, call.venue.engine
    _check_deadline(call)
    instrument = engine.instrument(params.text("instrument_name"))
    order_type: OrderType = params.choice("type", TYPES, "limit")
    if order_type == "market" and params.text_or_none("time_in_force") is not None:
        raise invalid_param("time_in_force", "not allowed for market orders")
    lifetime: TimeInForce = params.choice("time_in_force", TIMES, "good_til_cancelled")
    new = NewOrder(
        instrument=instrument,
        direction=side,
        amount=_required_amount(params, instrument),
        order_type=order_type,
        price=params.number_or_none("price") if order_type == "limit" else None,
        label=params.text_or_none("label") or "",
        time_in_force=lifetime,
        post_only=params.flag("post_only", call.venue.config.post_only_default and may_rest(order_type, lifetime)),
        reject_post_only=params.flag("reject_post_only", False),
        reduce_only=params.flag("reduce_only", False),
        connection_id=call.state.connection_id,
        cancel_on_disconnect=call.state.cancel_on_disconnect,
    )
    occasion = Occasion(method=call.method, label=new.label, instrument=instrument.name)
    fault = call.venue.faults.take(FaultName.PARTIAL_FILL, occasion)
    part = None if fault is None else fault.fraction if fault.fraction is not None else Decimal("0.5")
    return _placed_json(engine.place(call.account, new, call.now_millis, fill_only=part))


def edit(call: Call) -> Json:
    """Change amount or price of an open order."""
    _check_deadline(call)
    order = _own_order(call)
    amount = _amount(call.params, order.instrument)
    price = call.params.number_or_none("price")
    return _placed_json(
        call.venue.engine.edit(
            order,
            amount=order.amount if amount is None else amount,
            price=order.price if price is None else price,
            now_millis=call.now_millis,
        )
    )


def cancel(call: Call) -> Json:
    """Cancel one order; answers with the bare order, or 11044 when it has ended."""
    order = call.venue.fill_before_cancel(_own_order(call), call.method)
    return order_json(call.venue.engine.cancel(order, call.now_millis))


def cancel_all(call: Call) -> Json:
    """Cancel every open order of the account; answers with their number."""
    return _cancel_many(call, call.venue.engine.store.open_orders(call.account.user_id))


def cancel_by_label(call: Call) -> Json:
    """Cancel every open order with a label; answers with their number."""
    label, currency = call.params.text("label"), call.params.text_or_none("currency")
    orders = call.venue.engine.store.open_orders(call.account.user_id)
    matching = [o for o in orders if o.label == label and currency in (None, o.instrument.settlement)]
    return _cancel_many(call, matching)


def _cancel_many(call: Call, orders: Iterable[Order]) -> int:
    done = 0
    for order in orders:
        order = call.venue.fill_before_cancel(order, call.method)
        if order.is_open:
            call.venue.engine.cancel(order, call.now_millis)
            done += 1
    return done


def _own_order(call: Call) -> Order:
    order = call.venue.engine.store.find(call.account.user_id, call.params.text("order_id"), call.now_millis)
    if order is None:
        raise RpcError(10004)
    return order


def _check_deadline(call: Call) -> None:
    valid_until = call.params.integer_or_none("valid_until")
    if valid_until is not None and call.now_millis >= valid_until:
        raise RpcError(13888)


def _amount(params: Params, instrument: Instrument) -> Decimal | None:
    amount, contracts = params.number_or_none("amount"), params.number_or_none("contracts")
    if contracts is None:
        return amount
    from_contracts = contracts * instrument.contract_size
    if amount is not None and amount != from_contracts:
        raise invalid_param("contracts", "must match amount")
    return from_contracts


def _required_amount(params: Params, instrument: Instrument) -> Decimal:
    amount = _amount(params, instrument)
    if amount is None:
        raise invalid_param("amount", "is required")
    return amount


def _placed_json(placed: Placed) -> Json:
    return {"order": order_json(placed.order), "trades": [trade_json(trade) for trade in placed.trades]}


METHODS: dict[str, Method] = {
    "private/buy": Method(buy, "trade", True, "matching_engine"),
    "private/sell": Method(sell, "trade", True, "matching_engine"),
    "private/edit": Method(edit, "trade", True, "matching_engine"),
    "private/cancel": Method(cancel, "trade", True, "matching_engine"),
    "private/cancel_all": Method(cancel_all, "trade", True, "cancel_all"),
    "private/cancel_by_label": Method(cancel_by_label, "trade", True, "cancel_all"),
}
