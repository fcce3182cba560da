"""The values that travel between the connection and its callers. Prices and amounts are Decimal, times are server
milliseconds.
"""

from decimal import Decimal
from typing import Literal, TypeAlias

from attrs import field, frozen, validators

Direction: TypeAlias = Literal["buy", "sell"]
OrderType: TypeAlias = Literal["limit", "market"]
TimeInForce: TypeAlias = Literal["good_til_cancelled", "good_til_day", "fill_or_kill", "immediate_or_cancel"]
OrderState: TypeAlias = Literal["open", "filled", "rejected", "cancelled", "untriggered", "triggered", "unknown"]

MAX_LABEL_LENGTH = 64
TERMINAL_STATES: frozenset[OrderState] = frozenset({"filled", "rejected", "cancelled"})


@frozen(kw_only=True)
class NewOrder:
    """An order to be placed. The label is the only handle after a lost reply: fresh for each attempt, at most 64
    characters.

    Raises:
        ValueError: a limit order without a price, a market order with one, an amount that is not positive, a label
        too long.
    """

    instrument: str
    direction: Direction
    amount: Decimal
    price: Decimal | None = None
    order_type: OrderType = "limit"
    time_in_force: TimeInForce = "good_til_cancelled"
    label: str = field(validator=[validators.min_len(1), validators.max_len(MAX_LABEL_LENGTH)])
    valid_until_millis: int | None = None
    """Server time after which the exchange must not match it any more."""
    post_only: bool = False
    reject_post_only: bool = False
    reduce_only: bool = False

    def __attrs_post_init__(self) -> None:
        if not (self.amount.is_finite() and self.amount > 0):
            raise ValueError(f"the amount of an order must be positive, not {self.amount}")
        if self.price is not None and not (self.price.is_finite() and self.price > 0):
            raise ValueError(f"the price of an order must be positive, not {self.price}")
        if (self.order_type == "limit") != (self.price is not None):
            raise ValueError(
                f"a limit order needs a price and a market order has none, got {self.order_type} at {self.price}"
            )


@frozen(kw_only=True)
class OrderSnapshot:
    """An order as the exchange last described it."""

    order_id: str
    label: str
    instrument: str
    direction: Direction
    state: OrderState
    amount: Decimal
    filled_amount: Decimal
    average_price: Decimal | None = None
    price: Decimal | None = None
    """`None` for market orders."""
    cancel_reason: str | None = None
    last_update_millis: int = 0

    @property
    def is_terminal(self) -> bool:
        """Whether the order can change no more."""
        return self.state in TERMINAL_STATES

    @property
    def remaining_amount(self) -> Decimal:
        """What has not been filled (also of an order that is cancelled)."""
        return self.amount - self.filled_amount


@frozen(kw_only=True)
class TickSizeStep:
    """Above this price another tick size holds."""

    above_price: Decimal
    tick_size: Decimal


@frozen(kw_only=True)
class Instrument:
    """What is needed to round an order correctly."""

    name: str
    kind: str
    settlement_currency: str
    tick_size: Decimal
    tick_size_steps: tuple[TickSizeStep, ...]
    min_trade_amount: Decimal
    contract_size: Decimal
    is_active: bool


@frozen(kw_only=True)
class Ticker:
    """The top of a book; a side without orders is `None`."""

    instrument: str
    best_bid_price: Decimal | None
    best_ask_price: Decimal | None
    last_price: Decimal | None
    mark_price: Decimal
    min_price: Decimal | None
    max_price: Decimal | None
    at_millis: int


@frozen(kw_only=True)
class RateLimit:
    """Sustained requests per second, and how many may come at once."""

    rate: int
    burst: int


@frozen(kw_only=True)
class AccountLimits:
    """The limits of the account; `None` where the exchange names none."""

    non_matching_engine: RateLimit | None
    matching_engine: RateLimit | None
    cancel_all: RateLimit | None


@frozen(kw_only=True)
class ConnectionStatus:
    """How the connection is doing. `clock_offset_millis` is server time minus local time."""

    connected: bool
    clock_offset_millis: int
    reconnects: int
    last_error: str | None


@frozen(kw_only=True)
class Reconnected:
    """The session is ready (0 for the first time): events may have been missed, so query what matters."""

    reconnects: int


@frozen(kw_only=True)
class Disconnected:
    """The session is gone; `code` is the close code if the exchange sent one."""

    reason: str
    code: int | None


@frozen(kw_only=True)
class SubscriptionMissing:
    """The exchange acknowledged a subscription without this channel."""

    channel: str


ConnectionEvent: TypeAlias = Reconnected | Disconnected | SubscriptionMissing
