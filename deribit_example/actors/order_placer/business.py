"""Pure rules of preparing an order: what the exchange would refuse for its form is refused or rounded here.

All arithmetic is Decimal; amounts are rounded down to the contract size, prices to the tick on the passive side.
"""

from decimal import Decimal

from deribit_example.actors.deribit_ws import Instrument, Ticker
from deribit_example.saga.types import OrderIntent, PreparedOrder, Side


class NotPlaceable(Exception):
    """The intent cannot become an order; the first argument says why."""


def tick_size_at(instrument: Instrument, price: Decimal) -> Decimal:
    """The tick that holds at a price: the one of the highest step below it, else the instrument's own."""
    steps = sorted(instrument.tick_size_steps, key=lambda step: step.above_price)
    tick = instrument.tick_size
    for step in steps:
        if price > step.above_price:
            tick = step.tick_size
    return tick


def on_tick(instrument: Instrument, price: Decimal, side: Side) -> Decimal:
    """The nearest price on the tick that is not worse for us: down for a buy, up for a sell."""
    tick = tick_size_at(instrument, price)
    # `//` is exact where `/` would round the quotient to 28 digits, perhaps past the next tick.
    rounded = price // tick * tick
    if side == "sell" and rounded < price:
        rounded += tick
    if rounded % tick_size_at(instrument, rounded) != 0:
        return on_tick(instrument, rounded, side)  # it left the range in which this tick holds
    return rounded


def on_contract_size(instrument: Instrument, amount: Decimal) -> Decimal:
    """The largest whole number of contracts within an amount, as an amount."""
    return amount // instrument.contract_size * instrument.contract_size


def prepare(intent: OrderIntent, instrument: Instrument, ticker: Ticker) -> PreparedOrder:
    """An order of the right form.

    Raises:
        NotPlaceable: the instrument is not open, the amount too small, or the price outside the band.
    """
    if instrument.name != intent.instrument:
        raise NotPlaceable(f"asked about {intent.instrument}, was told of {instrument.name}")
    if not instrument.is_active:
        raise NotPlaceable(f"{intent.instrument} is not open for trading")
    if not intent.price.is_finite() or intent.price <= 0:
        raise NotPlaceable(f"price {intent.price} is not positive")
    if not intent.amount.is_finite() or intent.amount <= 0:
        raise NotPlaceable(f"amount {intent.amount} is not positive")
    amount = on_contract_size(instrument, intent.amount)
    if amount < instrument.min_trade_amount:
        raise NotPlaceable(
            f"amount {intent.amount} is {amount} in contracts of {instrument.contract_size}, "
            f"below the least of {instrument.min_trade_amount}"
        )
    price = on_tick(instrument, intent.price, intent.side)
    if price <= 0:
        raise NotPlaceable(f"price {intent.price} is less than one tick")
    if ticker.max_price is not None and price > ticker.max_price:
        raise NotPlaceable(f"price {price} is above the band, which ends at {ticker.max_price}")
    if ticker.min_price is not None and price < ticker.min_price:
        raise NotPlaceable(f"price {price} is below the band, which begins at {ticker.min_price}")
    return PreparedOrder(
        instrument=intent.instrument,
        settlement_currency=instrument.settlement_currency,
        side=intent.side,
        amount=amount,
        price=price,
    )
