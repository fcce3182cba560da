"""What the soak trades, on which exchange, and with which patience: a dozen instruments, short waits, no limits."""

from decimal import Decimal
from typing import Final

from deribit_example.actors.deribit_ws import Credentials, DeribitConfig, Secret
from deribit_example.actors.risk_manager import RiskLimits
from deribit_example.exchange import Account, CreditLimits, ExchangeConfig, Rate
from deribit_example.exchange.instruments import Instrument
from deribit_example.exchange.ledger import LedgerJournal
from deribit_example.program import ProgramSettings
from deribit_example.saga.types import Side

INSTRUMENTS: Final = tuple(
    Instrument(
        name=f"C{number:02}_USDC-PERPETUAL",
        base=f"C{number:02}",
        quote="USDC",
        settlement="USDC",
        inverse=False,
        tick=Decimal("0.01"),
        contract_size=Decimal(1),
        min_amount=Decimal(1),
        start_price=Decimal(100 + number),
        order_prefix="USDC-",
    )
    for number in range(48)
)
"""One saga at a time may trade an instrument, so it takes some of them to have many orders in flight."""

NAMES: Final = tuple(instrument.name for instrument in INSTRUMENTS)
PRICES: Final = {instrument.name: instrument.start_price for instrument in INSTRUMENTS}
# The program asks for its limits by way of the BTC account.
ACCOUNT: Final = Account(equity={"USDC": Decimal(10) ** 12, "BTC": Decimal(1)})
UNLIMITED: Final = 1_000_000_000

SETTINGS: Final = ProgramSettings(
    limits=RiskLimits(
        order_amounts={name: Decimal(10 + number) for number, name in enumerate(NAMES)},
        exposure_limit=Decimal(UNLIMITED),
        breaker_failures=UNLIMITED,
    ),
    order_validity_millis=400,
    # Against a simulated exchange on the same machine this only has to cover a wrong estimate of its clock.
    settle_margin_millis=500,
    follow_up_millis=700,
    stalled_timeout_millis=4_000,
    overall_timeout_millis=20_000,
)


def side_of(instrument: str) -> Side:
    """Which way an instrument is traded: always the same, so that a fault can tell an order from its offset."""
    return "buy" if NAMES.index(instrument) % 2 == 0 else "sell"


def connection_to(url: str) -> DeribitConfig:
    """How to reach the exchange, quickly again after each loss."""
    return DeribitConfig(
        url=url,
        credentials=Credentials(client_id=ACCOUNT.client_id, client_secret=Secret(ACCOUNT.client_secret)),
        heartbeat_seconds=10,
        silence_millis=1_200,
        backoff_initial_millis=10,
        backoff_max_millis=100,
    )


def exchange_config(journal: LedgerJournal) -> ExchangeConfig:
    """An exchange whose market drifts a little, so that some orders rest, and whose limits are a fault, not a rule."""
    rates = CreditLimits().rates
    return ExchangeConfig(
        accounts=(ACCOUNT,),
        instruments=INSTRUMENTS,
        heartbeat_scale=0.05,
        market_interval_millis=500,
        volatility_bps=Decimal(1),
        limits=CreditLimits(rates={pool: Rate(5_000, 10_000) for pool in rates}),
        max_connections_per_address=1_000,
        journal=journal,
    )
