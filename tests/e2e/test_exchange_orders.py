"""The important flows once more over a real socket: outcome, journals and the exchange's books must agree."""

from decimal import Decimal
from typing import Literal

import pytest
from attrs import evolve

from deribit_example.exchange import FaultName
from deribit_example.saga.types import MONITOR_ORDER, PREPARE_ORDER
from saga_choreography import StepCompleted, StepStarted
from tests.e2e.exchange_harness import ExchangeHarness
from tests.e2e.mock_books import BTC, ETH, SOL
from tests.e2e.program_harness import COORDINATOR, MONITOR, PLACER
from tests.e2e.quick_settings import AGAINST_EXCHANGE


def test_an_order_is_placed_and_filled() -> None:
    with ExchangeHarness() as harness:
        saga = harness.start_order()
        harness.completed(saga)
        (order,) = harness.orders()
        assert (order.order_state, order.direction, order.filled_amount) == ("filled", "buy", Decimal(40))
        placed = harness.placed_order(saga)
        assert (placed.order_id, placed.label, placed.price) == (order.order_id, order.label, order.price)
        filled = harness.handle(saga).output_of(MONITOR_ORDER)
        assert (filled.order_id, filled.filled_amount) == (order.order_id, Decimal(40))
        assert harness.net_position() == Decimal(40)
        for peer in (PLACER, COORDINATOR, MONITOR):
            assert (harness.stats(peer).attempts_started, harness.stats(peer).completed) == (1, 1)
        harness.assert_nothing_was_retold()


def test_a_sell_and_two_other_instruments() -> None:
    with ExchangeHarness() as harness:
        sagas = [harness.start_order(BTC, "sell"), harness.start_order(ETH), harness.start_order(SOL, "sell")]
        for saga in sagas:
            harness.completed(saga)
            (order,) = harness.orders(saga)
            assert harness.placed_order(saga).order_id == order.order_id
        positions = [harness.net_position(instrument) for instrument in (BTC, ETH, SOL)]
        assert positions == [Decimal(-40), Decimal(10), Decimal(-1)]
        harness.assert_nothing_was_retold()


def test_an_order_that_the_exchange_rejects_leaves_nothing() -> None:
    with ExchangeHarness() as harness:
        harness.exchange.faults.arm(FaultName.REJECT_ORDER)
        saga = harness.start_order()
        outcome = harness.failed(saga)
        assert outcome.cause.steps == ("place_order",)
        assert "10009" in outcome.reason
        assert harness.orders() == []
        assert harness.handle(saga).output_of(PREPARE_ORDER).amount == Decimal(40)
        assert harness.net_position() == 0
        harness.completed(harness.start_order())
        assert harness.net_position() == Decimal(40)
        harness.assert_nothing_was_retold()


def test_a_resting_order_is_filled_in_parts() -> None:
    with ExchangeHarness() as harness:
        harness.rest_next_order()
        saga = harness.start_order()
        order = harness.wait_for_order()
        harness.exchange.fill_order(order.order_id, Decimal(10))
        harness.exchange.fill_order(order.order_id, Decimal(20))
        assert harness.handle(saga).outcome() is None
        harness.exchange.fill_order(order.order_id)
        harness.completed(saga)
        assert harness.handle(saga).output_of(MONITOR_ORDER).filled_amount == Decimal(40)
        assert len(harness.orders()) == 1
        assert harness.net_position() == Decimal(40)
        harness.assert_nothing_was_retold()


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_a_partial_fill_is_offset_when_the_exchange_cancels_the_rest(side: Literal["buy", "sell"]) -> None:
    with ExchangeHarness() as harness:
        harness.rest_next_order(filled="0.25")
        saga = harness.start_order(BTC, side)
        order = harness.wait_for_order(filled=Decimal(10))
        harness.exchange.cancel_order_as_exchange(order.order_id)
        outcome = harness.failed(saga)
        assert outcome.cause.steps == ("monitor_order",)
        first, offset = harness.orders(saga)
        assert (first.order_state, first.cancel_reason, first.filled_amount) == (
            "cancelled",
            "autoliquidation",
            Decimal(10),
        )
        assert (offset.order_type, offset.order_state, offset.filled_amount) == ("market", "filled", Decimal(10))
        assert {first.direction, offset.direction} == {"buy", "sell"}
        assert harness.net_position() == 0
        assert (harness.stats(COORDINATOR).compensated, harness.stats(COORDINATOR).undo_attempts_failed) == (1, 0)
        harness.assert_nothing_was_retold()


