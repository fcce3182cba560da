"""How a simulated exchange is set up; every field has a working default."""

from decimal import Decimal

from attrs import field, frozen

from deribit_example.exchange.accounts import Account
from deribit_example.exchange.clock import Clock, SystemClock
from deribit_example.exchange.credits import CreditLimits
from deribit_example.exchange.instruments import INSTRUMENTS, Instrument
from deribit_example.exchange.ledger import LedgerJournal, not_journaled

MAX_FRAME_BYTES = 32 * 1024


@frozen(kw_only=True)
class ExchangeConfig:
    """Settings of one exchange.

    `heartbeat_scale` shortens heartbeats: 0.01 turns the interval 10 into 0.1 seconds.
    `market_interval_millis` is the time between steps of the market; 0 lets it stand until it is stepped by hand.
    `volatility_bps` is the deviation of one step; 0 keeps the prices but still refills the books.
    `rate_limit_disconnects` closes the connection after a 10028, as one page of the real documentation says.
    `journal` is told of every change to orders and positions before anybody else is.
    `post_only_default` is what an omitted `post_only` means for resting orders; the documentation says true.
    """

    host: str = "127.0.0.1"
    port: int = 0
    accounts: tuple[Account, ...] = field(factory=lambda: (Account(),))
    instruments: tuple[Instrument, ...] = INSTRUMENTS
    clock: Clock = field(factory=SystemClock)
    expires_in_seconds: int = 900
    heartbeat_scale: float = 1.0
    market_interval_millis: int = 100
    volatility_bps: Decimal = Decimal("1")
    price_band: Decimal = Decimal("0.015")
    limits: CreditLimits = field(factory=CreditLimits)
    rate_limit_disconnects: bool = False
    post_only_default: bool = True
    order_window_millis: int = 30 * 60 * 1000
    trade_window_millis: int = 24 * 60 * 60 * 1000
    max_connections_per_address: int = 32
    max_outbox: int = 2_000
    send_timeout_seconds: float = 5.0
    journal: LedgerJournal = not_journaled
