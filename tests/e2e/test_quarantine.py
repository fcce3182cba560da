"""What the program cannot undo waits for an operator, with all the evidence, and ends as the operator says."""

from decimal import Decimal

import pytest

from deribit_example.actors.deribit_ws import PlaceOrder
from deribit_example.actors.risk_manager import RejectReason
from deribit_example.saga.types import UndoOrder
from saga_choreography import QuarantinedRecord, ResolutionRefused, SagaFailed, SagaId, StepCompleted
from tests.e2e.mock_behavior import Fills, MockWSBehavior, Rule, in_turn, refuse
from tests.e2e.mock_books import BTC, ETH
from tests.e2e.mock_harness import TestHarness
from tests.e2e.program_harness import COORDINATOR


def offset_refused_once() -> Rule[PlaceOrder]:
    """The first market order (the offset) is refused; everything else is taken."""
    answers = in_turn(refuse(10009, "not_enough_funds"))
    fine = in_turn()
    return lambda request: answers(request) if request.order.order_type == "market" else fine(request)


def parked(harness: TestHarness) -> tuple[SagaId, QuarantinedRecord]:
    """A saga whose order was filled in part, cancelled by the exchange, and cannot be offset."""
    saga = harness.start_order()
    harness.collector.wait_for(StepCompleted, saga_id=saga, step="place_order")
    harness.cancel_order_as_exchange()
    verdict = harness.quarantined(saga)
    assert [step.step_name for step in verdict.steps] == ["place_order"]
    (record,) = harness.system.quarantined()
    return saga, record


def refusing() -> MockWSBehavior:
    return MockWSBehavior(fills=Fills.BY_HAND, fill_amount=Decimal(10), place_order_response=offset_refused_once())


def test_saga_quarantine_on_compensation_failure() -> None:
    with TestHarness.with_behavior(refusing()) as harness:
        saga, record = parked(harness)
        (order,) = harness.books.orders()
        assert (record.saga_id, record.step_name, record.while_compensating) == (saga, "place_order", True)
        assert record.participant == COORDINATOR
        assert record.error is not None
        assert "10009" in record.error
        assert isinstance(record.undo, UndoOrder)
        assert (record.undo.order_id, record.undo.label) == (order.order_id, order.label)
        assert harness.net_position() == Decimal(10), "the fill is still there: that is what the operator must know"
        assert harness.refusal() is RejectReason.INSTRUMENT_BUSY, "a parked saga keeps its hold"
        harness.completed(harness.start_order(ETH))
        harness.system.resolve(saga, "place_order", "undone", by="desk", why="sold by hand")
        assert isinstance(harness.collector.wait_for_outcome(saga), SagaFailed)
        assert harness.system.quarantined() == []
        assert (harness.stats(COORDINATOR).quarantined, harness.stats(COORDINATOR).resolved) == (1, 1)
        assert dict(harness.risk_book().holds) == {}
        assert len(harness.books.orders(instrument=BTC)) == 1


def test_an_operator_can_let_the_program_try_again() -> None:
    with TestHarness.with_behavior(refusing()) as harness:
        saga, _ = parked(harness)
        harness.system.resolve(saga, "place_order", "retry", by="desk", why="funds were added")
        assert isinstance(harness.collector.wait_for_outcome(saga), SagaFailed)
        _, offset = harness.books.orders()
        assert (offset.direction, offset.filled_amount) == ("sell", Decimal(10))
        assert harness.net_position() == 0


def test_evidence_survives_a_restart() -> None:
    with TestHarness.with_behavior(refusing()) as harness:
        saga, before = parked(harness)
        harness.restart()
        assert harness.system.quarantined() == [before]
        assert harness.refusal() is RejectReason.INSTRUMENT_BUSY
        harness.system.resolve(saga, "place_order", "undone", by="desk", why="sold by hand")
        assert isinstance(harness.collector.wait_for_outcome(saga), SagaFailed)


def test_a_cancel_that_is_not_permitted_waits_for_an_operator_too() -> None:
    behavior = MockWSBehavior(fills=Fills.BY_HAND, cancel_order_response=in_turn(refuse(13021, "forbidden")))
    with TestHarness.with_behavior(behavior) as harness:
        saga = harness.start_order()
        harness.collector.wait_for(StepCompleted, saga_id=saga, step="place_order")
        harness.system.cancel_saga(saga, "the desk closes")
        harness.quarantined(saga)
        (order,) = harness.books.orders()
        assert order.state == "open"
        harness.system.resolve(saga, "place_order", "retry", by="desk", why="the key may trade again")
        harness.collector.wait_for_outcome(saga)
        assert harness.books.orders()[0].state == "cancelled"


@pytest.mark.parametrize(("by", "why"), [("", "because"), ("desk", "")])
def test_a_resolution_says_who_and_why(by: str, why: str) -> None:
    with TestHarness.with_behavior(refusing()) as harness:
        saga, _ = parked(harness)
        with pytest.raises(ResolutionRefused):
            harness.system.resolve(saga, "place_order", "undone", by=by, why=why)
        assert len(harness.system.quarantined()) == 1
