"""Orders through all seven actors on a mock connection: what the exchange says decides how the saga ends."""

from decimal import Decimal

import pytest
from attrs import evolve

from deribit_example.actors.deribit_ws import CancelOrder, GetOrderState, GetOrderStateByLabel, PlaceOrder
from deribit_example.actors.risk_manager import Accepted
from deribit_example.actors.ta_signal import CrossoverSettings, MarketTick
from deribit_example.saga.types import MONITOR_ORDER, PREPARE_ORDER
from saga_choreography import StepAck, StepCompleted
from tests.e2e.mock_behavior import Fills, MockWSBehavior, Updates, in_turn, refuse
from tests.e2e.mock_books import BTC, ETH, MARK_PRICES, SOL
from tests.e2e.mock_harness import TestHarness
from tests.e2e.program_harness import COORDINATOR, MONITOR, PLACER
from tests.e2e.quick_settings import QUICK

BY_HAND = MockWSBehavior(fills=Fills.BY_HAND)

FILLED_STORY = [
    "SagaStarted",
    "StepStarted prepare_order",
    "StepCompleted prepare_order",
    "StepStarted place_order",
    "StepCompleted place_order",
    "StepStarted monitor_order",
    "StepCompleted monitor_order",
    "SagaCompleted",
]


def test_happy_path_order_placed_and_filled() -> None:
    with TestHarness.with_behavior(MockWSBehavior()) as harness:
        saga = harness.start_order()
        harness.completed(saga)
        (order,) = harness.books.orders()
        assert (order.state, order.direction, order.filled_amount) == ("filled", "buy", Decimal(40))
        placed = harness.placed_order(saga)
        assert (placed.order_id, placed.label, placed.price) == (order.order_id, order.label, order.price)
        assert saga.hex in order.label
        filled = harness.handle(saga).output_of(MONITOR_ORDER)
        assert (filled.order_id, filled.filled_amount) == (order.order_id, Decimal(40))
        assert harness.net_position() == Decimal(40)
        harness.collector.wait_for_outcome(saga)
        assert harness.collector.transcript(saga) == FILLED_STORY
        assert len(harness.books.requests(PlaceOrder)) == 1
        assert harness.books.requests(CancelOrder) == []
        assert harness.books.requests(GetOrderStateByLabel) == []
        for peer in (PLACER, COORDINATOR, MONITOR):
            stats = harness.stats(peer)
            assert (stats.triggered, stats.attempts_started, stats.completed, stats.compensated) == (1, 1, 1, 0)
        assert dict(harness.risk_book().holds) == {}
        harness.assert_nothing_was_retold()


def test_market_data_becomes_a_filled_order() -> None:
    """All seven actors: ticks in, a crossover, a signal, a saga, an order."""
    settings = evolve(QUICK, signals=CrossoverSettings(fast=1, slow=2, rsi=1, full_gap=0.000_001))
    with TestHarness.with_behavior(MockWSBehavior(), settings) as harness:
        mark = MARK_PRICES[BTC]
        for at_millis, price in enumerate([mark, mark - 2, mark - 4, mark]):
            harness.program.feed(MarketTick(instrument=BTC, price=price, at_millis=at_millis))
        decision = harness.next_decision()
        assert isinstance(decision, Accepted)
        assert (decision.signal.side, decision.signal.price, decision.signal.at_millis) == ("buy", mark, 3)
        harness.completed(decision.saga_id)
        (order,) = harness.books.orders()
        assert (order.state, order.direction) == ("filled", "buy")
        harness.assert_nothing_was_retold()


def test_sell_signal_flow() -> None:
    with TestHarness.with_behavior(MockWSBehavior()) as harness:
        saga = harness.start_order(BTC, "sell")
        harness.completed(saga)
        (order,) = harness.books.orders()
        assert (order.direction, order.state) == ("sell", "filled")
        assert order.price is not None
        assert order.price < MARK_PRICES[BTC], "a seller accepts a worse price, which is a lower one"
        assert harness.net_position() == Decimal(-40)
        harness.assert_nothing_was_retold()


def test_order_filled_completes_saga() -> None:
    with TestHarness.with_behavior(BY_HAND) as harness:
        saga = harness.start_order()
        harness.collector.wait_for(StepCompleted, saga_id=saga, step="place_order")
        harness.fill_order(amount=Decimal(10))
        assert harness.handle(saga).outcome() is None
        harness.fill_order()
        harness.completed(saga)
        assert harness.handle(saga).output_of(MONITOR_ORDER).filled_amount == Decimal(40)
        assert harness.net_position() == Decimal(40)
        harness.assert_nothing_was_retold()


def test_order_cancelled_fails_saga() -> None:
    with TestHarness.with_behavior(BY_HAND) as harness:
        saga = harness.start_order()
        harness.collector.wait_for(StepCompleted, saga_id=saga, step="place_order")
        harness.cancel_order_as_exchange()
        outcome = harness.failed(saga)
        assert outcome.cause.steps == ("monitor_order",)
        assert "autoliquidation" in outcome.reason
        (order,) = harness.books.orders()
        assert (order.state, order.filled_amount) == ("cancelled", Decimal(0))
        assert harness.stats(COORDINATOR).compensated == 1
        assert harness.net_position() == 0
        harness.assert_nothing_was_retold()


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_a_partly_filled_order_that_is_cancelled_is_offset(side: str) -> None:
    with TestHarness.with_behavior(BY_HAND) as harness:
        saga = harness.start_order(BTC, "buy" if side == "buy" else "sell")
        harness.collector.wait_for(StepCompleted, saga_id=saga, step="place_order")
        harness.fill_order(amount=Decimal(10))
        harness.cancel_order_as_exchange()
        harness.failed(saga)
        first, offset = harness.books.orders()
        assert (first.state, first.filled_amount) == ("cancelled", Decimal(10))
        assert (offset.state, offset.filled_amount, offset.price) == ("filled", Decimal(10), None)
        assert first.direction == side
        assert offset.direction != side
        assert first.label != offset.label
        assert harness.net_position() == 0
        harness.assert_nothing_was_retold()


