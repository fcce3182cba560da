"""Pure reading of an order's state: is it the end, and which one?"""

from decimal import Decimal
from typing import TypeAlias, assert_never, final

from attrs import frozen

from deribit_example.actors.deribit_ws import OrderSnapshot
from deribit_example.saga.types import FilledOrder


@final
@frozen
class StillOpen:
    """The order may still be filled."""


@final
@frozen
class Ended:
    """The order ended without being filled completely."""

    why: str


Reading: TypeAlias = FilledOrder | StillOpen | Ended


def read(order: OrderSnapshot, limit_price: Decimal) -> Reading:
    """What a snapshot says. Only a completely filled order is a success; a partial fill is undone with the rest.

    `limit_price` stands in for the average price that the exchange may leave out: the order was filled there or better.
    """
    match order.state:
        case "filled":
            price = limit_price if order.average_price is None else order.average_price
            return FilledOrder(order_id=order.order_id, filled_amount=order.filled_amount, average_price=price)
        case "cancelled" | "rejected":
            filled = f", {order.filled_amount} of {order.amount} filled" if order.filled_amount else ""
            reason = f" ({order.cancel_reason})" if order.cancel_reason else ""
            return Ended(f"order {order.order_id} is {order.state}{reason}{filled}")
        case "open" | "untriggered" | "triggered" | "unknown":
            return StillOpen()
        case _:
            assert_never(order.state)
