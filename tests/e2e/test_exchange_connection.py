"""Everything that can happen to a connection, over a real socket: one order in the exchange's books, never two."""

from decimal import Decimal

import pytest

from deribit_example.actors.deribit_ws import BadCredentials, DeribitClient, ExchangeUnreachable
from deribit_example.exchange import FaultName, SimulatedExchange
from deribit_example.program import start_deribit_ws
from saga_choreography import StepCompleted, StepStarted
from tests.e2e.exchange_harness import STILL_MARKET, ExchangeHarness, connection_to
from tests.e2e.program_harness import COORDINATOR, MONITOR
from tests.e2e.quick_settings import SOON_SETTLED


@pytest.mark.parametrize("kind", ["reset", "eof", "heartbeat_close"])
def test_a_connection_killed_after_the_order_was_applied_leaves_one_order(kind: str) -> None:
    with ExchangeHarness() as harness:
        harness.exchange.faults.arm(FaultName.APPLY_THEN_DROP, kind=kind)
        saga = harness.start_order()
        harness.completed(saga)
        (order,) = harness.orders()
        assert harness.placed_order(saga).order_id == order.order_id
        assert harness.stats(COORDINATOR).attempts_started == 1, "found by its label, not sent again"
        assert harness.stats(COORDINATOR).attempts_failed == 1
        assert harness.exchange.stats().connections_accepted == 2
        assert harness.net_position() == Decimal(40)


def test_a_connection_killed_before_the_order_was_applied_places_it_once() -> None:
    with ExchangeHarness(SOON_SETTLED) as harness:
        harness.exchange.faults.arm(FaultName.DROP_BEFORE_APPLY)
        saga = harness.start_order()
        harness.completed(saga)
        (order,) = harness.orders()
        assert harness.placed_order(saga).order_id == order.order_id
        assert harness.stats(COORDINATOR).attempts_started == 2
        assert harness.net_position() == Decimal(40)


def test_an_order_applied_after_its_connection_died_is_waited_for() -> None:
    """The label query sees nothing at first: that is no proof while the order may still be on its way."""
    with ExchangeHarness() as harness:
        harness.exchange.faults.arm(FaultName.DROP_THEN_APPLY, millis=800)
        saga = harness.start_order()
        harness.completed(saga)
        (order,) = harness.orders()
        assert harness.placed_order(saga).order_id == order.order_id
        assert harness.stats(COORDINATOR).attempts_started == 1
        assert harness.net_position() == Decimal(40)


def test_a_late_answer_that_nothing_was_there_is_no_proof() -> None:
    """`Nothing there` was true when the exchange said it, and is old news when it arrives after the deadline."""
    with ExchangeHarness(SOON_SETTLED) as harness:
        harness.exchange.faults.arm(FaultName.DROP_THEN_APPLY, millis=1_000)
        harness.exchange.faults.arm(FaultName.DELAY_REPLY, method="private/get_order_state_by_label", millis=2_000)
        saga = harness.start_order()
        harness.completed(saga)
        assert harness.exchange.faults.fired(FaultName.DELAY_REPLY) == 1
        assert len(harness.orders()) == 1
        assert harness.stats(COORDINATOR).attempts_started == 1
        assert harness.net_position() == Decimal(40)


@pytest.mark.parametrize("code", [13028, 11094, 10047])
def test_an_error_after_the_order_was_applied_leaves_one_order(code: int) -> None:
    with ExchangeHarness() as harness:
        harness.exchange.faults.arm(FaultName.ERROR_AFTER, code=code)
        saga = harness.start_order()
        harness.completed(saga)
        assert len(harness.orders()) == 1
        assert harness.stats(COORDINATOR).attempts_started == 1
        assert harness.net_position() == Decimal(40)


@pytest.mark.parametrize("fault", [FaultName.DROP_BEFORE_APPLY, FaultName.APPLY_THEN_DROP])
def test_a_connection_killed_during_compensation_undoes_exactly_what_was_done(fault: FaultName) -> None:
    with ExchangeHarness() as harness:
        harness.rest_next_order(filled="0.25")
        saga = harness.start_order()
        harness.collector.wait_for(StepCompleted, saga_id=saga, step="place_order")
        harness.exchange.faults.arm(fault, method="private/cancel")
        harness.system.cancel_saga(saga, "the desk closes")
        harness.failed(saga)
        first, offset = harness.orders(saga)
        assert (first.order_state, first.filled_amount) == ("cancelled", Decimal(10))
        assert offset.filled_amount == Decimal(10)
        assert harness.exchange.faults.fired(fault) == 1
        assert harness.stats(COORDINATOR).undo_attempts_failed == 1
        assert harness.net_position() == 0


