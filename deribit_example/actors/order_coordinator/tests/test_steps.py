"""place_order and its probe against a scripted connection: it sends at most once unless it knows better."""

import time
from collections import defaultdict, deque
from concurrent.futures import Future
from decimal import Decimal
from typing import TypeAlias, cast
from uuid import UUID

import pykka
import pytest
from attrs import evolve

from deribit_example.actors.deribit_ws import (
    BadReply,
    DeribitClient,
    DeribitCommand,
    DeribitError,
    GetOrderHistory,
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
from deribit_example.actors.order_coordinator.business import label_of
from deribit_example.actors.order_coordinator.saga.participant import NotSettledYet, OrderCoordinatorSteps
from deribit_example.actors.order_coordinator.send_guard import SendGuard
from deribit_example.actors.rate_limiter import Denied, RateLimiterClient
from deribit_example.actors.rate_limiter.messaging import Acquire, Granted, RateLimiterCommand, Refund
from deribit_example.saga.types import PlacedOrder, PreparedOrder, UndoOrder
from saga_choreography import (
    AmbiguousStepError,
    CompensationRequiredError,
    IdempotencyKey,
    PeerId,
    ProbeResult,
    RetryableStepError,
    SagaContext,
    SagaId,
    StepNotExecuted,
    StepOutcomeUnknown,
    StepOutput,
)

Word: TypeAlias = OrderSnapshot | tuple[OrderSnapshot, ...] | DeribitError
SAGA = SagaId(UUID(int=7))
KEY = IdempotencyKey(f"{SAGA.hex}-place_order-do")
LABEL = label_of(KEY)
PREPARED = PreparedOrder(
    instrument="SOL_USDC-PERPETUAL",
    settlement_currency="USDC",
    side="buy",
    amount=Decimal(4),
    price=Decimal("140.5"),
)
ORDER = OrderSnapshot(
    order_id="9",
    label=LABEL,
    instrument=PREPARED.instrument,
    direction="buy",
    state="open",
    amount=Decimal(4),
    filled_amount=Decimal(0),
    last_update_millis=time.time_ns() // 1_000_000,
)
NOBODYS = evolve(ORDER, order_id="1", label="somebody else's")
THROTTLED = RequestThrottled(10028, "too_many_requests")
UNKNOWN = OutcomeUnknown("lost")


class Script:
    """Answers each kind of command with its next word, and remembers what it was asked."""

    def __init__(self) -> None:
        self.heard: list[DeribitCommand] = []
        self.words: dict[type[DeribitCommand], deque[Word]] = defaultdict(deque)

    def say(self, kind: type[DeribitCommand], *words: Word) -> None:
        self.words[kind].extend(words)

    def tell(self, message: DeribitCommand) -> None:
        self.heard.append(message)
        word = self.words[type(message)].popleft()
        if isinstance(word, DeribitError):
            refuse(message.reply, word)
        else:
            answer(cast("Future[object]", message.reply), word)

    @property
    def sent(self) -> list[PlaceOrder]:
        return [command for command in self.heard if isinstance(command, PlaceOrder)]


class Credits:
    """A rate limiter that says what it is told to."""

    def __init__(self) -> None:
        self.denial: Denied | None = None
        self.dead = False
        self.refunds = 0

    def tell(self, message: RateLimiterCommand) -> None:
        if self.dead:
            raise pykka.ActorDeadError
        if isinstance(message, Refund):
            self.refunds += message.cost_in_requests
        else:
            assert isinstance(message, Acquire)
            message.reply.set_result(self.denial or Granted())


class Bench:
    """The steps, with a clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.script = Script()
        self.credits = Credits()
        self.seconds = 0.0
        self.steps = OrderCoordinatorSteps()
        self.steps.client = DeribitClient(self.script)
        self.steps.limiter = RateLimiterClient(self.credits)
        self.steps.validity_millis = 3_000
        self.restart()

    def restart(self) -> None:
        """What only memory knew is gone."""
        self.steps.guard = SendGuard(8_500, lambda: self.seconds)

    def execute(self, attempt: int = 1) -> StepOutput[PlacedOrder, UndoOrder]:
        return self.steps.execute_step(context(attempt), PREPARED)

    def probe(self) -> ProbeResult[PlacedOrder, UndoOrder]:
        return self.steps.probe_step(context(1), PREPARED)


def context(attempt: int) -> SagaContext:
    return SagaContext(
        saga_id=SAGA,
        saga_type="deribit_order",
        step_name="place_order",
        initiator=PeerId("RiskManager"),
        saga_started_at_millis=time.time_ns() // 1_000_000,
        attempt=attempt,
        idempotency_key=KEY,
    )


@pytest.fixture
def bench() -> Bench:
    return Bench()


def is_order(result: ProbeResult[PlacedOrder, UndoOrder]) -> bool:
    """Whether a step gave the order as output and can undo it."""
    assert isinstance(result, StepOutput)
    return result.output.order_id == result.undo.order_id == ORDER.order_id and result.undo.label == LABEL


def test_the_first_attempt_sends_without_asking(bench: Bench) -> None:
    bench.script.say(PlaceOrder, ORDER)
    before = time.time_ns() // 1_000_000
    assert is_order(bench.execute())
    (sent,) = bench.script.heard
    assert isinstance(sent, PlaceOrder)
    assert sent.order.label == LABEL
    assert sent.order.post_only is False
    assert sent.local_deadline_millis is not None
    assert before + 3_000 <= sent.local_deadline_millis <= time.time_ns() // 1_000_000 + 3_000


def test_a_refused_order_fails_the_saga(bench: Bench) -> None:
    bench.script.say(PlaceOrder, RequestRefused(10009, "not_enough_funds"))
    with pytest.raises(CompensationRequiredError, match="10009"):
        bench.execute()


def test_an_order_that_comes_back_rejected_fails_the_saga(bench: Bench) -> None:
    bench.script.say(PlaceOrder, evolve(ORDER, state="rejected"))
    with pytest.raises(CompensationRequiredError, match="rejected order 9"):
        bench.execute()


@pytest.mark.parametrize("error", [THROTTLED, UNKNOWN, BadReply("odd")], ids=lambda error: type(error).__name__)
def test_a_send_without_a_clear_answer_is_a_doubt(bench: Bench, error: DeribitError) -> None:
    bench.script.say(PlaceOrder, error)
    with pytest.raises(AmbiguousStepError):
        bench.execute()


def test_an_order_that_never_left_is_sent_again_at_once(bench: Bench) -> None:
    bench.script.say(PlaceOrder, NotConnected("away"), ORDER)
    bench.script.say(GetOrderStateByLabel, ())
    with pytest.raises(RetryableStepError):
        bench.execute()
    assert bench.credits.refunds == 1
    assert is_order(bench.execute(attempt=2))


@pytest.mark.parametrize("code", [13666, 13888])
def test_an_order_that_came_too_late_is_sent_again(bench: Bench, code: int) -> None:
    bench.script.say(PlaceOrder, RequestRefused(code, "too late"), ORDER)
    bench.script.say(GetOrderStateByLabel, ())
    with pytest.raises(RetryableStepError):
        bench.execute()
    assert is_order(bench.execute(attempt=2))


def test_without_credit_nothing_is_sent(bench: Bench) -> None:
    bench.credits.denial = Denied(retry_after_millis=120)
    with pytest.raises(RetryableStepError, match="120 ms"):
        bench.execute()
    assert bench.script.heard == []
    bench.credits.denial = None
    bench.script.say(GetOrderStateByLabel, ())
    bench.script.say(PlaceOrder, ORDER)
    assert is_order(bench.execute(attempt=2))


def test_a_rate_limiter_that_is_gone_means_nothing_is_sent(bench: Bench) -> None:
    bench.credits.dead = True
    with pytest.raises(RetryableStepError, match="does not answer"):
        bench.execute()
    assert bench.script.heard == []


def test_a_later_attempt_adopts_the_order_it_finds(bench: Bench) -> None:
    bench.steps.guard.first_attempt(context(1))
    bench.script.say(GetOrderStateByLabel, (NOBODYS, ORDER))
    assert is_order(bench.execute(attempt=2))
    assert bench.script.sent == []


def test_a_later_attempt_that_cannot_ask_sends_nothing(bench: Bench) -> None:
    bench.steps.guard.first_attempt(context(1))
    bench.script.say(GetOrderStateByLabel, NotConnected("away"))
    with pytest.raises(RetryableStepError):
        bench.execute(attempt=2)
    assert bench.script.sent == []


def test_a_later_attempt_after_an_unexpected_error_is_a_doubt(bench: Bench) -> None:
    with pytest.raises(IndexError):
        bench.execute()  # the script has no word: nobody knows whether it was sent
    with pytest.raises(AmbiguousStepError, match="may have sent"):
        bench.execute(attempt=2)
    assert len(bench.script.sent) == 1


def test_a_later_attempt_of_a_new_process_is_a_doubt(bench: Bench) -> None:
    with pytest.raises(AmbiguousStepError, match="may have sent"):
        bench.execute(attempt=2)
    assert bench.script.heard == []


def test_two_orders_under_the_label_are_for_an_operator(bench: Bench) -> None:
    bench.steps.guard.first_attempt(context(1))
    twins = (ORDER, evolve(ORDER, order_id="10"))
    bench.script.say(GetOrderStateByLabel, twins, twins)
    with pytest.raises(AmbiguousStepError, match="9, 10"):
        bench.execute(attempt=2)
    result = bench.probe()
    assert isinstance(result, StepOutcomeUnknown)
    assert "9, 10" in result.why
    assert bench.script.sent == []


def in_doubt(bench: Bench) -> None:
    bench.script.say(PlaceOrder, UNKNOWN)
    with pytest.raises(AmbiguousStepError):
        bench.execute()


@pytest.mark.parametrize("state", ["open", "filled", "cancelled", "rejected"])
def test_a_probe_adopts_the_order_in_whatever_state(bench: Bench, state: OrderState) -> None:
    in_doubt(bench)
    bench.script.say(GetOrderStateByLabel, (evolve(ORDER, state=state),))
    assert is_order(bench.probe())
    (asked,) = (command for command in bench.script.heard if isinstance(command, GetOrderStateByLabel))
    assert (asked.currency, asked.label) == ("USDC", LABEL)


def test_a_probe_that_finds_nothing_too_early_is_repeated(bench: Bench) -> None:
    in_doubt(bench)
    bench.script.say(GetOrderStateByLabel, (), (NOBODYS,), ())
    bench.script.say(GetOrderHistory, (NOBODYS,))
    for _ in range(2):
        with pytest.raises(NotSettledYet):
            bench.probe()
        bench.seconds += 4
    bench.seconds += 1
    assert bench.probe() == StepNotExecuted()


def test_after_a_conclusive_probe_the_order_is_sent_at_once(bench: Bench) -> None:
    in_doubt(bench)
    bench.seconds += 9
    bench.script.say(GetOrderStateByLabel, (), ())
    bench.script.say(GetOrderHistory, ())
    assert bench.probe() == StepNotExecuted()
    bench.script.say(PlaceOrder, ORDER)
    assert is_order(bench.execute(attempt=2))
    assert {sent.order.label for sent in bench.script.sent} == {LABEL}


def test_a_probe_judges_before_it_asks(bench: Bench) -> None:
    """The answer took so long that the waiting time ended meanwhile: it was given before."""
    in_doubt(bench)
    script = bench.script

    class SlowScript(Script):
        def tell(self, message: DeribitCommand) -> None:
            bench.seconds += 60
            script.tell(message)

    bench.steps.client = DeribitClient(SlowScript())
    script.say(GetOrderStateByLabel, ())
    with pytest.raises(NotSettledYet):
        bench.probe()


def test_a_probe_of_a_new_process_waits_from_the_restart(bench: Bench) -> None:
    in_doubt(bench)
    bench.seconds += 9
    bench.restart()
    bench.script.say(GetOrderStateByLabel, (), ())
    bench.script.say(GetOrderHistory, ())
    with pytest.raises(NotSettledYet, match=LABEL):
        bench.probe()
    bench.seconds += 8.5
    assert bench.probe() == StepNotExecuted()


def test_a_probe_that_cannot_ask_is_repeated(bench: Bench) -> None:
    in_doubt(bench)
    bench.seconds += 9
    bench.script.say(GetOrderStateByLabel, OutcomeUnknown("lost"))
    with pytest.raises(DeribitError):
        bench.probe()


def test_what_the_memory_has_lost_is_found_in_the_history(bench: Bench) -> None:
    in_doubt(bench)
    bench.seconds += 9
    page = tuple(evolve(NOBODYS, order_id=str(number)) for number in range(100))
    bench.script.say(GetOrderStateByLabel, ())
    bench.script.say(GetOrderHistory, page, (NOBODYS, ORDER))
    assert is_order(bench.probe())
    asked = [command for command in bench.script.heard if isinstance(command, GetOrderHistory)]
    assert [(command.instrument, command.offset) for command in asked] == [
        (PREPARED.instrument, 0),
        (PREPARED.instrument, 100),
    ]


def test_the_history_is_read_no_further_than_the_start_of_the_saga(bench: Bench) -> None:
    in_doubt(bench)
    bench.seconds += 9
    bench.script.say(GetOrderStateByLabel, ())
    old = evolve(NOBODYS, last_update_millis=0)
    bench.script.say(GetOrderHistory, tuple(evolve(old, order_id=str(number)) for number in range(100)))
    assert bench.probe() == StepNotExecuted()


def test_when_the_saga_has_ended_its_sends_are_forgotten(bench: Bench) -> None:
    bench.steps.guard.first_attempt(context(1))
    bench.steps.on_saga_completed(context(1))
    assert not bench.steps.guard.is_clean(context(1), LABEL)
    bench.steps.on_saga_failed(context(1), "no")
    bench.steps.guard.first_attempt(context(1))
    assert bench.steps.guard.is_clean(context(1), LABEL)
