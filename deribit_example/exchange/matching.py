"""What happens to an incoming order: a decision over a book, for every order type and time in force."""

from decimal import Decimal
from typing import Literal

from attrs import frozen

from deribit_example.exchange.book import Book, Fill, opposite
from deribit_example.exchange.instruments import Side

OrderType = Literal["limit", "market"]
TimeInForce = Literal["good_til_cancelled", "good_til_day", "fill_or_kill", "immediate_or_cancel"]
Ending = Literal["open", "filled", "cancelled", "post_only_reject"]


@frozen(kw_only=True)
class Incoming:
    """An order on its way to the book; `limit` is the worst price it accepts."""

    order_id: str
    side: Side
    order_type: OrderType
    limit: Decimal
    amount: Decimal
    time_in_force: TimeInForce = "good_til_cancelled"
    post_only: bool = False
    reject_post_only: bool = False


@frozen(kw_only=True)
class Matched:
    """The decision: fills in order, how the order ends, and the price it rests at (or would have)."""

    fills: tuple[Fill, ...]
    ending: Ending
    price: Decimal


def match(book: Book, order: Incoming, tick: Decimal) -> Matched:
    """Run one order against the book; what is left rests or is cancelled, as its terms say."""
    price = order.limit
    if order.post_only:
        best = book.best(opposite(order.side))
        if best is not None and (price >= best if order.side == "buy" else price <= best):
            if order.reject_post_only:
                return Matched(fills=(), ending="post_only_reject", price=price)
            price = best - tick if order.side == "buy" else best + tick
    if order.time_in_force == "fill_or_kill" and book.available(order.side, price) < order.amount:
        return Matched(fills=(), ending="cancelled", price=price)
    fills = tuple(book.take(order.side, price, order.amount))
    left = order.amount - sum((fill.amount for fill in fills), Decimal(0))
    if left == 0:
        return Matched(fills=fills, ending="filled", price=price)
    if not may_rest(order.order_type, order.time_in_force):
        return Matched(fills=fills, ending="cancelled", price=price)
    book.rest(order.order_id, order.side, price, left)
    return Matched(fills=fills, ending="open", price=price)


def may_rest(order_type: OrderType, time_in_force: TimeInForce) -> bool:
    """Whether what is left of such an order waits in the book."""
    return order_type == "limit" and time_in_force in ("good_til_cancelled", "good_til_day")
