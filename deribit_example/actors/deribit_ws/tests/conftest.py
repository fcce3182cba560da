"""A simulated exchange and an actor connected to it."""

from collections.abc import Iterator

import pykka
import pytest

from deribit_example.actors.deribit_ws import Credentials, DeribitClient, DeribitConfig, DeribitWSActor, Secret
from deribit_example.exchange import ExchangeConfig, SimulatedExchange


@pytest.fixture
def exchange() -> Iterator[SimulatedExchange]:
    with SimulatedExchange(config=ExchangeConfig(market_interval_millis=0, heartbeat_scale=0.02)) as running:
        yield running


@pytest.fixture
def config(exchange: SimulatedExchange) -> DeribitConfig:
    account = ExchangeConfig().accounts[0]
    return DeribitConfig(
        url=exchange.url,
        credentials=Credentials(client_id=account.client_id, client_secret=Secret(account.client_secret)),
        heartbeat_seconds=10,
        backoff_initial_millis=10,
        backoff_max_millis=50,
    )


@pytest.fixture
def actor(config: DeribitConfig) -> "Iterator[pykka.ActorRef[DeribitWSActor]]":
    ref = DeribitWSActor.start(config)
    yield ref
    if ref.is_alive():
        ref.stop(timeout=10)


@pytest.fixture
def client(actor: "pykka.ActorRef[DeribitWSActor]") -> DeribitClient:
    ready = DeribitClient(actor)
    ready.wait_until_ready(10_000)
    return ready
