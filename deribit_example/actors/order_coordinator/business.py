"""Pure rules of placing and undoing an order. The exchange has no idempotency key: the label is all there is."""

import time
from decimal import Decimal
from hashlib import blake2b
from typing import Final

from deribit_example.actors.deribit_ws import NewOrder, OrderSnapshot
from deribit_example.saga.types import PlacedOrder, PreparedOrder, Side, UndoOrder
from saga_choreography import IdempotencyKey

LABEL_LIMIT: Final = 64
ALREADY_GONE: Final = frozenset({10004, 10010, 11008, 11044})
"""Refusals of a cancel that mean: there is nothing left to cancel; go and read the final state."""
NEVER_MATCHED: Final = frozenset({13666, 13888})
"""Refusals of an order that was withdrawn or came too late: nothing is wrong with it, it may be sent again."""


def deadline_in(validity_millis: int) -> int:
    """The local time (Unix milliseconds) after which an order that is sent now must not be taken any more."""
    return time.time_ns() // 1_000_000 + validity_millis


def label_of(key: IdempotencyKey, number: int = 1) -> str:
    """The label of the order that a key stands for (at most 64 characters); `number` counts offsetting orders."""
    label = f"sg-{key}" if number == 1 else f"sg-{key}-{number}"
    if len(label) <= LABEL_LIMIT:
        return label
    return f"sg-{blake2b(label.encode(), digest_size=24).hexdigest()}"


def opposite(side: Side) -> Side:
    """The side that offsets."""
    return "sell" if side == "buy" else "buy"


def order_for(prepared: PreparedOrder, label: str) -> NewOrder:
    """The order of a saga. `post_only` is said explicitly: the exchange's own default would reprice it."""
    return NewOrder(
        instrument=prepared.instrument,
        direction=prepared.side,
        amount=prepared.amount,
        price=prepared.price,
        order_type="limit",
        time_in_force="good_til_cancelled",
        label=label,
        post_only=False,
        reject_post_only=False,
        reduce_only=False,
    )


def offset_for(undo: UndoOrder, amount: Decimal, label: str) -> NewOrder:
    """The market order that takes back what was filled."""
    return NewOrder(
        instrument=undo.instrument,
        direction=opposite(undo.side),
        amount=amount,
        price=None,
        order_type="market",
        label=label,
        post_only=False,
        reject_post_only=False,
        reduce_only=False,
    )


def placed(prepared: PreparedOrder, order: OrderSnapshot, label: str) -> tuple[PlacedOrder, UndoOrder]:
    """Output and undo data of a placed order."""
    output = PlacedOrder(
        instrument=prepared.instrument,
        order_id=order.order_id,
        label=label,
        side=prepared.side,
        amount=prepared.amount,
        price=prepared.price,
    )
    undo = UndoOrder(
        instrument=prepared.instrument,
        settlement_currency=prepared.settlement_currency,
        order_id=order.order_id,
        label=label,
        side=prepared.side,
    )
    return output, undo