def test_order_rejected_triggers_compensation() -> None:
    behavior = MockWSBehavior(place_order_response=in_turn(refuse(10009, "not_enough_funds")))
    with TestHarness.with_behavior(behavior) as harness:
        saga = harness.start_order()
        outcome = harness.failed(saga)
        assert outcome.cause.steps == ("place_order",)
        assert "10009" in outcome.reason
        assert harness.books.orders() == []
        assert len(harness.books.requests(PlaceOrder)) == 1, "a refusal is final"
        assert harness.handle(saga).output_of(PREPARE_ORDER).amount == Decimal(40)
        harness.collector.wait_for_outcome(saga)
        answers = {ack.step_name: ack.status.value for ack in harness.collector.of(StepAck, saga_id=saga)}
        assert answers == {"prepare_order": "nothing_to_undo", "monitor_order": "not_applicable"}
        assert (harness.stats(COORDINATOR).failed, harness.stats(COORDINATOR).compensated) == (1, 0)
        assert dict(harness.risk_book().holds) == {}
        harness.assert_nothing_was_retold()


@pytest.mark.parametrize("applied", [False, True], ids=["not applied", "applied all the same"])
@pytest.mark.parametrize("code", [10028, 13028, 11094], ids=["throttled", "unavailable", "internal error"])
def test_ws_error_response(code: int, applied: bool) -> None:
    """An error that leaves the outcome open is settled by asking for the label: exactly one order, whatever it was."""
    behavior = MockWSBehavior(place_order_response=in_turn(refuse(code, applied=applied)))
    with TestHarness.with_behavior(behavior) as harness:
        saga = harness.start_order()
        harness.completed(saga)
        (order,) = harness.books.orders()
        assert harness.placed_order(saga).order_id == order.order_id
        assert len(harness.books.requests(PlaceOrder)) == (1 if applied else 2)
        labels = {request.order.label for request in harness.books.requests(PlaceOrder)}
        assert labels == {order.label}, "every attempt carries the label that was journaled first"
        assert harness.net_position() == Decimal(40)


def test_multiple_different_instruments() -> None:
    with TestHarness.with_behavior(MockWSBehavior()) as harness:
        sagas = {instrument: harness.start_order(instrument) for instrument in (BTC, ETH, SOL)}
        for instrument, saga in sagas.items():
            harness.completed(saga)
            (order,) = harness.books.orders(instrument=instrument)
            assert harness.placed_order(saga).order_id == order.order_id
        positions = {instrument: harness.net_position(instrument) for instrument in sagas}
        assert positions == {BTC: Decimal(40), ETH: Decimal(10), SOL: Decimal(1)}
        harness.assert_nothing_was_retold()


def test_concurrent_sagas_different_instruments() -> None:
    with TestHarness.with_behavior(BY_HAND) as harness:
        btc, eth, sol = (harness.start_order(instrument) for instrument in (BTC, ETH, SOL))
        for saga in (btc, eth, sol):
            harness.collector.wait_for(StepCompleted, saga_id=saga, step="place_order")
        assert set(harness.risk_book().holds) == {BTC, ETH, SOL}
        harness.fill_order(SOL)
        harness.completed(sol)
        assert harness.handle(btc).outcome() is None
        harness.cancel_order_as_exchange(ETH)
        harness.failed(eth)
        assert harness.handle(btc).outcome() is None
        harness.fill_order(BTC)
        harness.completed(btc)
        positions = {instrument: harness.net_position(instrument) for instrument in (BTC, ETH, SOL)}
        assert positions == {BTC: Decimal(40), ETH: Decimal(0), SOL: Decimal(1)}
        harness.assert_nothing_was_retold()


@pytest.mark.parametrize("updates", [Updates.DOUBLED, Updates.BEFORE_REPLY])
def test_duplicate_event_handling(updates: Updates) -> None:
    """Updates that come twice, or before the reply to the order they speak of, change nothing."""
    with TestHarness.with_behavior(MockWSBehavior(fills=Fills.BY_HAND, updates=updates)) as harness:
        saga = harness.start_order()
        harness.collector.wait_for(StepCompleted, saga_id=saga, step="place_order")
        harness.fill_order(amount=Decimal(10))
        harness.repeat_update()
        harness.fill_order()
        harness.repeat_update()
        harness.completed(saga)
        harness.repeat_update()
        again = harness.start_order()
        harness.collector.wait_for(StepCompleted, saga_id=again, step="place_order")
        harness.fill_order()
        harness.completed(again)
        for peer in (COORDINATOR, MONITOR):
            assert (harness.stats(peer).completed, harness.stats(peer).failed) == (2, 0)
        assert len(harness.books.orders()) == 2
        assert harness.net_position() == Decimal(80)
        harness.assert_nothing_was_retold()


def test_a_lost_update_is_found_by_asking_when_the_session_is_back() -> None:
    with TestHarness.with_behavior(MockWSBehavior(fills=Fills.BY_HAND, updates=Updates.LOST)) as harness:
        saga = harness.start_order()
        harness.books.wait_for(lambda books: len(books.requests(GetOrderState)) == 1)
        harness.fill_order()
        assert harness.handle(saga).outcome() is None
        harness.drop_ws_connection()
        harness.completed(saga)
        assert len(harness.books.orders()) == 1
        assert harness.net_position() == Decimal(40)
