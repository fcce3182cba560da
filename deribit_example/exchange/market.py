"""The seeded market: prices walk, and a market maker keeps every book quoted. Same seed, same walk."""

from decimal import Decimal
from random import Random
from typing import final

from attrs import frozen

from deribit_example.exchange.instruments import Instrument, Side

DEPTH = 10


@frozen(kw_only=True)
class Quote:
    """One order the market maker wants in the book."""

    side: Side
    price: Decimal
    amount: Decimal


@final
class Market:
    """Index, mark, price band and quotes of one instrument; last traded price and its tick direction."""

    def __init__(self, instrument: Instrument, *, seed: int, volatility_bps: Decimal, band: Decimal) -> None:
        self.instrument = instrument
        self._random = Random(f"{seed}-{instrument.name}")
        self._volatility = volatility_bps / 10_000
        self._band = band
        self.mark = instrument.start_price
        self.index = instrument.start_price
        self.last = instrument.start_price
        self.tick_direction = 0
        self.trade_seq = 80_000
        self.quotes: tuple[Quote, ...] = ()
        self._requote()

    @property
    def min_price(self) -> Decimal:
        """Lowest price a sell order may carry."""
        return self.instrument.ceil_tick(self.mark * (1 - self._band))

    @property
    def max_price(self) -> Decimal:
        """Highest price a buy order may carry."""
        return self.instrument.floor_tick(self.mark * (1 + self._band))

    def step(self) -> None:
        """One move of the walk and fresh quotes around it."""
        move = Decimal(repr(round(self._random.gauss(0.0, 1.0), 4))) * self._volatility
        pull = (self.instrument.start_price / self.mark - 1) / 1_000
        self.set_price(self.mark * (1 + move + pull))

    def set_price(self, price: Decimal) -> None:
        """Put mark and index at a price (rounded to the tick) and quote around it."""
        self.mark = max(self.instrument.tick * (DEPTH + 2), self.instrument.floor_tick(price))
        self.index = self.mark
        self._requote()

    def traded(self, price: Decimal) -> None:
        """Note a trade: 0 up, 1 same after up, 2 down, 3 same after down."""
        if price == self.last:
            self.tick_direction = 1 if self.tick_direction in (0, 1) else 3
        else:
            self.tick_direction = 0 if price > self.last else 2
        self.last = price
        self.trade_seq += 1

    def _requote(self) -> None:
        tick, lot = self.instrument.tick, self.instrument.contract_size
        quotes: list[Quote] = []
        for level in range(DEPTH):
            below, above = self.mark - tick * (level + 1), self.mark + tick * level
            quotes.append(Quote(side="buy", price=below, amount=lot * self._lots(level)))
            quotes.append(Quote(side="sell", price=above, amount=lot * self._lots(level)))
        self.quotes = tuple(quotes)

    def _lots(self, level: int) -> int:
        return self._random.randint(200, 900) * (level + 1)
