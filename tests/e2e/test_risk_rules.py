"""What the risk manager lets through, and when it frees what it holds, with live sagas behind its decisions."""

from decimal import Decimal

from attrs import evolve

from deribit_example.actors.deribit_ws import PlaceOrder
from deribit_example.actors.risk_manager import Rejected, RejectReason, RiskLimits
from saga_choreography import StepCompleted
from tests.e2e.mock_behavior import Apply, Fills, MockWSBehavior, always, in_turn, refuse
from tests.e2e.mock_books import BTC, ETH, SOL
from tests.e2e.mock_harness import TestHarness
from tests.e2e.program_harness import COORDINATOR, PLACER
from tests.e2e.quick_settings import AMOUNTS, QUICK, with_limits

BY_HAND = MockWSBehavior(fills=Fills.BY_HAND)


def test_risk_rejected_low_confidence() -> None:
    with TestHarness.with_behavior(MockWSBehavior()) as harness:
        decision = harness.send_signal(confidence=0.59)
        assert isinstance(decision, Rejected)
        assert decision.reason is RejectReason.LOW_CONFIDENCE
        assert "0.59" in decision.detail
        assert harness.collector.events() == (), "no saga was started"
        assert harness.books.requests(PlaceOrder) == []
        assert harness.stats(PLACER).triggered == 0
        harness.completed(harness.start_order())
        harness.assert_nothing_was_retold()


def test_an_instrument_that_is_not_traded_is_rejected() -> None:
    settings = with_limits(evolve(QUICK.limits, order_amounts={BTC: Decimal(40)}))
    with TestHarness.with_behavior(MockWSBehavior(), settings) as harness:
        assert harness.refusal(ETH) is RejectReason.UNKNOWN_INSTRUMENT
        assert harness.collector.events() == ()
        harness.assert_nothing_was_retold()


def test_instrument_blocked_during_active_saga() -> None:
    with TestHarness.with_behavior(BY_HAND) as harness:
        saga = harness.start_order()
        harness.collector.wait_for(StepCompleted, saga_id=saga, step="place_order")
        assert harness.refusal() is RejectReason.INSTRUMENT_BUSY
        other = harness.start_order(ETH)
        harness.fill_order(BTC)
        harness.completed(saga)
        again = harness.start_order()
        assert again != saga
        for instrument, live in ((ETH, other), (BTC, again)):
            harness.collector.wait_for(StepCompleted, saga_id=live, step="place_order")
            harness.fill_order(instrument)
            harness.completed(live)
        assert len(harness.books.orders(instrument=BTC)) == 2
        harness.assert_nothing_was_retold()


def test_a_failed_saga_frees_its_instrument() -> None:
    behavior = MockWSBehavior(place_order_response=in_turn(refuse(10009)))
    with TestHarness.with_behavior(behavior) as harness:
        harness.failed(harness.start_order())
        harness.completed(harness.start_order())
        assert len(harness.books.orders()) == 1
        harness.assert_nothing_was_retold()


def test_exposure_limit_exceeded() -> None:
    limits = RiskLimits(order_amounts=AMOUNTS, exposure_limit=Decimal(60))
    with TestHarness.with_behavior(BY_HAND, with_limits(limits)) as harness:
        btc = harness.start_order(BTC)
        eth = harness.start_order(ETH)
        assert harness.risk_book().exposure == Decimal(50)
        assert harness.refusal(SOL) is RejectReason.EXPOSURE_LIMIT
        harness.collector.wait_for(StepCompleted, saga_id=btc, step="place_order")
        harness.fill_order(BTC)
        harness.completed(btc)
        assert harness.risk_book().exposure == Decimal(10)
        harness.collector.wait_for(StepCompleted, saga_id=eth, step="place_order")
        harness.cancel_order_as_exchange(ETH)
        harness.failed(eth)
        assert harness.risk_book().exposure == 0
        assert harness.books.orders(instrument=SOL) == []
        harness.assert_nothing_was_retold()


def test_circuit_breaker_on_repeated_failures() -> None:
    limits = RiskLimits(order_amounts=AMOUNTS, breaker_failures=2, breaker_cooldown_millis=600_000)
    behavior = MockWSBehavior(place_order_response=always(refuse(10009)))
    with TestHarness.with_behavior(behavior, with_limits(limits)) as harness:
        harness.failed(harness.start_order(BTC))
        harness.failed(harness.start_order(ETH))
        assert harness.risk_book().failures_in_a_row == 2
        assert harness.refusal(SOL) is RejectReason.CIRCUIT_OPEN
        assert harness.refusal(BTC) is RejectReason.CIRCUIT_OPEN
        assert len(harness.books.requests(PlaceOrder)) == 2
        assert harness.stats(COORDINATOR).failed == 2
        harness.assert_nothing_was_retold()


def test_a_success_between_failures_keeps_the_circuit_closed() -> None:
    limits = RiskLimits(order_amounts=AMOUNTS, breaker_failures=2, breaker_cooldown_millis=600_000)
    bad, good = refuse(10009), Apply()
    behavior = MockWSBehavior(place_order_response=in_turn(bad, good, bad))
    with TestHarness.with_behavior(behavior, with_limits(limits)) as harness:
        harness.failed(harness.start_order())
        harness.completed(harness.start_order())
        harness.failed(harness.start_order())
        harness.completed(harness.start_order())
        assert len(harness.books.orders()) == 2
        harness.assert_nothing_was_retold()


def test_the_circuit_closes_after_its_cooldown() -> None:
    limits = RiskLimits(order_amounts=AMOUNTS, breaker_failures=1, breaker_cooldown_millis=0)
    behavior = MockWSBehavior(place_order_response=in_turn(refuse(10009)))
    with TestHarness.with_behavior(behavior, with_limits(limits)) as harness:
        harness.failed(harness.start_order())
        harness.completed(harness.start_order())
        harness.assert_nothing_was_retold()


def test_holds_are_rebuilt_after_a_restart() -> None:
    with TestHarness.with_behavior(BY_HAND) as harness:
        saga = harness.start_order()
        harness.collector.wait_for(StepCompleted, saga_id=saga, step="place_order")
        before = harness.risk_book().holds
        harness.restart()
        assert harness.risk_book().holds == before
        assert harness.refusal() is RejectReason.INSTRUMENT_BUSY
        harness.fill_order()
        harness.completed(saga)
        assert dict(harness.risk_book().holds) == {}
        assert len(harness.books.orders()) == 1
        assert harness.net_position() == Decimal(40)