@pytest.mark.parametrize("fault", [FaultName.DROP_BEFORE_APPLY, FaultName.APPLY_THEN_DROP])
def test_a_connection_killed_during_the_offset_takes_back_exactly_the_fill(fault: FaultName) -> None:
    with ExchangeHarness(SOON_SETTLED) as harness:
        harness.rest_next_order(filled="0.25")
        saga = harness.start_order()
        harness.wait_for_order(filled=Decimal(10))
        harness.collector.wait_for(StepCompleted, saga_id=saga, step="place_order")
        harness.exchange.faults.arm(fault, method="private/sell")
        harness.system.cancel_saga(saga, "the desk closes")
        harness.failed(saga)
        first, offset = harness.orders(saga)
        assert (first.filled_amount, offset.filled_amount) == (Decimal(10), Decimal(10))
        assert harness.exchange.faults.fired(fault) == 1
        assert harness.net_position() == 0


def test_an_expired_token_is_renewed_within_the_saga() -> None:
    with ExchangeHarness() as harness:
        harness.exchange.faults.arm(FaultName.EXPIRE_TOKENS, method="private/buy")
        saga = harness.start_order()
        harness.completed(saga)
        assert harness.exchange.faults.fired(FaultName.EXPIRE_TOKENS) == 1
        assert len(harness.orders()) == 1
        assert harness.stats(COORDINATOR).attempts_started == 1, "the connection settles it without the saga's help"
        assert harness.net_position() == Decimal(40)
        harness.assert_nothing_was_retold()


@pytest.mark.parametrize("kind", ["heartbeat_close", "close", "reset"])
def test_a_session_closed_while_an_order_rests_is_taken_up_again(kind: str) -> None:
    with ExchangeHarness() as harness:
        harness.rest_next_order()
        saga = harness.start_order()
        order = harness.wait_for_order()
        harness.collector.wait_for(StepStarted, saga_id=saga, step="monitor_order")
        harness.drop_ws_connection(kind)
        harness.exchange.wait_for(lambda exchange: exchange.stats().connections_accepted == 2, 30)
        harness.exchange.fill_order(order.order_id)
        harness.completed(saga)
        assert harness.stats(MONITOR).completed == 1
        assert len(harness.orders()) == 1
        assert harness.net_position() == Decimal(40)


def test_a_socket_that_falls_silent_in_the_middle_of_an_order_is_given_up() -> None:
    with ExchangeHarness(SOON_SETTLED, silence_millis=1_000) as harness:
        harness.exchange.faults.arm(FaultName.SILENT_STALL, method="private/buy")
        saga = harness.start_order()
        harness.completed(saga)
        assert harness.exchange.faults.fired(FaultName.SILENT_STALL) == 1
        assert len(harness.orders()) == 1
        assert harness.net_position() == Decimal(40)


@pytest.mark.parametrize(
    ("minutes", "fault"),
    [(7, None), (-7, None), (7, FaultName.APPLY_THEN_DROP), (-7, FaultName.DROP_BEFORE_APPLY)],
)
def test_a_clock_that_is_minutes_off_neither_refuses_nor_doubles_orders(minutes: int, fault: FaultName | None) -> None:
    with ExchangeHarness(SOON_SETTLED, clock_offset_millis=minutes * 60_000) as harness:
        if fault is not None:
            harness.exchange.faults.arm(fault)
        saga = harness.start_order()
        harness.completed(saga)
        assert len(harness.orders()) == 1
        assert harness.net_position() == Decimal(40)
        if fault is None:
            assert harness.stats(COORDINATOR).attempts_started == 1
            harness.assert_nothing_was_retold()


def test_an_exchange_that_is_away_for_a_while_is_waited_for() -> None:
    with ExchangeHarness() as harness:
        away = harness.exchange.faults.arm(FaultName.REFUSE_CONNECTIONS, count=None, http_status=503)
        harness.drop_ws_connection()
        harness.exchange.wait_for(lambda exchange: exchange.stats().connections_refused >= 2, 30)
        saga = harness.start_order()
        harness.collector.wait_for(StepStarted, saga_id=saga, step="prepare_order")
        assert harness.orders() == []
        harness.exchange.faults.disarm(away)
        harness.completed(saga)
        assert len(harness.orders()) == 1
        assert harness.net_position() == Decimal(40)


def test_an_unreachable_exchange_is_named_and_nothing_is_done() -> None:
    with ExchangeHarness() as harness:
        harness.exchange.close()
        harness.ready_millis = 100
        with pytest.raises(ExchangeUnreachable, match=str(harness.exchange.port)) as caught:
            harness.restart()
        assert "DERIBIT_URL" in str(caught.value)
        saga = harness.start_order()
        outcome = harness.failed(saga)
        assert outcome.cause.steps == ("prepare_order",)
        assert "not connected" in outcome.reason
        assert harness.exchange.orders() == ()
        assert dict(harness.risk_book().holds) == {}


def test_wrong_credentials_are_named_and_nothing_is_placed() -> None:
    with SimulatedExchange(seed=1, config=STILL_MARKET) as exchange:
        ws = start_deribit_ws(connection_to(exchange, secret="not-the-secret"))
        try:
            with pytest.raises(BadCredentials, match="DERIBIT_CLIENT_SECRET") as caught:
                DeribitClient(ws).wait_until_ready(30_000)
            assert "not-the-secret" not in str(caught.value)
            assert exchange.orders() == ()
        finally:
            ws.stop(timeout=10)
