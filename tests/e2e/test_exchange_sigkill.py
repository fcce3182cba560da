"""The program is killed with SIGKILL in the middle of each step; the next one finishes the saga by itself.

The exchange holds the program at the moment of its death: the reply it waits for never comes. So every test kills at
exactly the moment it names, however slow the machine is.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

from attrs import evolve

from deribit_example.actors.risk_manager import RejectReason
from deribit_example.exchange import FaultName
from deribit_example.program import ProgramSettings
from deribit_example.saga.types import MONITOR_ORDER
from saga_choreography import StepCompleted
from tests.e2e.exchange_harness import ExchangeHarness
from tests.e2e.killable import KillableProgram
from tests.e2e.program_harness import COORDINATOR, MONITOR
from tests.e2e.quick_settings import AGAINST_EXCHANGE, SOON_SETTLED

FOR_EVER = 3_600_000
# After a restart the coordinator does not know when an order was last sent: its waits count from the restart.
SHORT = evolve(AGAINST_EXCHANGE, order_validity_millis=SOON_SETTLED.order_validity_millis, settle_margin_millis=100)


@contextmanager
def exchange_alone(settings: ProgramSettings = AGAINST_EXCHANGE) -> Iterator[ExchangeHarness]:
    """An exchange and a data directory, no program yet."""
    with ExchangeHarness(settings, starts=False) as harness:
        yield harness


def killable(harness: ExchangeHarness) -> KillableProgram:
    return KillableProgram(harness.data_dir, harness.exchange.url, harness.settings)


def test_killed_while_the_order_is_prepared() -> None:
    with exchange_alone() as harness:
        harness.exchange.faults.arm(FaultName.DELAY_REPLY, method="public/ticker", millis=FOR_EVER)
        with killable(harness) as program:
            saga = program.saga_id()
            program.wait_for_fact("SagaStarted")
            harness.wait_until_fired(FaultName.DELAY_REPLY)
            program.kill()
        assert harness.orders() == []
        harness.restart()
        harness.completed(saga)
        (order,) = harness.orders()
        assert harness.placed_order(saga).order_id == order.order_id
        assert harness.net_position() == Decimal(40)


def test_killed_after_the_order_was_applied_and_before_the_program_knew() -> None:
    with exchange_alone() as harness:
        harness.exchange.faults.arm(FaultName.DELAY_REPLY, method="private/buy", millis=FOR_EVER)
        with killable(harness) as program:
            saga = program.saga_id()
            program.wait_for_fact("StepStarted place_order")
            harness.wait_until_fired(FaultName.DELAY_REPLY)
            program.kill()
        (before,) = harness.orders()
        harness.restart()
        harness.completed(saga)
        (order,) = harness.orders()
        assert order.order_id == before.order_id
        placed = harness.placed_order(saga)
        assert (placed.order_id, placed.label) == (order.order_id, order.label)
        assert harness.stats(COORDINATOR).attempts_started == 0, "settled by its label, not run again"
        assert harness.net_position() == Decimal(40)


def test_killed_when_the_order_was_sent_and_never_applied() -> None:
    with exchange_alone(SHORT) as harness:
        harness.exchange.faults.arm(FaultName.SILENT_STALL, method="private/buy")
        with killable(harness) as program:
            saga = program.saga_id()
            program.wait_for_fact("StepStarted place_order")
            harness.wait_until_fired(FaultName.SILENT_STALL)
            program.kill()
        assert harness.orders() == []
        harness.restart()
        harness.completed(saga)
        (order,) = harness.orders()
        assert saga.hex in order.label
        assert harness.net_position() == Decimal(40)


def test_killed_while_the_order_rests_and_filled_while_nobody_watches() -> None:
    with exchange_alone() as harness:
        harness.rest_next_order()
        with killable(harness) as program:
            saga = program.saga_id()
            program.wait_for_fact("StepStarted monitor_order")
            program.kill()
        (order,) = harness.orders()
        harness.exchange.fill_order(order.order_id)
        harness.restart()
        harness.completed(saga)
        assert harness.handle(saga).output_of(MONITOR_ORDER).order_id == order.order_id
        assert harness.stats(MONITOR).completed == 1
        assert len(harness.orders()) == 1
        assert harness.net_position() == Decimal(40)


def test_killed_while_the_order_rests_and_filled_later() -> None:
    with exchange_alone() as harness:
        harness.rest_next_order()
        with killable(harness) as program:
            saga = program.saga_id()
            program.wait_for_fact("StepStarted monitor_order")
            program.kill()
        harness.restart()
        assert harness.refusal() is RejectReason.INSTRUMENT_BUSY, "the hold is rebuilt from the journal"
        harness.exchange.fill_order(harness.orders()[0].order_id)
        harness.completed(saga)
        assert len(harness.orders()) == 1
        assert harness.net_position() == Decimal(40)


def test_killed_after_the_cancel_was_applied_in_the_middle_of_the_compensation() -> None:
    with exchange_alone(SHORT) as harness:
        harness.rest_next_order(filled="0.25")
        harness.exchange.faults.arm(FaultName.DELAY_REPLY, method="private/cancel", millis=FOR_EVER)
        with killable(harness) as program:
            saga = program.saga_id()
            program.wait_for_fact("StepCompleted place_order")
            program.cancel(saga)
            program.wait_for_fact("CompensationStarted place_order")
            harness.wait_until_fired(FaultName.DELAY_REPLY)
            program.kill()
        assert harness.net_position() == Decimal(10)
        harness.restart()
        outcome = harness.failed(saga)
        assert "the desk closes" in outcome.reason
        first, offset = harness.orders(saga)
        assert (first.order_state, first.filled_amount) == ("cancelled", Decimal(10))
        assert (offset.order_state, offset.filled_amount) == ("filled", Decimal(10))
        assert harness.stats(COORDINATOR).compensated == 1
        assert harness.net_position() == 0


def test_killed_after_the_offset_was_applied_and_before_the_program_knew() -> None:
    with exchange_alone() as harness:
        harness.rest_next_order(filled="0.25")
        harness.exchange.faults.arm(FaultName.DELAY_REPLY, method="private/sell", millis=FOR_EVER)
        with killable(harness) as program:
            saga = program.saga_id()
            program.wait_for_fact("StepCompleted place_order")
            program.cancel(saga)
            harness.wait_until_fired(FaultName.DELAY_REPLY)
            program.kill()
        assert harness.net_position() == 0
        harness.restart()
        harness.failed(saga)
        assert len(harness.orders(saga)) == 2, "the offset is found by its label"
        assert harness.net_position() == 0


def test_killed_at_three_steps_of_one_saga_in_a_row() -> None:
    with exchange_alone() as harness:
        harness.rest_next_order()
        for method in ("public/ticker", "private/buy"):
            harness.exchange.faults.arm(FaultName.DELAY_REPLY, method=method, millis=FOR_EVER)
        with killable(harness) as program:
            saga = program.saga_id()
            harness.wait_until_fired(FaultName.DELAY_REPLY, 1)
            program.kill()
        with killable(harness) as program:
            harness.wait_until_fired(FaultName.DELAY_REPLY, 2)
            program.kill()
        with killable(harness) as program:
            program.wait_for_fact("StepStarted monitor_order")
            program.kill()
        (order,) = harness.orders()
        harness.restart()
        harness.exchange.fill_order(order.order_id)
        harness.completed(saga)
        harness.collector.wait_for(StepCompleted, saga_id=saga, step="monitor_order")
        assert len(harness.orders()) == 1
        assert harness.net_position() == Decimal(40)
