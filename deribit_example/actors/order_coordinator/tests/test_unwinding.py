"""Undoing an order: every way in which cancelling and taking back can go, attempt by attempt."""

import time
from collections import defaultdict, deque
from concurrent.futures import Future
from decimal import Decimal
from typing import TypeAlias, cast
from uuid import UUID

import pytest
from attrs import evolve

from deribit_example.actors.deribit_ws import (
    CancelOrder,
    DeribitClient,
    DeribitCommand,
    DeribitError,
    GetOrderHistory,
    GetOrderState,
    GetOrderStateByLabel,
    NotConnected,
    OrderSnapshot,
    OutcomeUnknown,
    PlaceOrder,
    RequestRefused,
    RequestThrottled,
)
from deribit_example.actors.deribit_ws.calls import answer, refuse
from deribit_example.actors.deribit_ws.records import OrderState
from deribit_example.actors.order_coordinator.business import ALREADY_GONE, label_of
from deribit_example.actors.order_coordinator.saga.participant import OrderCoordinatorSteps
from deribit_example.actors.order_coordinator.send_guard import SendGuard
from deribit_example.actors.order_coordinator.unwinding import MOST_OFFSETS
from deribit_example.actors.rate_limiter import Denied, RateLimiterClient
from deribit_example.actors.rate_limiter.messaging import Acquire, Granted, RateLimiterCommand, Refund
from deribit_example.saga.types import UndoOrder
from saga_choreography import (
    IdempotencyKey,
    PeerId,
    SafeToRetryCompensationError,
    SagaContext,
    SagaId,
    TerminalCompensationError,
)

Word: TypeAlias = OrderSnapshot | tuple[OrderSnapshot, ...] | DeribitError
SAGA = SagaId(UUID(int=7))
KEY = IdempotencyKey(f"{SAGA.hex}-place_order-undo")
UNDO = UndoOrder(instrument="BTC-PERPETUAL", settlement_currency="BTC", order_id="9", label="mine", side="buy")
CANCELLED = OrderSnapshot(
    order_id="9",
    label="mine",
    instrument="BTC-PERPETUAL",
    direction="buy",
    state="cancelled",
    amount=Decimal(40),
    filled_amount=Decimal(0),
    last_update_millis=time.time_ns() // 1_000_000,
)
PARTIAL = evolve(CANCELLED, filled_amount=Decimal(30))
GONE = RequestRefused(11044, "not_open_order")
UNKNOWN = OutcomeUnknown("lost")


def offset(filled: int, number: int = 1, state: OrderState = "filled") -> OrderSnapshot:
    """An order that takes back, with this much filled."""
    return evolve(
        CANCELLED,
        order_id=f"back-{number}",
        label=label_of(KEY, number),
        direction="sell",
        state=state,
        filled_amount=Decimal(filled),
    )


class Script:
    """Answers each kind of command with its next word, and remembers what it was asked."""

    def __init__(self) -> None:
        self.heard: list[DeribitCommand] = []
        self.words: dict[type[DeribitCommand], deque[Word]] = defaultdict(deque)

    def tell(self, message: DeribitCommand) -> None:
        self.heard.append(message)
        word = self.words[type(message)].popleft()
        if isinstance(word, DeribitError):
            refuse(message.reply, word)
        else:
            answer(cast("Future[object]", message.reply), word)


class Credits:
    """A rate limiter that says what it is told to."""

    def __init__(self) -> None:
        self.denial: Denied | None = None
        self.taken = 0

    def tell(self, message: RateLimiterCommand) -> None:
        if isinstance(message, Refund):
            self.taken -= 1
            return
        assert isinstance(message, Acquire)
        message.reply.set_result(self.denial or Granted())
        self.taken += 1


