"""The monitor in a system of its own: two stand-ins before it, a connection that does what the test says."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import cast

import pytest
from attrs import evolve

from deribit_example.actors.deribit_ws import (
    ConnectionEvent,
    ConnectionStatus,
    DeribitClient,
    DeribitCommand,
    GetOrderHistory,
    GetOrderState,
    GetStatus,
    NotConnected,
    OrderSnapshot,
    Reconnected,
    RequestRefused,
    WatchConnection,
    WatchOrders,
)
from deribit_example.actors.deribit_ws.calls import answer, refuse
from deribit_example.actors.order_monitor import OrderMonitor
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
    Durability,
    NothingToUndo,
    SagaActor,
    SagaCompleted,
    SagaContext,
    SagaFailed,
    SagaHandle,
    SagaSystem,
    StepOutput,
)
from saga_choreography.testing import SagaEventCollector

WAIT = 20.0
NAME = "BTC-PERPETUAL"
INTENT = OrderIntent(
    instrument=NAME, side="buy", amount=Decimal(40), price=Decimal(84200), confidence=0.9, strategy="t"
)
OPEN = OrderSnapshot(
    order_id="9",
    label="mine",
    instrument=NAME,
    direction="buy",
    state="open",
    amount=Decimal(40),
    filled_amount=Decimal(0),
)
FILLED = evolve(OPEN, state="filled", filled_amount=Decimal(40), average_price=Decimal(84190))
CANCELLED = evolve(OPEN, state="cancelled", filled_amount=Decimal(30), cancel_reason="user_request")


class Exchange:
    """The one order as the exchange knows it, and the connection to it."""

    def __init__(self, order: OrderSnapshot = OPEN) -> None:
        self.order: OrderSnapshot | None = order
        self.old: tuple[OrderSnapshot, ...] = ()
        self.connected = True
        self.asked = threading.Semaphore(0)
        self.listeners: list[Callable[[OrderSnapshot], None]] = []
        self.sessions: list[Callable[[ConnectionEvent], None]] = []

    def tell(self, message: DeribitCommand) -> None:
        match message:
            case WatchOrders(listener=listener):
                self.listeners.append(listener)
                self._answer(message.reply, None)
            case WatchConnection(listener=hears):
                self.sessions.append(hears)
                answer(message.reply, None)
            case GetStatus():
                status = ConnectionStatus(
                    connected=self.connected, clock_offset_millis=0, reconnects=0, last_error=None
                )
                answer(message.reply, status)
            case GetOrderState():
                if self.order is None:
                    refuse(message.reply, RequestRefused(10004, "order_not_found"))
                else:
                    self._answer(message.reply, self.order)
                self.asked.release()
            case GetOrderHistory():
                self._answer(message.reply, self.old)
            case _:
                raise AssertionError(message)

    def _answer(self, reply: object, value: object) -> None:
        settled = cast("Future[object]", reply)
        if self.connected:
            answer(settled, value)
        else:
            refuse(settled, NotConnected("away"))

    def update(self, order: OrderSnapshot) -> None:
        """Change the order and tell everybody."""
        self.order = order
        for listener in self.listeners:
            listener(order)

    def session_is_back(self) -> None:
        self.connected = True
        for hears in self.sessions:
            hears(Reconnected(reconnects=1))

    def was_asked(self) -> None:
        assert self.asked.acquire(timeout=WAIT)


class Preparer(NothingToUndo, SagaActor[OrderIntent, PreparedOrder, None]):
    step = PREPARE_ORDER

    def execute_step(self, context: SagaContext, step_input: OrderIntent) -> StepOutput[PreparedOrder, None]:
        order = PreparedOrder(
            instrument=NAME, settlement_currency="BTC", side="buy", amount=Decimal(40), price=Decimal(84200)
        )
        return StepOutput(order, None)


class Placer(SagaActor[PreparedOrder, PlacedOrder, UndoOrder]):
    step = PLACE_ORDER

    def execute_step(self, context: SagaContext, step_input: PreparedOrder) -> StepOutput[PlacedOrder, UndoOrder]:
        output = PlacedOrder(
            instrument=NAME, order_id="9", label="mine", side="buy", amount=Decimal(40), price=Decimal(84200)
        )
        undo = UndoOrder(instrument=NAME, settlement_currency="BTC", order_id="9", label="mine", side="buy")
        return StepOutput(output, undo)

    def compensate_step(self, context: SagaContext, undo: UndoOrder) -> None:
        """The stand-in has placed nothing."""


@contextmanager
def running(
    path: Path, exchange: Exchange, collector: SagaEventCollector, follow_up_millis: int = 600_000
) -> Iterator[SagaSystem]:
    with SagaSystem(path, durability=Durability.PROCESS, observers=[collector]) as system:
        system.start_actor(Preparer)
        system.start_actor(Placer)
        system.start_actor(OrderMonitor, DeribitClient(exchange), follow_up_millis)
        yield system


@pytest.fixture
def exchange() -> Exchange:
    return Exchange()


@pytest.fixture
def system(tmp_path: Path, exchange: Exchange) -> Iterator[SagaSystem]:
    with running(tmp_path, exchange, SagaEventCollector()) as started:
        yield started


def pending(system: SagaSystem, exchange: Exchange) -> SagaHandle:
    """A saga whose order has been asked for and is open."""
    handle = system.start_saga(order_workflow(), INTENT)
    exchange.was_asked()
    return handle


def completed(handle: SagaHandle) -> FilledOrder:
    assert isinstance(handle.result(WAIT), SagaCompleted)
    return handle.output_of(MONITOR_ORDER)


def failed(handle: SagaHandle) -> str:
    outcome = handle.result(WAIT)
    assert isinstance(outcome, SagaFailed)
    return str(outcome.reason)


def test_an_order_that_was_filled_before_anybody_watched_completes_the_saga(
    system: SagaSystem, exchange: Exchange
) -> None:
    exchange.order = FILLED
    assert completed(pending(system, exchange)).average_price == Decimal(84190)


def test_an_open_order_is_completed_by_the_update_that_fills_it(system: SagaSystem, exchange: Exchange) -> None:
    handle = pending(system, exchange)
    exchange.update(evolve(OPEN, filled_amount=Decimal(30)))
    assert handle.outcome() is None
    exchange.update(FILLED)
    assert completed(handle).filled_amount == 40


def test_updates_that_come_twice_change_nothing(system: SagaSystem, exchange: Exchange) -> None:
    handle = pending(system, exchange)
    for _ in range(3):
        exchange.update(FILLED)
    completed(handle)
    exchange.update(FILLED)
    exchange.update(CANCELLED)
    exchange.order = FILLED
    completed(pending(system, exchange))


def test_updates_of_orders_of_others_change_nothing(system: SagaSystem, exchange: Exchange) -> None:
    handle = pending(system, exchange)
    for listener in exchange.listeners:
        listener(evolve(CANCELLED, order_id="somebody else's"))
    exchange.update(FILLED)
    completed(handle)


def test_a_cancelled_order_fails_the_saga_and_says_what_was_filled(system: SagaSystem, exchange: Exchange) -> None:
    handle = pending(system, exchange)
    exchange.update(CANCELLED)
    assert "cancelled (user_request), 30 of 40 filled" in failed(handle)


def test_an_order_that_had_ended_already_fails_the_saga(system: SagaSystem, exchange: Exchange) -> None:
    exchange.order = CANCELLED
    assert "cancelled" in failed(pending(system, exchange))


def test_a_lost_update_is_made_up_for_when_the_session_is_back(system: SagaSystem, exchange: Exchange) -> None:
    handle = pending(system, exchange)
    exchange.order = FILLED  # nobody is told
    exchange.session_is_back()
    completed(handle)


def test_a_lost_update_is_made_up_for_by_the_follow_up(tmp_path: Path, exchange: Exchange) -> None:
    with running(tmp_path, exchange, SagaEventCollector(), follow_up_millis=20) as system:
        handle = pending(system, exchange)
        exchange.order = FILLED
        completed(handle)


def test_an_instrument_is_subscribed_once(system: SagaSystem, exchange: Exchange) -> None:
    for _ in range(2):
        handle = pending(system, exchange)
        exchange.update(FILLED)
        completed(handle)
        exchange.order = OPEN
    assert len(exchange.listeners) == 1


def test_without_a_session_the_step_waits_and_registers_once(system: SagaSystem, exchange: Exchange) -> None:
    exchange.connected = False
    handle = pending(system, exchange)  # asked although the subscription failed: a second attempt
    exchange.order = FILLED
    exchange.session_is_back()
    completed(handle)
    assert len(exchange.listeners) == 1


def test_an_order_that_only_the_history_knows_is_found_there(system: SagaSystem, exchange: Exchange) -> None:
    exchange.order = None
    exchange.old = (CANCELLED,)
    assert "30 of 40 filled" in failed(pending(system, exchange))


def test_an_order_nobody_knows_fails_the_saga(system: SagaSystem, exchange: Exchange) -> None:
    exchange.order = None
    assert "10004" in failed(pending(system, exchange))


def test_a_saga_that_is_cancelled_is_not_watched_any_more(system: SagaSystem, exchange: Exchange) -> None:
    handle = pending(system, exchange)
    system.cancel_saga(handle.saga_id, "enough")
    assert "enough" in failed(handle)
    exchange.update(CANCELLED)
    exchange.order = FILLED
    completed(pending(system, exchange))


@pytest.mark.parametrize("end", [FILLED, CANCELLED], ids=["filled", "cancelled"])
def test_an_order_that_ended_while_the_program_was_down_ends_the_saga(
    tmp_path: Path, exchange: Exchange, end: OrderSnapshot
) -> None:
    collector = SagaEventCollector()
    with running(tmp_path, exchange, collector) as system:
        saga_id = pending(system, exchange).saga_id
    exchange.order = end
    with running(tmp_path, exchange, collector) as system:
        outcome = system.handle(saga_id).result(WAIT)
        assert isinstance(outcome, SagaCompleted if end is FILLED else SagaFailed)


def test_a_program_that_restarts_without_a_session_asks_when_there_is_one(tmp_path: Path, exchange: Exchange) -> None:
    collector = SagaEventCollector()
    with running(tmp_path, exchange, collector) as system:
        saga_id = pending(system, exchange).saga_id
    exchange.connected, exchange.order = False, FILLED
    with running(tmp_path, exchange, collector) as system:
        handle = system.handle(saga_id)
        assert handle.outcome() is None
        exchange.session_is_back()
        assert isinstance(handle.result(WAIT), SagaCompleted)
