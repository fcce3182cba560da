"""The connection breaks around a request: whatever was applied is found by its label, and nothing is done twice."""

from decimal import Decimal

import pytest
from attrs import evolve

from deribit_example.actors.deribit_ws import (
    CancelOrder,
    GetInstrument,
    GetOrderState,
    GetOrderStateByLabel,
    PlaceOrder,
)
from deribit_example.actors.deribit_ws.messaging import Request
from saga_choreography import CompensationStarted, SagaFailed, StepCompleted, StepStarted
from tests.e2e.mock_behavior import Drop, Fills, Gate, MockWSBehavior, NotIndexed, drop_at, hold_at, in_turn
from tests.e2e.mock_books import BTC
from tests.e2e.mock_harness import TestHarness
from tests.e2e.program_harness import COORDINATOR, MONITOR
from tests.e2e.quick_settings import QUICK

PATIENT = evolve(QUICK, order_validity_millis=60_000)


@pytest.mark.parametrize("drop", list(Drop))
def test_connection_kill_during_order_placement(drop: Drop) -> None:
    behavior = MockWSBehavior(should_drop_connection=drop_at(PlaceOrder, drop))
    with TestHarness.with_behavior(behavior) as harness:
        saga = harness.start_order()
        harness.completed(saga)
        (order,) = harness.books.orders()
        assert harness.placed_order(saga).order_id == order.order_id
        placements = harness.books.requests(PlaceOrder)
        assert len(placements) == (1 if drop is Drop.AFTER_APPLY else 2)
        assert {request.order.label for request in placements} == {order.label}
        assert len(harness.books.requests(GetOrderStateByLabel)) >= 1
        assert harness.stats(COORDINATOR).attempts_failed >= 1
        assert harness.net_position() == Decimal(40)


def test_an_order_that_the_label_query_sees_late_is_not_placed_again() -> None:
    behavior = MockWSBehavior(
        should_drop_connection=drop_at(PlaceOrder, Drop.AFTER_APPLY),
        state_by_label_response=in_turn(NotIndexed(), NotIndexed()),
    )
    with TestHarness.with_behavior(behavior, PATIENT) as harness:
        saga = harness.start_order()
        harness.completed(saga)
        assert len(harness.books.requests(GetOrderStateByLabel)) == 3
        assert len(harness.books.requests(PlaceOrder)) == 1
        assert harness.net_position() == Decimal(40)


def test_a_connection_that_stays_down_holds_the_saga_until_it_is_back() -> None:
    gate = Gate()
    behavior = MockWSBehavior(hold=hold_at(PlaceOrder, gate), reconnects=False)
    with TestHarness.with_behavior(behavior) as harness:
        saga = harness.start_order()
        gate.wait_until_reached()
        harness.drop_ws_connection()
        gate.open()
        harness.collector.wait_for(StepStarted, saga_id=saga, step="place_order")
        assert harness.handle(saga).outcome() is None
        harness.restore_ws_connection()
        harness.completed(saga)
        assert len(harness.books.orders()) == 1
        assert harness.net_position() == Decimal(40)


def test_a_read_that_is_cut_off_is_simply_repeated() -> None:
    behavior = MockWSBehavior(should_drop_connection=drop_at(GetInstrument, Drop.BEFORE_APPLY))
    with TestHarness.with_behavior(behavior) as harness:
        saga = harness.start_order()
        harness.completed(saga)
        assert len(harness.books.requests(GetInstrument)) == 2
        assert len(harness.books.orders()) == 1


def test_a_connection_kill_while_the_order_is_watched_changes_nothing() -> None:
    with TestHarness.with_behavior(MockWSBehavior(fills=Fills.BY_HAND)) as harness:
        saga = harness.start_order()
        harness.books.wait_for(lambda books: len(books.requests(GetOrderState)) == 1)
        harness.drop_ws_connection()
        harness.drop_ws_connection()
        harness.fill_order()
        harness.completed(saga)
        assert harness.stats(MONITOR).completed == 1
        assert len(harness.books.orders()) == 1


@pytest.mark.parametrize("drop", list(Drop))
def test_connection_kill_during_compensation(drop: Drop) -> None:
    """The cancel is cut off: it is repeated, and what was filled is taken back once."""
    behavior = MockWSBehavior(
        fills=Fills.BY_HAND, fill_amount=Decimal(10), should_drop_connection=drop_at(CancelOrder, drop)
    )
    with TestHarness.with_behavior(behavior) as harness:
        saga = harness.start_order()
        harness.collector.wait_for(StepCompleted, saga_id=saga, step="place_order")
        harness.system.cancel_saga(saga, "the desk closes")
        outcome = harness.failed(saga)
        assert "the desk closes" in outcome.reason
        first, offset = harness.books.orders()
        assert (first.state, first.filled_amount) == ("cancelled", Decimal(10))
        assert (offset.direction, offset.filled_amount) == ("sell", Decimal(10))
        assert len(harness.books.requests(CancelOrder)) == 2
        assert harness.stats(COORDINATOR).undo_attempts_failed == 1
        assert harness.stats(COORDINATOR).compensated == 1
        assert harness.net_position() == 0


@pytest.mark.parametrize("drop", list(Drop))
def test_connection_kill_during_the_offset_takes_back_no_more_than_was_filled(drop: Drop) -> None:
    cut = drop_at(PlaceOrder, drop)

    def at_the_offset(request: Request) -> Drop | None:
        is_offset = isinstance(request, PlaceOrder) and request.order.order_type == "market"
        return cut(request) if is_offset else None

    behavior = MockWSBehavior(fills=Fills.BY_HAND, fill_amount=Decimal(10), should_drop_connection=at_the_offset)
    with TestHarness.with_behavior(behavior) as harness:
        saga = harness.start_order()
        harness.collector.wait_for(StepCompleted, saga_id=saga, step="place_order")
        harness.cancel_order_as_exchange()
        harness.failed(saga)
        assert len(harness.books.orders(instrument=BTC)) == 2
        offsets = [sent for sent in harness.books.requests(PlaceOrder) if sent.order.order_type == "market"]
        assert len(offsets) == (1 if drop is Drop.AFTER_APPLY else 2)
        assert len({sent.order.label for sent in offsets}) == 1
        assert harness.net_position() == 0


def test_a_cancelled_saga_whose_order_is_still_on_its_way_is_undone_when_it_arrives() -> None:
    """The fence comes while the order is being placed: its late success is undone, never leaked."""
    gate = Gate()
    with TestHarness.with_behavior(MockWSBehavior(hold=hold_at(PlaceOrder, gate), fills=Fills.BY_HAND)) as harness:
        saga = harness.start_order()
        gate.wait_until_reached()
        harness.system.cancel_saga(saga, "too slow")
        gate.open()
        harness.failed(saga)
        (order,) = harness.books.orders()
        assert (order.state, order.filled_amount) == ("cancelled", Decimal(0))
        harness.collector.wait_for_outcome(saga)
        assert harness.collector.of(StepStarted, saga_id=saga, step="monitor_order") == ()
        assert len(harness.collector.of(CompensationStarted, saga_id=saga)) == 1
        assert len(harness.collector.of(SagaFailed, saga_id=saga)) == 1
        harness.assert_nothing_was_retold()
