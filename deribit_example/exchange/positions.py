"""Positions: signed sizes with an average entry price; inverse and linear arithmetic in one place."""

from decimal import Decimal

from attrs import evolve, frozen

from deribit_example.exchange.instruments import Instrument, Side
from deribit_example.exchange.wire import Json


@frozen(kw_only=True)
class Position:
    """Size in the amount unit of the instrument, negative when short; profit in the settlement currency."""

    instrument: Instrument
    user_id: int
    size: Decimal = Decimal(0)
    average_price: Decimal = Decimal(0)
    realized: Decimal = Decimal(0)

    def profit_at(self, price: Decimal) -> Decimal:
        """What closing everything at `price` would give."""
        return _profit(self.instrument, self.size, self.average_price, price)

    def after(self, side: Side, amount: Decimal, price: Decimal) -> "Position":
        """The position after one fill."""
        change = amount if side == "buy" else -amount
        size = self.size + change
        if self.size * change >= 0:
            return evolve(self, size=size, average_price=self._averaged(amount, price))
        closing = min(abs(self.size), amount)
        closed = closing if self.size > 0 else -closing
        realized = self.realized + _profit(self.instrument, closed, self.average_price, price)
        if size == 0:
            return evolve(self, size=size, average_price=Decimal(0), realized=realized)
        turned = size * change > 0
        return evolve(self, size=size, average_price=price if turned else self.average_price, realized=realized)

    def as_json(self, mark: Decimal, index: Decimal) -> dict[str, Json]:
        """The `private/get_position` record; linear sizes are a notional, as on the real exchange."""
        inverse = self.instrument.inverse
        worth = abs(self.instrument.value(self.size, mark))
        margin = worth / self.instrument.max_leverage
        signed_worth = worth if self.size >= 0 else -worth
        floating = self.profit_at(mark)
        return {
            "instrument_name": self.instrument.name,
            "kind": "future",
            "direction": "zero" if self.size == 0 else "buy" if self.size > 0 else "sell",
            "size": self.size if inverse else signed_worth,
            "size_currency": signed_worth if inverse else self.size,
            "delta": signed_worth if inverse else self.size,
            "average_price": self.average_price,
            "mark_price": mark,
            "index_price": index,
            "initial_margin": margin,
            "maintenance_margin": margin / 2,
            "floating_profit_loss": floating,
            "realized_profit_loss": self.realized,
            "total_profit_loss": floating + self.realized,
            "leverage": self.instrument.max_leverage,
        }

    def _averaged(self, amount: Decimal, price: Decimal) -> Decimal:
        return averaged(self.instrument, abs(self.size), self.average_price, amount, price)


def averaged(instrument: Instrument, had: Decimal, average: Decimal, amount: Decimal, price: Decimal) -> Decimal:
    """Average price after `amount` more at `price`; harmonic for inverse instruments, whose amounts are in USD."""
    if had == 0:
        return price
    if instrument.inverse:
        return (had + amount) / (had / average + amount / price)
    return (had * average + amount * price) / (had + amount)


def _profit(instrument: Instrument, size: Decimal, entry: Decimal, price: Decimal) -> Decimal:
    if size == 0:
        return Decimal(0)
    return size * (1 / entry - 1 / price) if instrument.inverse else size * (price - entry)
