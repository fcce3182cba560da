"""The books behind the mock connection: they outlive connections and programs. Any thread."""

import threading
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Final, TypeVar, final

from attrs import evolve

from deribit_example.actors.deribit_ws import Instrument, NewOrder, OrderSnapshot, RequestRefused, Ticker
from deribit_example.actors.deribit_ws.messaging import Request

Q = TypeVar("Q", bound=Request)
WAIT_SECONDS: Final = 30.0
BTC: Final = "BTC-PERPETUAL"
ETH: Final = "ETH-PERPETUAL"
SOL: Final = "SOL_USDC-PERPETUAL"


def _instrument(name: str, currency: str, tick: str, contract: str) -> Instrument:
    return Instrument(
        name=name,
        kind="future",
        settlement_currency=currency,
        tick_size=Decimal(tick),
        tick_size_steps=(),
        min_trade_amount=Decimal(contract),
        contract_size=Decimal(contract),
        is_active=True,
    )


INSTRUMENTS: Final = {
    instrument.name: instrument
    for instrument in (
        _instrument(BTC, "BTC", "0.5", "10"),
        _instrument(ETH, "ETH", "0.05", "1"),
        _instrument(SOL, "USDC", "0.01", "0.1"),
    )
}
MARK_PRICES: Final = {BTC: Decimal(84_200), ETH: Decimal(2_800), SOL: Decimal(140)}


def ticker_of(name: str) -> Ticker:
    """A quiet market around the mark price."""
    mark, tick = MARK_PRICES[name], INSTRUMENTS[name].tick_size
    return Ticker(
        instrument=name,
        best_bid_price=mark - tick,
        best_ask_price=mark,
        last_price=mark,
        mark_price=mark,
        min_price=mark * Decimal("0.985"),
        max_price=mark * Decimal("1.015"),
        at_millis=_now_millis(),
    )


@final
class MockBooks:
    """Orders by id, the requests that came, and what follows from them. Labels may repeat, as on the real exchange."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._orders: dict[str, OrderSnapshot] = {}
        self._requests: list[Request] = []

    def record(self, request: Request) -> None:
        """Note a request that reached the connection, answered or not."""
        with self._changed:
            self._requests.append(request)
            self._changed.notify_all()

    def requests(self, kind: type[Q]) -> list[Q]:
        """The requests of one kind, oldest first."""
        with self._changed:
            return [request for request in self._requests if isinstance(request, kind)]

    def orders(self, *, instrument: str | None = None, label: str | None = None) -> list[OrderSnapshot]:
        """All orders ever taken, oldest first, with this instrument and label if given."""
        with self._changed:
            return [
                order
                for order in self._orders.values()
                if instrument in (None, order.instrument) and label in (None, order.label)
            ]

    def net_position(self, instrument: str) -> Decimal:
        """What was bought minus what was sold."""
        signed = (
            order.filled_amount if order.direction == "buy" else -order.filled_amount
            for order in self.orders(instrument=instrument)
        )
        return sum(signed, Decimal(0))

    def wait_for(self, condition: Callable[["MockBooks"], bool], timeout: float = WAIT_SECONDS) -> None:
        """Wait until a condition holds; it is checked after every change."""
        with self._changed:
            assert self._changed.wait_for(lambda: condition(self), timeout), f"books: {list(self._orders.values())}"

    def take(self, new: NewOrder, fill_amount: Decimal) -> OrderSnapshot:
        """Accept an order and fill that much of it at once."""
        with self._changed:
            order = OrderSnapshot(
                order_id=f"M-{len(self._orders) + 1}",
                label=new.label,
                instrument=new.instrument,
                direction=new.direction,
                state="open",
                amount=new.amount,
                filled_amount=Decimal(0),
                price=new.price,
                last_update_millis=_now_millis(),
            )
            self._orders[order.order_id] = order
            self._changed.notify_all()
            return self.fill(order.order_id, fill_amount) if fill_amount > 0 else order

    def fill(self, order_id: str, amount: Decimal | None = None) -> OrderSnapshot:
        """Fill an open order, in part or (None) to its end."""
        order = self._open_order(order_id)
        filled = order.amount if amount is None else min(order.amount, order.filled_amount + amount)
        price = order.price or MARK_PRICES[order.instrument]
        return self._put(
            evolve(
                order,
                filled_amount=filled,
                average_price=price,
                state="filled" if filled == order.amount else "open",
            )
        )

    def cancel(self, order_id: str, reason: str = "user_request") -> OrderSnapshot:
        """Cancel an open order.

        Raises:
            RequestRefused: there is none (10004), or it has ended (11044).
        """
        return self._put(evolve(self._open_order(order_id), state="cancelled", cancel_reason=reason))

    def order(self, order_id: str) -> OrderSnapshot:
        """One order.

        Raises:
            RequestRefused: there is none (10004).
        """
        with self._changed:
            if order_id not in self._orders:
                raise RequestRefused(10004, "order_not_found")
            return self._orders[order_id]

    def _open_order(self, order_id: str) -> OrderSnapshot:
        order = self.order(order_id)
        if order.is_terminal:
            raise RequestRefused(11044, "not_open_order")
        return order

    def _put(self, order: OrderSnapshot) -> OrderSnapshot:
        with self._changed:
            stamped = evolve(order, last_update_millis=max(_now_millis(), order.last_update_millis + 1))
            self._orders[order.order_id] = stamped
            self._changed.notify_all()
            return stamped


def _now_millis() -> int:
    return time.time_ns() // 1_000_000
