"""The risk manager in a system of its own, before stand-ins that end their sagas as the test says."""

import queue
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pykka
import pytest

from deribit_example.actors.rate_limiter import Pool, RateLimiterClient
from deribit_example.actors.rate_limiter.business import DOCUMENTED_SPECS
from deribit_example.actors.rate_limiter.messaging import PoolState, RateLimiterCommand, Snapshot
from deribit_example.actors.risk_manager import (
    Accepted,
    Decision,
    GetRiskState,
    Rejected,
    RejectReason,
    RiskBook,
    RiskLimits,
    RiskManager,
    SignalReceived,
)
from deribit_example.actors.ta_signal import Signal
from deribit_example.saga.types import (
    MONITOR_ORDER,
    PLACE_ORDER,
    PREPARE_ORDER,
    FilledOrder,
    OrderIntent,
    PlacedOrder,
    PreparedOrder,
    UndoOrder,
    order_workflow,
)
from saga_choreography import (
    AmbiguousStepError,
    Durability,
    NothingToUndo,
    ProbeResult,
    SagaActor,
    SagaCompleted,
    SagaContext,
    SagaFailed,
    SagaId,
    SagaQuarantined,
    SagaSystem,
    StepNotExecuted,
    StepOutput,
    StepPending,
    TerminalStepError,
)

WAIT = 20.0
BTC, ETH = "BTC-PERPETUAL", "ETH-PERPETUAL"


class Desk:
    """What becomes of a saga, by instrument: "fill", "refuse", "doubt" or "rest"; and the credit that is left."""

    def __init__(self) -> None:
        self.endings: dict[str, str] = {}
        self.requests = 20
        self.limiter_is_dead = False

    def tell(self, message: RateLimiterCommand) -> None:
        if self.limiter_is_dead:
            raise pykka.ActorDeadError
        assert isinstance(message, Snapshot)
        state = PoolState(credits=self.requests, requests=self.requests, spec=DOCUMENTED_SPECS[Pool.MATCHING])
        message.reply.set_result({Pool.MATCHING: state})


class Preparer(NothingToUndo, SagaActor[OrderIntent, PreparedOrder, None]):
    step = PREPARE_ORDER

    def execute_step(self, context: SagaContext, step_input: OrderIntent) -> StepOutput[PreparedOrder, None]:
        order = PreparedOrder(
            instrument=step_input.instrument,
            settlement_currency="BTC",
            side=step_input.side,
            amount=step_input.amount,
            price=step_input.price,
        )
        return StepOutput(order, None)


class Placer(SagaActor[PreparedOrder, PlacedOrder, UndoOrder]):
    step = PLACE_ORDER

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk

    def execute_step(self, context: SagaContext, step_input: PreparedOrder) -> StepOutput[PlacedOrder, UndoOrder]:
        ending = self.desk.endings[step_input.instrument]
        if ending == "refuse":
            raise TerminalStepError("no")
        if ending == "doubt":
            raise AmbiguousStepError("who knows")
        name, side = step_input.instrument, step_input.side
        output = PlacedOrder(
            instrument=name, order_id="9", label="l", side=side, amount=step_input.amount, price=step_input.price
        )
        undo = UndoOrder(instrument=name, settlement_currency="BTC", order_id="9", label="l", side=side)
        return StepOutput(output, undo)

    def compensate_step(self, context: SagaContext, undo: UndoOrder) -> None:
        """The stand-in has placed nothing."""


class Watcher(NothingToUndo, SagaActor[PlacedOrder, FilledOrder, None]):
    step = MONITOR_ORDER

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk

    def execute_step(
        self, context: SagaContext, step_input: PlacedOrder
    ) -> StepOutput[FilledOrder, None] | StepPending:
        if self.desk.endings[step_input.instrument] == "rest":
            return StepPending()
        return StepOutput(FilledOrder(order_id="9", filled_amount=step_input.amount, average_price=Decimal(1)), None)

    def cancel_step(self, context: SagaContext, step_input: PlacedOrder) -> ProbeResult[FilledOrder, None]:
        return StepNotExecuted()


class Trading:
    """The running system, seen from the side of the signals."""

    def __init__(self, system: SagaSystem, desk: Desk, decisions: "queue.SimpleQueue[Decision]") -> None:
        self.system = system
        self.desk = desk
        self._decisions = decisions

    def signal(self, instrument: str = BTC, confidence: float = 0.9) -> Decision:
        signal = Signal(
            instrument=instrument,
            side="buy",
            confidence=confidence,
            price=Decimal(84200),
            at_millis=0,
            strategy="t",
        )
        self._manager().tell(SignalReceived(signal))
        return self._decisions.get(timeout=WAIT)

    def refusal(self, instrument: str = BTC, confidence: float = 0.9) -> RejectReason:
        decision = self.signal(instrument, confidence)
        assert isinstance(decision, Rejected)
        return decision.reason

    def start(self, ending: str, instrument: str = BTC) -> SagaId:
        self.desk.endings[instrument] = ending
        decision = self.signal(instrument)
        assert isinstance(decision, Accepted), decision
        assert decision.instrument == instrument
        return decision.saga_id

    def end(self, ending: str, kind: type[SagaCompleted | SagaFailed | SagaQuarantined]) -> SagaId:
        saga_id = self.start(ending)
        assert isinstance(self.system.handle(saga_id).result(WAIT), kind)
        return saga_id

    def book(self) -> RiskBook:
        command = GetRiskState()
        self._manager().tell(command)
        return command.reply.result(WAIT)

    def _manager(self) -> "pykka.ActorRef[RiskManager]":
        (ref,) = self.system.refs(RiskManager)
        return ref


