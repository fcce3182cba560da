"""The checker bites: in what a real run has left behind, every kind of broken promise is planted and found."""

import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from attrs import evolve

from deribit_example.demo.journals import SagaRecords
from deribit_example.exchange import OrderSnapshot
from saga_choreography import SagaId
from saga_choreography.events import OutcomeKind, SagaResolved, StepExecutionStarted
from tests.deribit_soak.__main__ import main
from tests.deribit_soak.checking import disagreements, totals, violations
from tests.deribit_soak.evidence import Evidence
from tests.deribit_soak.ledger import LedgerEntry, append_entry
from tests.deribit_soak.places import Notebook, Places


def completed_saga(evidence: Evidence) -> SagaRecords:
    return next(saga for saga in evidence.sagas if saga.outcome is OutcomeKind.COMPLETED)


def failed_saga(evidence: Evidence) -> SagaRecords:
    return next(saga for saga in evidence.sagas if saga.outcome is OutcomeKind.FAILED)


def order_of(evidence: Evidence, saga: SagaRecords) -> OrderSnapshot:
    return next(order for order in evidence.books.orders if saga.saga_id.hex in order.label)


def with_entry(evidence: Evidence, order: OrderSnapshot) -> Evidence:
    return evolve(evidence, ledger=(*evidence.ledger, LedgerEntry(orders=(order,))))


def with_saga(evidence: Evidence, saga: SagaRecords) -> Evidence:
    return evolve(evidence, sagas=tuple(saga if saga.saga_id == each.saga_id else each for each in evidence.sagas))


def doubled(evidence: Evidence) -> Evidence:
    first = order_of(evidence, completed_saga(evidence))
    return with_entry(evidence, evolve(first, order_id="DOUBLE-1"))


def under_another_key(evidence: Evidence) -> Evidence:
    first = order_of(evidence, completed_saga(evidence))
    nothing = Decimal(0)
    second = evolve(first, order_id="DOUBLE-2", label=f"{first.label}-again", order_state="cancelled")
    return with_entry(evidence, evolve(second, filled_amount=nothing))


def left_open(evidence: Evidence) -> Evidence:
    saga = failed_saga(evidence)
    model = order_of(evidence, completed_saga(evidence))
    label = f"sg-{saga.saga_id.hex}-place_order-do"
    nothing = Decimal(0)
    return with_entry(
        evidence, evolve(model, order_id="OPEN-1", label=label, order_state="open", filled_amount=nothing)
    )


def position_left(evidence: Evidence) -> Evidence:
    """The ledger without the fills of one offset."""
    offsets = {order.order_id for order in evidence.books.orders if "-undo" in order.label and order.filled_amount}
    assert offsets, "no order was taken back"
    offset = min(offsets)
    kept = tuple(
        evolve(
            entry,
            orders=tuple(order for order in entry.orders if order.order_id != offset),
            trades=tuple(trade for trade in entry.trades if trade.order_id != offset),
        )
        for entry in evidence.ledger
    )
    return evolve(evidence, ledger=kept)


def lost(evidence: Evidence) -> Evidence:
    saga = failed_saga(evidence)
    return evolve(evidence, sagas=tuple(each for each in evidence.sagas if each is not saga))


def acknowledged_and_lost(evidence: Evidence) -> Evidence:
    return evolve(evidence, acknowledged={**evidence.acknowledged, uuid4(): "signal-0-0"})


def unfinished(evidence: Evidence) -> Evidence:
    saga = failed_saga(evidence)
    return with_saga(evidence, evolve(saga, initiator=saga.initiator[:-1]))


def ended_twice(evidence: Evidence) -> Evidence:
    saga = completed_saga(evidence)
    last = saga.initiator[-1]
    again = evolve(last, sequence=last.sequence + 1, event=SagaResolved(outcome=OutcomeKind.COMPLETED))
    return with_saga(evidence, evolve(saga, initiator=(*saga.initiator, again)))


def ended_differently(evidence: Evidence) -> Evidence:
    saga = failed_saga(evidence)
    last = evolve(saga.initiator[-1], event=SagaResolved(outcome=OutcomeKind.COMPLETED))
    return with_saga(evidence, evolve(saga, initiator=(*saga.initiator[:-1], last)))


def told_differently(evidence: Evidence) -> Evidence:
    saga = completed_saga(evidence)
    return evolve(evidence, told=(*evidence.told, (saga.saga_id, OutcomeKind.FAILED)))


