"""The important flows once more over a real socket: outcome, journals and the exchange's books must agree."""

from decimal import Decimal

import pytest

from deribit_example.exchange import FaultName
from deribit_example.saga.types import MONITOR_ORDER, PREPARE_ORDER
from saga_choreography import StepCompleted
from tests.e2e.exchange_harness import ExchangeHarness
from tests.e2e.mock_books import BTC, ETH, SOL
from tests.e2e.program_harness import COORDINATOR, MONITOR, PLACER


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
    with ExchangeHarness(hold_fills=True) as harness:
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
def test_a_partial_fill_is_offset_when_the_exchange_cancels_the_rest(side: str) -> None:
    with ExchangeHarness(hold_fills=True) as harness:
        saga = harness.start_order(BTC, "buy" if side == "buy" else "sell")
        harness.collector.wait_for(StepCompleted, saga_id=saga, step="place_order")
        order = harness.wait_for_order()
        harness.exchange.fill_order(order.order_id, Decimal(10))
        harness.exchange.release_fills()
        harness.exchange.hold_fills(ETH)
        outcome = harness.wait_for_outcome(saga)
        del outcome
