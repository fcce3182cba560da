"""The messages of the signal actor."""

from decimal import Decimal
from typing import TypeAlias

from attrs import frozen


@frozen(kw_only=True)
class MarketTick:
    """A price of an instrument; `at_millis` is the exchange's time."""

    instrument: str
    price: Decimal
    at_millis: int


@frozen(kw_only=True)
class Reset:
    """Forget an instrument, or everything with `None`: after a gap in the data old prices mislead."""

    instrument: str | None = None


TASignalCommand: TypeAlias = MarketTick | Reset
