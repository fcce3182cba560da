"""One order book: price, then time. It knows ids, prices and amounts, and nothing about who owns what."""

from bisect import insort
from decimal import Decimal
from typing import final

from attrs import evolve, frozen

from deribit_example.exchange.instruments import Side


@frozen(kw_only=True)
class Resting:
    """An order at rest; a smaller `sequence` was there first."""

    order_id: str
    side: Side
    price: Decimal
    amount: Decimal
    sequence: int


@frozen(kw_only=True)
class Fill:
    """One match against one resting order, at that order's price."""

    maker_id: str
    price: Decimal
    amount: Decimal


def opposite(side: Side) -> Side:
    """The other side of a trade."""
    return "sell" if side == "buy" else "buy"


def crosses(side: Side, limit: Decimal | None, price: Decimal) -> bool:
    """Whether a taker with this limit (None: any price) would trade at `price`."""
    return limit is None or (price <= limit if side == "buy" else price >= limit)


@final
class Book:
    """Both sides of one instrument, each kept best first."""

    def __init__(self) -> None:
        self._sides: dict[Side, list[Resting]] = {"buy": [], "sell": []}
        self._side_of: dict[str, Side] = {}
        self._sequence = 0

    def __contains__(self, order_id: str) -> bool:
        return order_id in self._side_of

    def resting(self, side: Side) -> tuple[Resting, ...]:
        """The orders of one side, best first."""
        return tuple(self._sides[side])

    def best(self, side: Side) -> Decimal | None:
        """Best price of one side, None when it is empty."""
        queue = self._sides[side]
        return queue[0].price if queue else None

    def levels(self, side: Side, depth: int) -> list[tuple[Decimal, Decimal]]:
        """Price and total amount of the best `depth` levels."""
        totals: dict[Decimal, Decimal] = {}
        for order in self._sides[side]:
            if order.price not in totals and len(totals) == depth:
                break
            totals[order.price] = totals.get(order.price, Decimal(0)) + order.amount
        return list(totals.items())

    def available(self, taker: Side, limit: Decimal | None) -> Decimal:
        """How much a taker could get within its limit."""
        makers = self._sides[opposite(taker)]
        return sum((maker.amount for maker in makers if crosses(taker, limit, maker.price)), Decimal(0))

    def take(self, taker: Side, limit: Decimal | None, amount: Decimal) -> list[Fill]:
        """Match up to `amount` against the other side and remove what was matched."""
        fills: list[Fill] = []
        makers = self._sides[opposite(taker)]
        while amount > 0 and makers and crosses(taker, limit, makers[0].price):
            maker = makers[0]
            part = min(amount, maker.amount)
            fills.append(Fill(maker_id=maker.order_id, price=maker.price, amount=part))
            amount -= part
            self.reduce(maker.order_id, part)
        return fills

    def rest(self, order_id: str, side: Side, price: Decimal, amount: Decimal) -> None:
        """Put an order behind all others of its price; raises ValueError on a known id or an amount of nothing."""
        if amount <= 0 or order_id in self._side_of:
            raise ValueError(f"order {order_id} of {amount} cannot rest")
        self._sequence += 1
        entry = Resting(order_id=order_id, side=side, price=price, amount=amount, sequence=self._sequence)
        insort(self._sides[side], entry, key=_priority)
        self._side_of[order_id] = side

    def reduce(self, order_id: str, amount: Decimal) -> None:
        """Take `amount` off an order without losing its place; at zero it leaves the book."""
        queue = self._sides[self._side_of[order_id]]
        index = next(place for place, entry in enumerate(queue) if entry.order_id == order_id)
        left = queue[index].amount - amount
        if left > 0:
            queue[index] = evolve(queue[index], amount=left)
        else:
            del queue[index]
            del self._side_of[order_id]

    def remove(self, order_id: str) -> Decimal:
        """Remove an order; returns what was left of it, zero when it was not here."""
        side = self._side_of.pop(order_id, None)
        if side is None:
            return Decimal(0)
        queue = self._sides[side]
        index = next(place for place, entry in enumerate(queue) if entry.order_id == order_id)
        return queue.pop(index).amount


def _priority(entry: Resting) -> tuple[Decimal, int]:
    return (-entry.price if entry.side == "buy" else entry.price, entry.sequence)
