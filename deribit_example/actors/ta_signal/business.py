"""Indicators and the strategy, pure. Prices come and go as Decimal; the arithmetic between them is float, exact enough
for a hint.
"""

import math
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Final, Literal, TypeAlias

from attrs import field, frozen, validators

Side: TypeAlias = Literal["buy", "sell"]
STRATEGY: Final = "ema-crossover"
_RSI_NEUTRAL: Final = 50.0


@frozen(kw_only=True)
class Signal:
    """A hint to trade; `confidence` lies in [0, 1]."""

    instrument: str
    side: Side
    confidence: float
    price: Decimal
    at_millis: int
    strategy: str


@frozen(kw_only=True)
class CrossoverSettings:
    """Periods in ticks. `full_gap` is the relative gap of the averages that counts as certain.

    Raises:
        ValueError: a period below its minimum, or a fast period that is not below the slow one.
    """

    fast: int = field(default=12, validator=validators.ge(1))
    slow: int = field(default=26, validator=validators.ge(2))
    rsi: int = field(default=14, validator=validators.ge(1))
    full_gap: float = field(default=0.001, validator=validators.gt(0.0))

    def __attrs_post_init__(self) -> None:
        if self.fast >= self.slow:
            raise ValueError(f"the fast period ({self.fast}) must be shorter than the slow one ({self.slow})")

    @property
    def window(self) -> int:
        """Prices to keep: four slow periods, after which older prices weigh next to nothing in the averages."""
        return max(4 * self.slow, self.rsi + 1)

    @property
    def warm_up(self) -> int:
        """Prices needed before there is an opinion."""
        return max(self.slow, self.rsi + 1)


def sma(prices: Sequence[Decimal], period: int) -> Decimal | None:
    """Mean of the last `period` prices; None while there are fewer."""
    if len(prices) < _checked(period):
        return None
    return sum(prices[-period:], Decimal(0)) / period


def ema(prices: Sequence[Decimal], period: int) -> Decimal | None:
    """Exponential average, seeded with the mean of the first `period` prices; None while there are fewer."""
    if len(prices) < _checked(period):
        return None
    weight = 2.0 / (period + 1)
    average = math.fsum(float(price) for price in prices[:period]) / period
    for price in prices[period:]:
        average += weight * (float(price) - average)
    return Decimal(repr(average))


def rsi(prices: Sequence[Decimal], period: int) -> Decimal | None:
    """Wilder's relative strength index in [0, 100]; 50 without any movement; None while there are fewer than period +
    1 prices.
    """
    if len(prices) <= _checked(period):
        return None
    moves = [float(later - earlier) for earlier, later in pairwise(prices)]
    gain = math.fsum(max(move, 0.0) for move in moves[:period]) / period
    loss = math.fsum(max(-move, 0.0) for move in moves[:period]) / period
    for move in moves[period:]:
        gain += (max(move, 0.0) - gain) / period
        loss += (max(-move, 0.0) - loss) / period
    if gain + loss == 0.0:
        return Decimal(50)
    return Decimal(repr(min(100.0, 100.0 * (gain / (gain + loss)))))


def trend(prices: Sequence[Decimal], settings: CrossoverSettings) -> Side | None:
    """Which side the fast average favours: buy above the slow one, sell below, None when equal or not warmed up."""
    if len(prices) < settings.warm_up:
        return None
    fast, slow = ema(prices, settings.fast), ema(prices, settings.slow)
    if fast is None or slow is None or fast == slow:
        return None
    return "buy" if fast > slow else "sell"


def confidence(prices: Sequence[Decimal], side: Side, settings: CrossoverSettings) -> float:
    """How much to trust a crossover, in [0, 1]: half from the gap of the averages, half from the strength index
    agreeing.
    """
    fast, slow = ema(prices, settings.fast), ema(prices, settings.slow)
    strength = rsi(prices, settings.rsi)
    if fast is None or slow is None or strength is None or slow <= 0:
        return 0.0
    gap = min(1.0, abs(float(fast - slow)) / float(slow) / settings.full_gap)
    lead = float(strength) - _RSI_NEUTRAL if side == "buy" else _RSI_NEUTRAL - float(strength)
    return min(1.0, max(0.0, 0.5 * gap + 0.5 * max(0.0, lead) / _RSI_NEUTRAL))


@frozen(kw_only=True)
class Track:
    """What is remembered of an instrument: the window of prices, the newest tick, and the side of the last opinion."""

    prices: tuple[Decimal, ...] = ()
    at_millis: int | None = None
    side: Side | None = None


def advance(
    track: Track, instrument: str, price: Decimal, at_millis: int, settings: CrossoverSettings
) -> tuple[Track, Signal | None]:
    """Take one tick. A signal comes when the favoured side changes, so once per crossover; the first opinion is only
    a start.

    A tick that is older than the newest one, or has no positive price, changes nothing.
    """
    if not price.is_finite() or price <= 0 or (track.at_millis is not None and at_millis < track.at_millis):
        return track, None
    prices = (*track.prices, price)[-settings.window :]
    side = trend(prices, settings)
    crossed = side is not None and track.side is not None and side != track.side
    following = Track(prices=prices, at_millis=at_millis, side=side or track.side)
    if side is None or not crossed:
        return following, None
    trust = confidence(prices, side, settings)
    signal = Signal(
        instrument=instrument, side=side, confidence=trust, price=price, at_millis=at_millis, strategy=STRATEGY
    )
    return following, signal


def _checked(period: int) -> int:
    if period < 1:
        raise ValueError(f"a period must be at least 1, not {period}")
    return period
