"""Do the journals and the exchange's books tell the same story? Pure: records and books in, differences out."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final, final
from uuid import UUID

from attrs import frozen

from deribit_example.demo.journals import SagaRecords
from deribit_example.exchange import OrderSnapshot, PositionSnapshot, TradeSnapshot
from deribit_example.saga.types import FilledOrder, PlacedOrder, Side
from saga_choreography.events import OutcomeKind

_SAGA_ID: Final = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
_ZERO: Final = Decimal(0)


@final
@frozen(kw_only=True)
class Books:
    """The exchange's side: every order, fill and position of the account."""

    orders: tuple[OrderSnapshot, ...]
    trades: tuple[TradeSnapshot, ...]
    positions: tuple[PositionSnapshot, ...]


@final
@frozen(kw_only=True)
class SagaStory:
    """The journals' side of one saga: what it wanted, how it ended, and what its steps gave."""

    saga_id: UUID
    instrument: str
    side: Side
    outcome: OutcomeKind | None
    placed: PlacedOrder | None = None
    filled: FilledOrder | None = None
    is_parked: bool = False


def story_of(saga: SagaRecords) -> SagaStory:
    """What the audit needs of a saga's records."""
    return SagaStory(
        saga_id=saga.saga_id,
        instrument=saga.intent.instrument,
        side=saga.intent.side,
        outcome=saga.outcome,
        placed=saga.placed,
        filled=saga.filled,
        is_parked=saga.is_parked,
    )


def audit(stories: Sequence[SagaStory], books: Books, orphans: Iterable[UUID] = ()) -> tuple[str, ...]:
    """Every difference as one sentence; empty when all agrees. `orphans`: sagas with steps but without a start."""
    known = {story.saga_id for story in stories}
    by_saga: dict[UUID, list[OrderSnapshot]] = defaultdict(list)
    found: list[str] = []
    for order in books.orders:
        saga_id = saga_of_label(order.label)
        if saga_id is None or saga_id not in known:
            found.append(f"{_named(order)} belongs to no saga in the journals")
        else:
            by_saga[saga_id].append(order)
    found += [f"saga {saga_id} has steps in the journals, but no start" for saga_id in orphans]
    found += _repeated_labels(books.orders)
    found += [f"{_named(order)} is still open" for order in books.orders if order.is_open]
    for story in stories:
        found += _check(story, by_saga[story.saga_id])
    found += _check_fills(books)
    found += _check_positions(stories, books.positions)
    return tuple(found)


def saga_of_label(label: str) -> UUID | None:
    """The saga whose idempotency key a label was made of (its id stands in the key), or None."""
    found = _SAGA_ID.search(label)
    return UUID(hex=found.group()) if found is not None else None


def signed(side: str, amount: Decimal) -> Decimal:
    """An amount as it moves the position."""
    return amount if side == "buy" else -amount


def _repeated_labels(orders: Iterable[OrderSnapshot]) -> list[str]:
    counts = Counter(order.label for order in orders)
    return [f"{count} orders carry the label {label}" for label, count in counts.items() if count > 1]


def _check(story: SagaStory, orders: Sequence[OrderSnapshot]) -> list[str]:
    saga = f"saga {story.saga_id}"
    if story.outcome is None:
        return [f"{saga} has no outcome" + (", it waits for an operator" if story.is_parked else "")]
    if story.placed is not None and story.placed.order_id not in {order.order_id for order in orders}:
        return [f"{saga} has placed order {story.placed.order_id}, which the exchange does not know"]
    if story.outcome is OutcomeKind.COMPLETED:
        return _check_completed(story, orders)
    net = sum((signed(order.direction, order.filled_amount) for order in orders), _ZERO)
    return [f"{saga} has failed, but leaves {net} of {story.instrument}"] if net else []


def _check_completed(story: SagaStory, orders: Sequence[OrderSnapshot]) -> list[str]:
    saga = f"saga {story.saga_id}"
    if len(orders) != 1:
        return [f"{saga} has completed, and the exchange has {len(orders)} orders of it instead of one"]
    order = orders[0]
    if story.placed is None or story.filled is None:
        return [f"{saga} has completed, but its journals lack the outcome of a step"]
    wrong = [
        f"{saga}: {what} is {here} in the journals and {there} at the exchange"
        for what, here, there in (
            ("the order id", story.filled.order_id, order.order_id),
            ("the label", story.placed.label, order.label),
            ("the instrument", story.instrument, order.instrument_name),
            ("the direction", story.side, order.direction),
            ("the filled amount", story.filled.filled_amount, order.filled_amount),
            ("the ordered amount", story.placed.amount, order.amount),
        )
        if here != there
    ]
    if order.order_state != "filled":
        wrong.append(f"{saga} has completed, but {_named(order)} is {order.order_state}")
    return wrong


def _check_fills(books: Books) -> list[str]:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for trade in books.trades:
        sums[trade.order_id] += trade.amount
    return [
        f"{_named(order)} has filled {order.filled_amount}, its trades say {sums[order.order_id]}"
        for order in books.orders
        if order.filled_amount != sums[order.order_id]
    ]


def _check_positions(stories: Iterable[SagaStory], positions: Iterable[PositionSnapshot]) -> list[str]:
    wanted: dict[str, Decimal] = defaultdict(Decimal)
    for story in stories:
        if story.outcome is OutcomeKind.COMPLETED and story.filled is not None:
            wanted[story.instrument] += signed(story.side, story.filled.filled_amount)
    sizes: dict[str, Decimal] = defaultdict(Decimal)
    for position in positions:
        sizes[position.instrument_name] += position.size
    return [
        f"the position in {name} is {sizes[name]}, the completed sagas add up to {wanted[name]}"
        for name in sorted(wanted.keys() | sizes.keys())
        if wanted[name] != sizes[name]
    ]


def _named(order: OrderSnapshot) -> str:
    return f"order {order.order_id} ({order.direction} {order.amount} {order.instrument_name}, label {order.label!r})"
