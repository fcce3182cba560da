"""`ExchangeHarness`: the trading program connected over a real socket to the simulated exchange in this process."""

from contextlib import ExitStack
from decimal import Decimal
from typing import Final, final

from attrs import evolve

from deribit_example.actors.deribit_ws import Credentials, DeribitConfig, Secret
from deribit_example.exchange import (
    CreditLimits,
    ExchangeConfig,
    FaultName,
    OrderSnapshot,
    SimulatedExchange,
)
from deribit_example.program import ProgramSettings, Ref, start_deribit_ws
from saga_choreography import SagaId
from tests.e2e.mock_books import BTC
from tests.e2e.program_harness import WAIT_SECONDS, ProgramHarness
from tests.e2e.quick_settings import AGAINST_EXCHANGE

STILL_MARKET: Final = ExchangeConfig(
    market_interval_millis=0, volatility_bps=Decimal(0), limits=CreditLimits(enforced=False)
)


def connection_to(exchange: SimulatedExchange, *, secret: str | None = None) -> DeribitConfig:
    """How to connect to an exchange of this process, quickly again after each loss."""
    account = ExchangeConfig().accounts[0]
    return DeribitConfig(
        url=exchange.url,
        credentials=Credentials(client_id=account.client_id, client_secret=Secret(secret or account.client_secret)),
        heartbeat_seconds=10,
        backoff_initial_millis=10,
        backoff_max_millis=100,
    )


@final
class ExchangeHarness(ProgramHarness):
    """A fresh exchange with a still market, which outlives the programs.

    `silence_millis`: when a silent socket is given up. `clock_offset_millis`: how far the exchange's clock is ahead.
    """

    def __init__(
        self,
        settings: ProgramSettings = AGAINST_EXCHANGE,
        *,
        config: ExchangeConfig = STILL_MARKET,
        silence_millis: int | None = None,
        clock_offset_millis: int = 0,
        starts: bool = True,
    ) -> None:
        super().__init__(settings, starts=starts)
        self._config = config
        self._silence_millis = silence_millis
        self._clock_offset_millis = clock_offset_millis
        self.ready_millis = int(WAIT_SECONDS * 1_000)

    def _prepare(self, stack: ExitStack) -> None:
        self.exchange = stack.enter_context(SimulatedExchange(seed=1, config=self._config))
        if self._clock_offset_millis:
            self.exchange.faults.arm(FaultName.CLOCK_OFFSET, millis=self._clock_offset_millis)

    def _open_connection(self) -> Ref:
        return start_deribit_ws(evolve(connection_to(self.exchange), silence_millis=self._silence_millis))

    def _start(self) -> None:
        super()._start()
        self.program.client.wait_until_ready(self.ready_millis)

    # ---------------------------------------------------------------- the exchange's side

    def rest_next_order(self, *, filled: str = "0") -> None:
        """Let the next order that may rest fill this fraction and then stand still until it is filled by hand."""
        self.exchange.faults.arm(FaultName.PARTIAL_FILL, fraction=Decimal(filled))

    def drop_ws_connection(self, kind: str = "reset") -> None:
        """End every connection to the exchange; the program connects again by itself."""
        self.exchange.drop_all_connections(kind)

    def orders(self, saga_id: SagaId | None = None) -> list[OrderSnapshot]:
        """Orders in the exchange's books, oldest first; those of one saga carry its id in their label."""
        return [order for order in self.exchange.orders() if saga_id is None or saga_id.hex in order.label]

    def wait_for_order(self, *, filled: Decimal = Decimal(0)) -> OrderSnapshot:
        """Wait until the exchange has an order that rests and is filled so far."""

        def resting(exchange: SimulatedExchange) -> list[OrderSnapshot]:
            return [order for order in exchange.orders() if order.is_open and order.filled_amount >= filled]

        self.exchange.wait_for(lambda exchange: bool(resting(exchange)), WAIT_SECONDS)
        return resting(self.exchange)[-1]

    def wait_until_fired(self, name: FaultName, times: int = 1) -> None:
        """Wait until a fault switch has fired so often."""
        self.exchange.wait_for(lambda exchange: exchange.faults.fired(name) >= times, WAIT_SECONDS)

    def net_position(self, instrument: str = BTC) -> Decimal:
        sizes = (each.size for each in self.exchange.positions() if each.instrument_name == instrument)
        return sum(sizes, Decimal(0))
