"""What the engine reports after each operation; the session layer turns it into notifications."""

from typing import TypeAlias

from attrs import frozen

from deribit_example.exchange.orders import Order, Trade
from deribit_example.exchange.wire import Json


@frozen(kw_only=True)
class UserChange:
    """Orders and fills of one user in one instrument, from one operation."""

    user_id: int
    instrument_name: str
    orders: tuple[Order, ...]
    trades: tuple[Trade, ...]


@frozen(kw_only=True)
class MarketChange:
    """The best prices or the mark of an instrument moved."""

    instrument_name: str


@frozen(kw_only=True)
class PlatformChange:
    """The state of the whole platform changed."""

    data: dict[str, Json]


Event: TypeAlias = UserChange | MarketChange | PlatformChange
