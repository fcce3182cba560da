"""Orders and trades of all accounts. They outlive every connection; a label may repeat; old ends fall out of sight."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Literal, final

from attrs import frozen

from deribit_example.exchange.instruments import Instrument, Side
from deribit_example.exchange.matching import OrderType, TimeInForce

OrderState = Literal["open", "filled", "cancelled"]


@frozen(kw_only=True)
class Order:
    """One order as it stands; a later state is a new record. Amounts are in the unit of the instrument."""

    order_id: str
    user_id: int
    connection_id: int
    instrument: Instrument
    label: str
    direction: Side
    order_type: OrderType
    price: Decimal
    amount: Decimal
    time_in_force: TimeInForce
    post_only: bool
    reject_post_only: bool
    reduce_only: bool
    created_millis: int
    updated_millis: int
    filled_amount: Decimal = Decimal(0)
    average_price: Decimal = Decimal(0)
    order_state: OrderState = "open"
    cancel_reason: str | None = None
    replaced: bool = False
    cancel_on_disconnect: bool = False

    @property
    def remaining(self) -> Decimal:
        """What has not been filled."""
        return self.amount - self.filled_amount

    @property
    def is_open(self) -> bool:
        """Whether it can still be filled or cancelled."""
        return self.order_state == "open"


@frozen(kw_only=True)
class Trade:
    """One fill seen from one order."""

    trade_id: str
    trade_seq: int
    order: Order
    price: Decimal
    amount: Decimal
    fee: Decimal
    liquidity: Literal["M", "T"]
    tick_direction: int
    index_price: Decimal
    mark_price: Decimal
    timestamp_millis: int


@final
class OrderStore:
    """All orders and trades; reads without `historical` see open orders and ends younger than the window."""

    def __init__(self, *, order_window_millis: int, trade_window_millis: int) -> None:
        self._orders: dict[str, Order] = {}
        self._open: dict[str, None] = {}
        self._labelled: dict[tuple[int, str], list[str]] = {}
        self._trades: list[Trade] = []
        self._order_window = order_window_millis
        self._trade_window = trade_window_millis

    def put(self, order: Order) -> None:
        """Store an order, or its next state."""
        if order.order_id not in self._orders:
            self._labelled.setdefault((order.user_id, order.label), []).append(order.order_id)
        self._orders[order.order_id] = order
        if order.is_open:
            self._open[order.order_id] = None
        else:
            self._open.pop(order.order_id, None)

    def add_trade(self, trade: Trade) -> None:
        """Store one fill."""
        self._trades.append(trade)

    def all_orders(self) -> tuple[Order, ...]:
        """Every order of every account, oldest first, whatever its age."""
        return tuple(self._orders.values())

    def all_trades(self) -> tuple[Trade, ...]:
        """Every fill of every account, oldest first, whatever its age."""
        return tuple(self._trades)

    def latest(self, order_id: str) -> Order:
        """The order with this id, whatever its age; raises KeyError."""
        return self._orders[order_id]

    def find(self, user_id: int, order_id: str, now_millis: int) -> Order | None:
        """An order of this user that is still in sight."""
        order = self._orders.get(order_id)
        return order if order is not None and order.user_id == user_id and self._in_sight(order, now_millis) else None

    def by_label(self, user_id: int, currency: str, label: str, now_millis: int) -> list[Order]:
        """Orders in sight with this label, oldest first; labels are not unique."""
        return [
            order
            for order in (self._orders[order_id] for order_id in self._labelled.get((user_id, label), ()))
            if order.instrument.settlement == currency and self._in_sight(order, now_millis)
        ]

    def open_orders(self, user_id: int | None = None) -> list[Order]:
        """Open orders, oldest first, of one user or of all."""
        orders = (self._orders[order_id] for order_id in self._open)
        return [order for order in orders if user_id in (None, order.user_id)]

    def history(
        self, user_id: int, instrument_name: str, now_millis: int, *, historical: bool, include_unfilled: bool
    ) -> list[Order]:
        """Ended orders, newest first."""
        return [
            order
            for order in reversed(self._orders.values())
            if order.user_id == user_id
            and order.instrument.name == instrument_name
            and not order.is_open
            and (historical or self._in_sight(order, now_millis))
            and (include_unfilled or order.filled_amount > 0)
        ]

    def trades_of(self, user_id: int, now_millis: int, *, historical: bool) -> Iterable[Trade]:
        """Fills of one user, newest first."""
        for trade in reversed(self._trades):
            age = now_millis - trade.timestamp_millis
            if trade.order.user_id == user_id and (historical or age <= self._trade_window):
                yield trade

    def _in_sight(self, order: Order, now_millis: int) -> bool:
        return order.is_open or now_millis - order.updated_millis <= self._order_window
