"""The trading program as a whole, on a real connection to the simulated exchange."""

import queue
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from attrs import evolve

from deribit_example.actors.deribit_ws import Credentials, DeribitClient, DeribitConfig, Secret
from deribit_example.actors.risk_manager import Accepted, Decision, RiskLimits
from deribit_example.actors.ta_signal import MarketTick, Signal
from deribit_example.exchange import ExchangeConfig, FaultName, ManualClock, OrderSnapshot, SimulatedExchange
from deribit_example.program import ProgramSettings, Ref, TradingProgram, start_deribit_ws
from deribit_example.saga.types import MONITOR_ORDER
from saga_choreography import Durability, SagaCompleted, SagaFailed, StoreLocked

BTC = "BTC-PERPETUAL"
WAIT = 40.0
SETTINGS = ProgramSettings(limits=RiskLimits(order_amounts={BTC: Decimal(40)}))


@pytest.fixture
def exchange() -> Iterator[SimulatedExchange]:
    with SimulatedExchange(config=ExchangeConfig(market_interval_millis=20)) as running:
        yield running


def connect(exchange: SimulatedExchange) -> Ref:
    credentials = Credentials(client_id="simKey01", client_secret=Secret("simSecret01"))
    config = DeribitConfig(url=exchange.url, credentials=credentials, backoff_initial_millis=20, backoff_max_millis=50)
    return start_deribit_ws(config)


@pytest.fixture
def connection(exchange: SimulatedExchange) -> Iterator[Ref]:
    ws = connect(exchange)
    yield ws
    ws.stop(timeout=10)


def resting_order(exchange: SimulatedExchange) -> OrderSnapshot:
    """The one order that was placed, once it is there."""
    exchange.wait_for(lambda running: bool(running.orders()), WAIT)
    (order,) = exchange.orders()
    assert order.order_state == "open"
    return order


class Desk:
    """A program, and what it decided."""

    def __init__(self, data_dir: Path, ws: Ref, settings: ProgramSettings = SETTINGS) -> None:
        self.decisions: queue.SimpleQueue[Decision] = queue.SimpleQueue()
        self.program = TradingProgram(
            data_dir, ws=ws, settings=settings, durability=Durability.PROCESS, on_decision=self.decisions.put
        )

    def order(self) -> Accepted:
        """Send a signal at the market's price; it must be accepted."""
        price = self.program.client.get_ticker(BTC, wait_for_connection=True).mark_price
        self.program.signal(
            Signal(instrument=BTC, side="buy", confidence=0.9, price=price, at_millis=0, strategy="test")
        )
        decision = self.decisions.get(timeout=WAIT)
        assert isinstance(decision, Accepted)
        return decision


@pytest.fixture
def desk(tmp_path: Path, connection: Ref) -> Iterator[Desk]:
    desk = Desk(tmp_path, connection)
    with desk.program:
        yield desk


def test_a_signal_becomes_a_filled_order(desk: Desk, exchange: SimulatedExchange) -> None:
    accepted = desk.order()
    handle = desk.program.system.handle(accepted.saga_id)
    assert isinstance(handle.result(WAIT), SagaCompleted)
    (order,) = exchange.orders()
    filled = handle.output_of(MONITOR_ORDER)
    assert (filled.order_id, filled.filled_amount) == (order.order_id, Decimal(40))
    assert filled.average_price == order.average_price
    assert not desk.program.risk_state().holds


def test_prices_alone_become_an_order(desk: Desk) -> None:
    price = desk.program.client.get_ticker(BTC, wait_for_connection=True).mark_price
    falling = [price * (100 - step) / 100 for step in range(40)]
    for number, tick in enumerate([*falling, *reversed(falling)]):
        desk.program.feed(MarketTick(instrument=BTC, price=tick, at_millis=number * 1_000))
    assert desk.decisions.get(timeout=WAIT).signal.instrument == BTC


def test_the_connection_outlives_the_program(tmp_path: Path, connection: Ref) -> None:
    with Desk(tmp_path, connection).program as program:
        program.client.wait_until_ready()
    program.stop()
    program.feed(MarketTick(instrument=BTC, price=Decimal(1), at_millis=0))
    DeribitClient(connection).wait_until_ready()


def test_a_directory_in_use_is_refused_and_the_next_program_can_have_it(tmp_path: Path, connection: Ref) -> None:
    with Desk(tmp_path, connection).program, pytest.raises(StoreLocked):
        Desk(tmp_path, connection)
    Desk(tmp_path, connection).program.stop()


def test_a_restart_does_not_wait_for_an_exchange_that_is_away(tmp_path: Path, exchange: SimulatedExchange) -> None:
    exchange.hold_fills()
    first = connect(exchange)
    desk = Desk(tmp_path, first)
    with desk.program:
        saga_id = desk.order().saga_id
        resting_order(exchange)
    first.stop(timeout=10)
    away = exchange.faults.arm(FaultName.REFUSE_CONNECTIONS, count=None)
    second = connect(exchange)
    desk = Desk(tmp_path, second)
    with desk.program:
        assert list(desk.program.risk_state().holds) == [BTC]
        assert desk.program.system.handle(saga_id).outcome() is None
        exchange.release_fills()
        exchange.faults.disarm(away)
        assert isinstance(desk.program.system.handle(saga_id).result(WAIT), SagaCompleted)
    second.stop(timeout=10)
    assert len(exchange.orders()) == 1


def test_an_order_the_exchange_has_ended_while_the_program_was_down_is_offset(
    tmp_path: Path, exchange: SimulatedExchange
) -> None:
    exchange.hold_fills()
    first = connect(exchange)
    desk = Desk(tmp_path, first)
    with desk.program:
        saga_id = desk.order().saga_id
        order = resting_order(exchange)
    first.stop(timeout=10)
    exchange.fill_order(order.order_id, Decimal(10))
    exchange.cancel_order_as_exchange(order.order_id)
    exchange.release_fills()
    second = connect(exchange)
    desk = Desk(tmp_path, second)
    with desk.program:
        assert isinstance(desk.program.system.handle(saga_id).result(WAIT), SagaFailed)
    second.stop(timeout=10)
    assert [position.size for position in exchange.positions() if position.instrument_name == BTC] == [Decimal(0)]


def test_an_order_the_exchange_has_forgotten_is_not_placed_again(tmp_path: Path) -> None:
    """Its label and its id lead nowhere after half an hour, however short ago the saga began by our own clock."""
    clock = ManualClock()
    quick = evolve(SETTINGS, order_validity_millis=300, settle_margin_millis=100)
    with SimulatedExchange(config=ExchangeConfig(clock=clock, market_interval_millis=0)) as exchange:
        ws = connect(exchange)
        desk = Desk(tmp_path, ws, quick)
        with desk.program:
            exchange.faults.arm(FaultName.APPLY_THEN_DROP)
            away = exchange.faults.arm(FaultName.REFUSE_CONNECTIONS, count=None)
            saga_id = desk.order().saga_id
            exchange.wait_for(lambda running: bool(running.orders()), WAIT)
            clock.advance_millis(31 * 60 * 1_000)
            exchange.faults.disarm(away)
            handle = desk.program.system.handle(saga_id)
            assert isinstance(handle.result(WAIT), SagaCompleted)
            (order,) = exchange.orders()
            assert handle.output_of(MONITOR_ORDER).order_id == order.order_id
        ws.stop(timeout=10)