class Bench:
    """Unwinding with a clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.script = Script()
        self.seconds = 0.0
        self.attempt = 0
        self.credits = Credits()
        self.steps = OrderCoordinatorSteps()
        self.steps.client = DeribitClient(self.script)
        self.steps.limiter = RateLimiterClient(self.credits)
        self.steps.validity_millis = 3_000
        self.steps.guard = SendGuard(8_500, lambda: self.seconds)

    def cancel(self, *words: Word) -> None:
        self.script.words[CancelOrder].extend(words)

    def find(self, *words: Word) -> None:
        self.script.words[GetOrderStateByLabel].extend(words)

    def look_back(self, *words: Word) -> None:
        self.script.words[GetOrderHistory].extend(words)

    def send(self, *words: Word) -> None:
        self.script.words[PlaceOrder].extend(words)

    def unwind(self) -> None:
        """The next attempt; every word of the script must have been used afterwards."""
        self.attempt += 1
        context = SagaContext(
            saga_id=SAGA,
            saga_type="deribit_order",
            step_name="place_order",
            initiator=PeerId("RiskManager"),
            saga_started_at_millis=time.time_ns() // 1_000_000,
            attempt=self.attempt,
            idempotency_key=KEY,
        )
        try:
            self.steps.compensate_step(context, UNDO)
        finally:
            assert not any(self.script.words.values()), "something was not asked for"

    def again_later(self) -> None:
        with pytest.raises(SafeToRetryCompensationError):
            self.unwind()

    @property
    def sent(self) -> list[tuple[str, Decimal]]:
        orders = [command.order for command in self.script.heard if isinstance(command, PlaceOrder)]
        assert all(order.direction == "sell" and order.order_type == "market" for order in orders)
        return [(order.label, order.amount) for order in orders]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def labels(*parts: tuple[int, int]) -> list[tuple[str, Decimal]]:
    """(number, amount) of orders as they are sent."""
    return [(label_of(KEY, number), Decimal(amount)) for number, amount in parts]


def test_an_unfilled_order_is_only_cancelled(bench: Bench) -> None:
    bench.cancel(CANCELLED)
    bench.unwind()
    assert len(bench.script.heard) == 1


def test_a_partial_fill_is_taken_back_exactly(bench: Bench) -> None:
    bench.cancel(PARTIAL)
    bench.find(())
    bench.send(offset(30))
    bench.unwind()
    assert bench.sent == labels((1, 30))


@pytest.mark.parametrize("code", sorted(ALREADY_GONE))
def test_an_order_that_is_gone_already_is_read_and_taken_back(bench: Bench, code: int) -> None:
    bench.cancel(RequestRefused(code, "gone"))
    bench.script.words[GetOrderState].append(evolve(CANCELLED, state="filled", filled_amount=Decimal(40)))
    bench.find(())
    bench.send(offset(40))
    bench.unwind()
    assert bench.sent == labels((1, 40))


def test_an_order_that_was_rejected_leaves_nothing_to_undo(bench: Bench) -> None:
    bench.cancel(GONE)
    bench.script.words[GetOrderState].append(evolve(CANCELLED, state="rejected"))
    bench.unwind()
    assert bench.sent == []


def test_any_other_refusal_of_the_cancel_is_for_an_operator(bench: Bench) -> None:
    bench.cancel(RequestRefused(13021, "forbidden"))
    with pytest.raises(TerminalCompensationError, match="cannot be cancelled"):
        bench.unwind()


@pytest.mark.parametrize("error", [UNKNOWN, NotConnected("away"), RequestThrottled(10028, "too_many_requests")])
def test_a_cancel_without_a_clear_answer_is_repeated(bench: Bench, error: DeribitError) -> None:
    bench.cancel(error)
    bench.again_later()
    bench.cancel(CANCELLED)
    bench.unwind()


def test_a_final_state_that_cannot_be_known_now_is_asked_for_again(bench: Bench) -> None:
    bench.cancel(evolve(CANCELLED, state="open"))
    bench.again_later()
    bench.cancel(GONE)
    bench.script.words[GetOrderState].append(UNKNOWN)
    bench.again_later()


def test_an_old_order_is_read_from_the_history(bench: Bench) -> None:
    bench.cancel(RequestRefused(10004, "order_not_found"))
    bench.script.words[GetOrderState].append(RequestRefused(10004, "order_not_found"))
    bench.script.words[GetOrderHistory].append((evolve(CANCELLED, order_id="8"), CANCELLED))
    bench.unwind()


def test_an_order_nobody_knows_is_for_an_operator(bench: Bench) -> None:
    bench.cancel(RequestRefused(10004, "order_not_found"))
    bench.script.words[GetOrderState].append(RequestRefused(10004, "order_not_found"))
    bench.script.words[GetOrderHistory].append(())
    with pytest.raises(TerminalCompensationError, match="cannot be read"):
        bench.unwind()


def test_an_offset_of_unknown_outcome_is_found_by_its_label_and_not_sent_twice(bench: Bench) -> None:
    bench.cancel(PARTIAL)
    bench.find(())
    bench.send(UNKNOWN)
    bench.again_later()
    bench.cancel(GONE)
    bench.script.words[GetOrderState].append(PARTIAL)
    bench.find((offset(30),))
    bench.unwind()
    assert bench.sent == labels((1, 30))


def test_an_offset_of_unknown_outcome_is_sent_again_only_when_it_cannot_appear_any_more(bench: Bench) -> None:
    bench.cancel(PARTIAL)
    bench.find(())
    bench.send(UNKNOWN)
    bench.again_later()
    for _ in range(2):
        bench.cancel(PARTIAL)
        bench.find(())
        bench.again_later()
        bench.seconds += 4.25
    bench.cancel(PARTIAL)
    bench.find(())
    bench.look_back((PARTIAL,))
    bench.send(offset(30))
    bench.unwind()
    assert bench.sent == labels((1, 30), (1, 30))


def after_a_restart(bench: Bench) -> None:
    """A new process has begun to undo, and does not yet believe that nothing was sent."""
    bench.attempt = 1
    bench.cancel(PARTIAL)
    bench.find(())
    bench.again_later()
    bench.seconds += 8.5
    bench.cancel(PARTIAL)
    bench.find(())


def test_a_new_process_waits_before_it_believes_that_no_offset_was_sent(bench: Bench) -> None:
    after_a_restart(bench)
    bench.look_back((PARTIAL,))
    bench.send(offset(30))
    bench.unwind()
    assert bench.sent == labels((1, 30))


def test_an_offset_of_long_ago_is_found_in_the_history(bench: Bench) -> None:
    after_a_restart(bench)
    bench.look_back((PARTIAL, offset(30)))
    bench.unwind()
    assert bench.sent == []


def test_two_offsets_under_one_label_are_for_an_operator(bench: Bench) -> None:
    bench.cancel(PARTIAL)
    bench.find((offset(30), evolve(offset(30), order_id="twin")))
    with pytest.raises(TerminalCompensationError, match="twin"):
        bench.unwind()


def test_without_credit_the_cancel_waits(bench: Bench) -> None:
    bench.credits.denial = Denied(retry_after_millis=50)
    bench.again_later()
    assert bench.script.heard == []


def test_what_never_left_costs_no_credit(bench: Bench) -> None:
    bench.cancel(NotConnected("away"))
    bench.again_later()
    assert bench.credits.taken == 0


def test_a_label_that_cannot_be_asked_for_now_is_asked_for_again(bench: Bench) -> None:
    bench.cancel(PARTIAL)
    bench.find(UNKNOWN)
    bench.again_later()
    assert bench.sent == []


def test_an_offset_that_never_left_is_sent_with_the_next_attempt(bench: Bench) -> None:
    bench.cancel(PARTIAL)
    bench.find(())
    bench.send(NotConnected("away"))
    bench.again_later()
    bench.cancel(PARTIAL)
    bench.find(())
    bench.send(offset(30))
    bench.unwind()


@pytest.mark.parametrize("code", [13666, 13888])
def test_an_offset_that_came_too_late_is_sent_with_the_next_attempt(bench: Bench, code: int) -> None:
    bench.cancel(PARTIAL)
    bench.find(())
    bench.send(RequestRefused(code, "too late"))
    bench.again_later()
    bench.cancel(PARTIAL)
    bench.find(())
    bench.send(offset(30))
    bench.unwind()


def test_a_refused_offset_is_for_an_operator(bench: Bench) -> None:
    bench.cancel(PARTIAL)
    bench.find(())
    bench.send(RequestRefused(10009, "not_enough_funds"))
    with pytest.raises(TerminalCompensationError, match="offset of order 9 was refused"):
        bench.unwind()


def test_the_rest_of_a_partial_offset_goes_out_under_the_next_label(bench: Bench) -> None:
    bench.cancel(PARTIAL)
    bench.find((), ())
    bench.send(offset(20, state="cancelled"), offset(10, 2))
    bench.unwind()
    assert bench.sent == labels((1, 30), (2, 10))


def test_a_later_attempt_counts_what_earlier_offsets_took_back(bench: Bench) -> None:
    bench.cancel(PARTIAL)
    bench.find((), ())
    bench.send(offset(20, state="cancelled"), UNKNOWN)
    bench.again_later()
    bench.cancel(PARTIAL)
    bench.find((offset(20, state="cancelled"),), (offset(10, 2),))
    bench.unwind()
    assert bench.sent == labels((1, 30), (2, 10))


def test_an_offset_that_still_works_is_waited_for(bench: Bench) -> None:
    bench.cancel(PARTIAL)
    bench.find(())
    bench.send(offset(20, state="open"))
    bench.again_later()
    bench.cancel(PARTIAL)
    bench.find((offset(30),))
    bench.unwind()
    assert bench.sent == labels((1, 30))


def test_a_rejected_offset_is_for_an_operator(bench: Bench) -> None:
    bench.cancel(PARTIAL)
    bench.find(())
    bench.send(offset(0, state="rejected"))
    with pytest.raises(TerminalCompensationError, match="was rejected"):
        bench.unwind()


def test_a_market_too_thin_is_for_an_operator(bench: Bench) -> None:
    bench.cancel(PARTIAL)
    bench.find(*[()] * MOST_OFFSETS)
    bench.send(*(offset(5, number, state="cancelled") for number in range(1, MOST_OFFSETS + 1)))
    with pytest.raises(TerminalCompensationError, match=f"5 of order 9 .* after {MOST_OFFSETS} orders"):
        bench.unwind()
    assert [amount for _, amount in bench.sent] == [30, 25, 20, 15, 10]