@contextmanager
def running(
    path: Path, desk: Desk, *, cooldown_millis: int = 600_000, max_in_flight: int = 9, exposure: int = 149
) -> Iterator[Trading]:
    limits = RiskLimits(
        order_amounts={BTC: Decimal(100), ETH: Decimal(50)},
        exposure_limit=Decimal(exposure),
        breaker_failures=2,
        breaker_cooldown_millis=cooldown_millis,
    )
    decisions: queue.SimpleQueue[Decision] = queue.SimpleQueue()
    with SagaSystem(path, durability=Durability.PROCESS, max_in_flight=max_in_flight) as system:
        system.start_actor(Preparer)
        system.start_actor(Placer, desk)
        system.start_actor(Watcher, desk)
        system.start_actor(RiskManager, order_workflow(), limits, RateLimiterClient(desk), decisions.put)
        yield Trading(system, desk, decisions)


@pytest.fixture
def trading(tmp_path: Path) -> Iterator[Trading]:
    with running(tmp_path, Desk()) as started:
        yield started


def test_each_reason_to_reject_is_named(trading: Trading) -> None:
    assert trading.refusal(confidence=0.1) is RejectReason.LOW_CONFIDENCE
    assert trading.refusal("XRP-PERPETUAL") is RejectReason.UNKNOWN_INSTRUMENT
    trading.desk.requests = 2
    assert trading.refusal() is RejectReason.RATE_LIMITED
    trading.desk.requests = 3
    trading.start("rest")
    assert trading.refusal() is RejectReason.INSTRUMENT_BUSY
    assert trading.refusal(ETH) is RejectReason.EXPOSURE_LIMIT


def test_a_limiter_that_is_gone_stops_new_sagas_but_not_the_risk_manager(trading: Trading) -> None:
    trading.desk.limiter_is_dead = True
    assert trading.refusal() is RejectReason.RATE_LIMITED
    trading.desk.limiter_is_dead = False
    trading.end("fill", SagaCompleted)


def test_a_full_system_takes_no_more(tmp_path: Path) -> None:
    with running(tmp_path, Desk(), max_in_flight=1, exposure=1_000) as trading:
        trading.start("rest")
        assert trading.refusal(ETH) is RejectReason.BACKPRESSURE
        assert list(trading.book().holds) == [BTC]


def test_a_live_saga_holds_its_amount_until_it_completes(trading: Trading) -> None:
    saga_id = trading.start("rest", ETH)
    held = trading.book().holds[ETH]
    assert (held.saga_id, held.notional, trading.book().exposure) == (saga_id, Decimal(50), Decimal(50))
    trading.system.cancel_saga(saga_id, "enough")
    trading.system.handle(saga_id).result(WAIT)
    assert trading.book().holds == {}
    trading.end("fill", SagaCompleted)
    assert trading.book().exposure == 0


def test_a_quarantined_saga_keeps_its_hold_until_an_operator_has_spoken(trading: Trading) -> None:
    saga_id = trading.end("doubt", SagaQuarantined)
    assert trading.book().holds[BTC].saga_id == saga_id
    assert trading.refusal() is RejectReason.INSTRUMENT_BUSY
    trading.system.resolve(saga_id, PLACE_ORDER.name, "not_executed", by="op", why="looked it up")
    deadline = time.monotonic() + WAIT
    while trading.book().holds and time.monotonic() < deadline:
        pass  # each look is a message behind what the manager has yet to hear
    assert trading.book().holds == {}


def test_holds_of_live_and_quarantined_sagas_are_rebuilt_after_a_restart(tmp_path: Path) -> None:
    for place, (ending, kind) in enumerate((("rest", None), ("doubt", SagaQuarantined))):
        path, desk = tmp_path / str(place), Desk()
        with running(path, desk) as trading:
            saga_id = trading.start(ending) if kind is None else trading.end(ending, kind)
        with running(path, desk) as trading:
            assert trading.book().holds[BTC].saga_id == saga_id
            assert trading.book().exposure == 100
            assert trading.refusal() is RejectReason.INSTRUMENT_BUSY


def test_a_finished_saga_is_not_held_again_after_a_restart(tmp_path: Path) -> None:
    desk = Desk()
    with running(tmp_path, desk) as trading:
        trading.end("fill", SagaCompleted)
        trading.end("refuse", SagaFailed)
    with running(tmp_path, desk) as trading:
        assert trading.book().holds == {}


def test_failures_in_a_row_open_the_breaker(trading: Trading) -> None:
    trading.end("refuse", SagaFailed)
    trading.end("refuse", SagaFailed)
    assert trading.refusal() is RejectReason.CIRCUIT_OPEN
    assert trading.book().holds == {}


def test_after_its_time_the_breaker_closes_and_a_success_resets_it(tmp_path: Path) -> None:
    with running(tmp_path, Desk(), cooldown_millis=0) as trading:
        trading.end("refuse", SagaFailed)
        trading.end("refuse", SagaFailed)
        assert trading.book().failures_in_a_row == 2
        trading.end("fill", SagaCompleted)
        assert trading.book().failures_in_a_row == 0


def test_a_listener_that_raises_harms_nobody(tmp_path: Path) -> None:
    heard: queue.SimpleQueue[Decision] = queue.SimpleQueue()

    def raise_after(decision: Decision) -> None:
        heard.put(decision)
        raise ZeroDivisionError

    with SagaSystem(tmp_path, durability=Durability.PROCESS) as system:
        limits = RiskLimits(order_amounts={})
        ref = system.start_actor(RiskManager, order_workflow(), limits, RateLimiterClient(Desk()), raise_after)
        signal = Signal(instrument=BTC, side="buy", confidence=1.0, price=Decimal(1), at_millis=0, strategy="t")
        for _ in range(2):
            ref.tell(SignalReceived(signal))
            assert isinstance(heard.get(timeout=WAIT), Rejected)