def one_signal_two_sagas(evidence: Evidence) -> Evidence:
    first, second = completed_saga(evidence), failed_saga(evidence)
    return with_saga(evidence, evolve(second, intent=evolve(second.intent, strategy=first.intent.strategy)))


def sent_before_it_was_journaled(evidence: Evidence) -> Evidence:
    saga = completed_saga(evidence)
    records = tuple(each for each in saga.steps["place_order"] if not isinstance(each.event, StepExecutionStarted))
    return with_saga(evidence, evolve(saga, steps={**saga.steps, "place_order": records}))


def offset_while_open(evidence: Evidence) -> Evidence:
    """The ledger in which an order's end came after its offset."""
    at, offset = next(
        (at, order)
        for at, entry in enumerate(evidence.ledger)
        for order in entry.orders
        if order.label.endswith("-undo") and order.filled_amount
    )
    label = offset.label.removesuffix("undo") + "do"
    placed = next(order for order in evidence.books.orders if order.label == label)
    still_open = LedgerEntry(orders=(evolve(placed, order_state="open"),))
    ended = LedgerEntry(orders=(placed,))
    return evolve(evidence, ledger=(*evidence.ledger[:at], still_open, *evidence.ledger[at:], ended))


def orphaned(evidence: Evidence) -> Evidence:
    return evolve(evidence, orphans=(uuid4(),))


@pytest.mark.parametrize(
    ("plant", "found"),
    [
        (doubled, "2 orders carry the label"),
        (under_another_key, "which no key of it gives"),
        (left_open, "is still open"),
        (position_left, "has failed, but leaves"),
        (lost, "no journal knows it"),
        (acknowledged_and_lost, "no journal knows it"),
        (unfinished, "has no outcome"),
        (ended_twice, "has ended 2 times"),
        (ended_differently, "has noted"),
        (told_differently, "was told to have failed"),
        (one_signal_two_sagas, "has started 2 sagas"),
        (sent_before_it_was_journaled, "no attempt to place one"),
        (offset_while_open, "was open"),
        (orphaned, "but no start"),
    ],
)
def test_a_broken_promise_is_found(evidence: Evidence, plant: Callable[[Evidence], Evidence], found: str) -> None:
    sentences = violations(plant(evidence))
    assert any(found in sentence for sentence in sentences), sentences


def test_planted_orders_are_counted(evidence: Evidence) -> None:
    assert totals(doubled(evidence)).double_orders == 1
    assert totals(left_open(evidence)).orders_left_behind == 1
    assert totals(position_left(evidence)).orders_left_behind == 1


def test_a_ledger_that_is_not_what_the_exchange_remembers_is_found(evidence: Evidence) -> None:
    memory = evidence.books
    assert disagreements(memory, memory) == ()
    assert "different orders" in disagreements(memory, evolve(memory, orders=memory.orders[1:]))[0]
    assert "different fills" in disagreements(memory, evolve(memory, trades=memory.trades[1:]))[0]
    assert "different positions" in disagreements(memory, evolve(memory, positions=memory.positions[1:]))[0]


def test_the_command_tells_the_story_of_a_double_order(
    places: Places, evidence: Evidence, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoiled = Places(tmp_path / "run")
    shutil.copytree(places.root, spoiled.root)
    assert main(["--check", "--dir", str(spoiled.root)]) == 0
    saga = completed_saga(evidence)
    append_entry(spoiled.ledger, LedgerEntry(orders=(evolve(order_of(evidence, saga), order_id="DOUBLE-3"),)))
    assert main(["--check", "--dir", str(spoiled.root)]) == 1
    told = capsys.readouterr().out
    assert "double orders 1" in told
    assert f"WRONG: 2 orders carry the label sg-{saga.saga_id.hex}" in told
    assert f"saga {saga.saga_id}\n" in told
    assert "place_order 1: StepTriggered" in told
    assert "order DOUBLE-3" in told


def test_the_command_tells_of_a_lost_saga(places: Places, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoiled = Places(tmp_path / "run")
    shutil.copytree(places.root, spoiled.root)
    missing = SagaId(UUID(int=7))
    Notebook(spoiled.acknowledged).note(missing.hex, "signal-0-1")
    assert main(["--check", "--dir", str(spoiled.root)]) == 1
    told = capsys.readouterr().out
    assert f"WRONG: saga {missing} was acknowledged for signal-0-1, and no journal knows it" in told
    assert "the journals do not know it" in told
