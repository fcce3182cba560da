"""Pure reading of an order's state: is it the end, and which one?"""

from decimal import Decimal
from typing import TypeAlias, final

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


def read(order: OrderSnapshot) -> Reading:
    """What a snapshot says. Only a completely filled order is a success; a partial fill is undone with the rest."""
    match order.state:
        case "filled":
            price = order.average_price if order.average_price is not None else order.price
            return FilledOrder(
                order_id=order.order_id, filled_amount=order.filled_amount, average_price=price or Decimal(0)
            )
        case "cancelled" | "rejected":
            filled = f", {order.filled_amount} of {order.amount} filled" if order.filled_amount else ""
            reason = f" ({order.cancel_reason})" if order.cancel_reason else ""
            return Ended(f"order {order.order_id} is {order.state}{reason}{filled}")
        case _:
            return StillOpen()
