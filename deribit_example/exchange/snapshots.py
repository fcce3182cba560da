"""What the exchange shows of itself to tests and demos: frozen copies, the same in process and over the wire."""

from decimal import Decimal
from typing import TypeAlias

from attrs import asdict, frozen

from deribit_example.exchange.orders import Order, Trade
from deribit_example.exchange.positions import Position
from deribit_example.exchange.wire import BadFrame, Json, JsonObject


@frozen(kw_only=True)
class OrderSnapshot:
    """An order as it stood."""

    order_id: str
    label: str
    instrument_name: str
    direction: str
    order_type: str
    order_state: str
    price: Decimal
    amount: Decimal
    filled_amount: Decimal
    average_price: Decimal
    cancel_reason: str
    user_id: int
    creation_timestamp: int
    last_update_timestamp: int

    @property
    def is_open(self) -> bool:
        """Whether it could still be filled."""
        return self.order_state == "open"


@frozen(kw_only=True)
class TradeSnapshot:
    """A fill."""

    trade_id: str
    order_id: str
    label: str
    instrument_name: str
    direction: str
    price: Decimal
    amount: Decimal
    liquidity: str
    user_id: int
    timestamp: int


@frozen(kw_only=True)
class PositionSnapshot:
    """A position; `size` is signed and in the amount unit of the instrument."""

    instrument_name: str
    user_id: int
    size: Decimal
    average_price: Decimal
    realized_profit_loss: Decimal


@frozen(kw_only=True)
class Stats:
    """Counters of a running exchange."""

    connections: int
    connections_accepted: int
    connections_refused: int
    orders: int
    open_orders: int
    trades: int
    armed_faults: int


Snapshot: TypeAlias = OrderSnapshot | TradeSnapshot | PositionSnapshot | Stats


def order_snapshot(order: Order) -> OrderSnapshot:
    """Copy an order."""
    return OrderSnapshot(
        order_id=order.order_id,
        label=order.label,
        instrument_name=order.instrument.name,
        direction=order.direction,
        order_type=order.order_type,
        order_state=order.order_state,
        price=order.price,
        amount=order.amount,
        filled_amount=order.filled_amount,
        average_price=order.average_price,
        cancel_reason=order.cancel_reason or "",
        user_id=order.user_id,
        creation_timestamp=order.created_millis,
        last_update_timestamp=order.updated_millis,
    )


def trade_snapshot(trade: Trade) -> TradeSnapshot:
    """Copy a fill."""
    return TradeSnapshot(
        trade_id=trade.trade_id,
        order_id=trade.order.order_id,
        label=trade.order.label,
        instrument_name=trade.order.instrument.name,
        direction=trade.order.direction,
        price=trade.price,
        amount=trade.amount,
        liquidity=trade.liquidity,
        user_id=trade.order.user_id,
        timestamp=trade.timestamp_millis,
    )


def position_snapshot(position: Position) -> PositionSnapshot:
    """Copy a position."""
    return PositionSnapshot(
        instrument_name=position.instrument.name,
        user_id=position.user_id,
        size=position.size,
        average_price=position.average_price,
        realized_profit_loss=position.realized,
    )


def snapshot_json(snapshot: Snapshot) -> dict[str, Json]:
    """A snapshot for the wire; decimals travel as strings, so that nothing is rounded."""
    return {key: str(value) if isinstance(value, Decimal) else value for key, value in asdict(snapshot).items()}


def text_of(body: JsonObject, name: str) -> str:
    """A string member; raises BadFrame."""
    value = body.get(name)
    if isinstance(value, str):
        return value
    raise BadFrame(f"{name} is not a string")


def int_of(body: JsonObject, name: str) -> int:
    """A whole number member; raises BadFrame."""
    value = body.get(name)
    if isinstance(value, int):
        return value
    raise BadFrame(f"{name} is not an integer")


def decimal_of(body: JsonObject, name: str) -> Decimal:
    """A decimal member that travelled as a string; raises BadFrame."""
    return Decimal(text_of(body, name))