def test_a_cancelled_saga_cancels_its_order_and_offsets_what_was_filled() -> None:
    with ExchangeHarness() as harness:
        harness.rest_next_order(filled="0.5")
        saga = harness.start_order()
        harness.collector.wait_for(StepCompleted, saga_id=saga, step="place_order")
        harness.system.cancel_saga(saga, "the desk closes")
        harness.failed(saga)
        first, offset = harness.orders(saga)
        assert (first.order_state, first.cancel_reason, first.filled_amount) == (
            "cancelled",
            "user_request",
            Decimal(20),
        )
        assert offset.filled_amount == Decimal(20)
        assert harness.net_position() == 0
        harness.assert_nothing_was_retold()


def test_a_cancel_that_loses_the_race_against_a_fill_offsets_all_of_it() -> None:
    with ExchangeHarness() as harness:
        harness.rest_next_order(filled="0.25")
        saga = harness.start_order()
        harness.collector.wait_for(StepCompleted, saga_id=saga, step="place_order")
        harness.exchange.faults.arm(FaultName.LOSE_USER_ORDER_EVENT, count=None)
        harness.exchange.faults.arm(FaultName.FILL_BEFORE_CANCEL)
        harness.system.cancel_saga(saga, "the desk closes")
        harness.failed(saga)
        first, offset = harness.orders(saga)
        assert (first.order_state, first.filled_amount) == ("filled", Decimal(40))
        assert offset.filled_amount == Decimal(40)
        assert harness.net_position() == 0


@pytest.mark.parametrize("fault", [FaultName.DUPLICATE_USER_ORDER_EVENT, FaultName.EVENT_BEFORE_REPLY])
def test_updates_that_come_twice_or_early_change_nothing(fault: FaultName) -> None:
    with ExchangeHarness() as harness:
        harness.exchange.faults.arm(fault, count=None)
        harness.rest_next_order(filled="0.25")
        saga = harness.start_order()
        order = harness.wait_for_order(filled=Decimal(10))
        harness.exchange.fill_order(order.order_id)
        harness.completed(saga)
        harness.completed(harness.start_order())
        assert harness.exchange.faults.fired(fault) > 0
        assert harness.stats(MONITOR).completed == 2
        assert len(harness.orders()) == 2
        assert harness.net_position() == Decimal(80)
        harness.assert_nothing_was_retold()


def test_an_update_that_is_lost_is_found_when_the_session_is_back() -> None:
    with ExchangeHarness() as harness:
        harness.exchange.faults.arm(FaultName.LOSE_USER_ORDER_EVENT, count=None)
        harness.rest_next_order()
        saga = harness.start_order()
        order = harness.wait_for_order()
        harness.collector.wait_for(StepStarted, saga_id=saga, step="monitor_order")
        harness.exchange.fill_order(order.order_id)
        harness.drop_ws_connection()
        harness.completed(saga)
        assert len(harness.orders()) == 1
        assert harness.net_position() == Decimal(40)


def test_an_update_that_is_lost_is_found_by_asking_after_a_while() -> None:
    with ExchangeHarness(evolve(AGAINST_EXCHANGE, follow_up_millis=300)) as harness:
        harness.exchange.faults.arm(FaultName.LOSE_USER_ORDER_EVENT, count=None)
        harness.rest_next_order()
        saga = harness.start_order()
        order = harness.wait_for_order()
        harness.collector.wait_for(StepStarted, saga_id=saga, step="monitor_order")
        harness.exchange.fill_order(order.order_id)
        harness.completed(saga)
        assert harness.exchange.stats().connections_accepted == 1
        assert len(harness.orders()) == 1
        assert harness.net_position() == Decimal(40)
