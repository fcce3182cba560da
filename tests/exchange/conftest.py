"""Exchanges for the tests of this folder: a still market, a clock that moves by hand, prices that are known."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from deribit_example.exchange import CreditLimits, ExchangeConfig, ManualClock, SimulatedExchange
from deribit_example.exchange.probe import Probe


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def exchange(clock: ManualClock) -> Iterator[SimulatedExchange]:
    config = ExchangeConfig(
        clock=clock,
        market_interval_millis=0,
        volatility_bps=Decimal(0),
        heartbeat_scale=0.01,
        limits=CreditLimits(enforced=False),
        post_only_default=False,
    )
    with SimulatedExchange(seed=1, config=config) as running:
        yield running


@pytest.fixture
def stranger(exchange: SimulatedExchange) -> Iterator[Probe]:
    with Probe(exchange.url) as probe:
        yield probe


@pytest.fixture
def trader(exchange: SimulatedExchange) -> Iterator[Probe]:
    with Probe(exchange.url) as probe:
        probe.login()
        yield probe
