"""The listed instruments, and the arithmetic of steps, units and price bands that follows from them."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Literal

from attrs import frozen

from deribit_example.exchange.wire import Json

Side = Literal["buy", "sell"]


@frozen(kw_only=True)
class Instrument:
    """One perpetual; `inverse` ones count amounts in USD, linear ones in the base coin."""

    name: str
    base: str
    quote: str
    settlement: str
    inverse: bool
    tick: Decimal
    contract_size: Decimal
    min_amount: Decimal
    start_price: Decimal
    max_leverage: int = 50
    maker_fee: Decimal = Decimal("0")
    taker_fee: Decimal = Decimal("0.0005")
    order_prefix: str = ""

    @property
    def price_index(self) -> str:
        """Name of the index, e.g. `btc_usd`."""
        return f"{self.base.lower()}_{self.quote.lower()}"

    def on_tick(self, price: Decimal) -> bool:
        """Whether the price conforms to the tick size."""
        return price % self.tick == 0

    def floor_tick(self, price: Decimal) -> Decimal:
        """Nearest valid price at or below."""
        return (price / self.tick).to_integral_value(ROUND_FLOOR) * self.tick

    def ceil_tick(self, price: Decimal) -> Decimal:
        """Nearest valid price at or above."""
        return (price / self.tick).to_integral_value(ROUND_CEILING) * self.tick

    def floor_amount(self, amount: Decimal) -> Decimal:
        """Largest whole number of contracts within the amount."""
        return (amount / self.contract_size).to_integral_value(ROUND_FLOOR) * self.contract_size

    def value(self, amount: Decimal, price: Decimal) -> Decimal:
        """Worth of an amount in the settlement currency."""
        return amount / price if self.inverse else amount * price

    def as_json(self, created_millis: int) -> dict[str, Json]:
        """The `public/get_instrument` record."""
        return {
            "instrument_name": self.name,
            "kind": "future",
            "instrument_type": "reversed" if self.inverse else "linear",
            "future_type": "reversed" if self.inverse else "linear",
            "base_currency": self.base,
            "quote_currency": self.quote,
            "counter_currency": self.quote,
            "settlement_currency": self.settlement,
            "settlement_period": "perpetual",
            "tick_size": self.tick,
            "tick_size_steps": [],
            "min_trade_amount": self.min_amount,
            "contract_size": self.contract_size,
            "maker_commission": self.maker_fee,
            "taker_commission": self.taker_fee,
            "max_leverage": self.max_leverage,
            "price_index": self.price_index,
            "is_active": True,
            "state": "open",
            "creation_timestamp": created_millis,
            "expiration_timestamp": 32_503_708_800_000,
        }


INSTRUMENTS: tuple[Instrument, ...] = (
    Instrument(
        name="BTC-PERPETUAL",
        base="BTC",
        quote="USD",
        settlement="BTC",
        inverse=True,
        tick=Decimal("0.5"),
        contract_size=Decimal("10"),
        min_amount=Decimal("10"),
        start_price=Decimal("84200"),
    ),
    Instrument(
        name="ETH-PERPETUAL",
        base="ETH",
        quote="USD",
        settlement="ETH",
        inverse=True,
        tick=Decimal("0.05"),
        contract_size=Decimal("1"),
        min_amount=Decimal("1"),
        start_price=Decimal("2800"),
        order_prefix="ETH-",
    ),
    Instrument(
        name="SOL_USDC-PERPETUAL",
        base="SOL",
        quote="USDC",
        settlement="USDC",
        inverse=False,
        tick=Decimal("0.01"),
        contract_size=Decimal("0.1"),
        min_amount=Decimal("0.1"),
        start_price=Decimal("140"),
        order_prefix="USDC-",
    ),
)
