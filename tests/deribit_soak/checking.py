"""Does the exchange's ledger agree with the program's journals and with what was acknowledged? Pure.

The example's own audit compares books and journals: one order a label, none open, none without a saga, a completed saga
has its one filled order, a failed one leaves no position. Here it is held against what was promised on the way as well.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final, final
from uuid import UUID

from attrs import frozen

from deribit_example.actors.order_coordinator.business import label_of
from deribit_example.actors.order_coordinator.unwinding import MOST_OFFSETS
from deribit_example.demo.audit import Books, audit, saga_of_label, signed, story_of
from deribit_example.demo.journals import SagaRecords
from deribit_example.exchange import OrderSnapshot
from deribit_example.saga.types import PLACE_ORDER
from saga_choreography import SagaId
from saga_choreography.events import OutcomeKind, SagaEnded, SagaResolved, StepExecutionStarted
from saga_choreography.types import idempotency_key
from tests.deribit_soak.evidence import Evidence
from tests.deribit_soak.ledger import LedgerEntry

_ZERO: Final = Decimal(0)


@final
@frozen(kw_only=True)
class Totals:
    """The figures of a run."""

    sagas: int
    completed: int
    failed: int
    failed_after_an_order: int
    unfinished: int
    orders: int
    fills: int
    double_orders: int
    orders_left_behind: int


def violations(evidence: Evidence) -> tuple[str, ...]:
    """Every broken promise as one sentence; empty when all were kept."""
    books = evidence.books
    found = list(audit([story_of(saga) for saga in evidence.sagas], books, evidence.orphans))
    found += _lost(evidence)
    found += _signals_used_twice(evidence.sagas)
    for saga in evidence.sagas:
        found += _ends(saga)
    found += _told_otherwise(evidence)
    found += _labels(evidence.sagas, books.orders)
    found += _offset_too_early(evidence.ledger)
    return tuple(found)


def disagreements(ledger: Books, memory: Books) -> tuple[str, ...]:
    """Where the exchange's ledger is not what the exchange remembers: then the ledger proves nothing."""
    found = []
    if {order.order_id: order for order in ledger.orders} != {order.order_id: order for order in memory.orders}:
        found.append("the exchange's ledger and its memory hold different orders")
    if {trade.trade_id: trade for trade in ledger.trades} != {trade.trade_id: trade for trade in memory.trades}:
        found.append("the exchange's ledger and its memory hold different fills")
    if {p.instrument_name: p.size for p in ledger.positions} != {p.instrument_name: p.size for p in memory.positions}:
        found.append("the exchange's ledger and its memory add up to different positions")
    return tuple(found)


def totals(evidence: Evidence) -> Totals:
    """Count."""
    orders = evidence.books.orders
    by_saga = _by_saga(orders)
    outcomes = Counter(saga.outcome for saga in evidence.sagas)
    failed = [saga.saga_id for saga in evidence.sagas if saga.outcome is OutcomeKind.FAILED]
    labels = Counter(order.label for order in orders)
    leaves = [
        saga_id
        for saga_id in failed
        if sum((signed(order.direction, order.filled_amount) for order in by_saga[saga_id]), _ZERO) != 0
    ]
    return Totals(
        sagas=len(evidence.sagas),
        completed=outcomes[OutcomeKind.COMPLETED],
        failed=outcomes[OutcomeKind.FAILED],
        failed_after_an_order=sum(1 for saga_id in failed if by_saga[saga_id]),
        unfinished=outcomes[None],
        orders=len(orders),
        fills=len(evidence.books.trades),
        double_orders=sum(count - 1 for count in labels.values()),
        orders_left_behind=sum(1 for order in orders if order.is_open) + len(leaves),
    )


def _by_saga(orders: Iterable[OrderSnapshot]) -> dict[UUID, list[OrderSnapshot]]:
    found: dict[UUID, list[OrderSnapshot]] = defaultdict(list)
    for order in orders:
        saga_id = saga_of_label(order.label)
        if saga_id is not None:
            found[saga_id].append(order)
    return found


def _lost(evidence: Evidence) -> list[str]:
    known = {saga.saga_id for saga in evidence.sagas}
    return [
        f"saga {saga_id} was acknowledged for {by_signal}, and no journal knows it"
        for saga_id, by_signal in evidence.acknowledged.items()
        if saga_id not in known
    ]


def _signals_used_twice(sagas: Iterable[SagaRecords]) -> list[str]:
    by_signal: dict[str, list[SagaRecords]] = defaultdict(list)
    for saga in sagas:
        by_signal[saga.intent.strategy].append(saga)
    return [
        f"{by} has started {len(started)} sagas: {', '.join(str(saga.saga_id) for saga in started)}"
        for by, started in by_signal.items()
        if len(started) > 1
    ]


def _ends(saga: SagaRecords) -> list[str]:
    """One terminal record, and every step that heard of it heard the same, once."""
    resolved = [record.event.outcome for record in saga.initiator if isinstance(record.event, SagaResolved)]
    found = []
    if len(resolved) > 1:
        found.append(f"saga {saga.saga_id} has ended {len(resolved)} times: {', '.join(map(str, resolved))}")
    for step, records in saga.steps.items():
        ends = [record.event.outcome for record in records if isinstance(record.event, SagaEnded)]
        if len(ends) > 1 or any(end is not saga.outcome for end in ends):
            heard = ", ".join(map(str, ends))
            found.append(f"saga {saga.saga_id} has ended as {saga.outcome}, but {step} has noted: {heard}")
    return found


def _told_otherwise(evidence: Evidence) -> list[str]:
    outcomes = {saga.saga_id: saga.outcome for saga in evidence.sagas}
    return [
        f"saga {saga_id} was told to have {told.value}, its journal says {outcomes.get(SagaId(saga_id))}"
        for saga_id, told in dict.fromkeys(evidence.told)
        if outcomes.get(SagaId(saga_id)) is not told
    ]


def _labels(sagas: Sequence[SagaRecords], orders: Iterable[OrderSnapshot]) -> list[str]:
    """One key for the order and one for its undo, and nothing is sent that was not journaled before."""
    by_saga = _by_saga(orders)
    found = []
    for saga in sagas:
        mine = by_saga[saga.saga_id]
        do = label_of(idempotency_key(saga.saga_id, PLACE_ORDER.name, "do"))
        undo = idempotency_key(saga.saga_id, PLACE_ORDER.name, "undo")
        known = {do, *(label_of(undo, number) for number in range(1, MOST_OFFSETS + 1))}
        found += [
            f"saga {saga.saga_id}: order {order.order_id} has label {order.label}, which no key of it gives"
            for order in mine
            if order.label not in known
        ]
        records = saga.steps.get(PLACE_ORDER.name, ())
        if mine and not any(isinstance(record.event, StepExecutionStarted) for record in records):
            found.append(f"saga {saga.saga_id} has orders, but its journal has no attempt to place one")
    return found


def _offset_too_early(ledger: Iterable[LedgerEntry]) -> list[str]:
    """An offset before its order has ended takes back less than may still be filled."""
    open_orders: dict[UUID, set[str]] = defaultdict(set)
    seen: set[str] = set()
    found = []
    for entry in ledger:
        for order in entry.orders:
            saga_id = saga_of_label(order.label)
            if saga_id is None:
                continue
            if order.order_id not in seen and open_orders[saga_id]:
                others = ", ".join(sorted(open_orders[saga_id]))
                found.append(f"saga {saga_id}: order {order.order_id} was taken while order {others} was open")
            seen.add(order.order_id)
            (open_orders[saga_id].add if order.is_open else open_orders[saga_id].discard)(order.order_id)
    return found
