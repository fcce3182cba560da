"""Channel names: what exists, who may listen, and which events a channel carries."""

from functools import lru_cache
from typing import Literal

from attrs import evolve, frozen

from deribit_example.exchange.engine import Engine
from deribit_example.exchange.events import Event, MarketChange, PlatformChange, UserChange
from deribit_example.exchange.instruments import Instrument
from deribit_example.exchange.orders import Order
from deribit_example.exchange.views import order_json, ticker_json, trade_json
from deribit_example.exchange.wire import Json

Topic = Literal["ticker", "quote", "platform_state", "orders", "trades", "changes"]
INTERVALS = ("raw", "100ms", "agg2")
KINDS = ("future", "any")
CURRENCIES = ("BTC", "ETH", "USDC", "any")


@frozen(kw_only=True)
class Channel:
    """A parsed channel name; without an instrument it covers a settlement currency, or `any`."""

    topic: Topic
    instrument: str | None = None
    currency: str = "any"
    interval: str = "raw"

    @property
    def is_private(self) -> bool:
        """Whether it needs an authenticated user."""
        return self.topic in ("orders", "trades", "changes")

    def covers(self, instrument: Instrument) -> bool:
        """Whether events of this instrument belong here."""
        if self.instrument is not None:
            return self.instrument == instrument.name
        return self.currency in ("any", instrument.settlement)


@lru_cache(maxsize=1024)
def parse_channel(name: str) -> Channel | None:
    """A channel name taken apart; None when there is no such channel."""
    match name.split("."):
        case ["platform_state"]:
            return Channel(topic="platform_state")
        case ["quote", instrument]:
            return Channel(topic="quote", instrument=instrument)
        case ["ticker", instrument, interval] if interval in INTERVALS:
            return Channel(topic="ticker", instrument=instrument, interval=interval)
        case ["user", "orders" | "trades" | "changes" as topic, instrument, interval] if interval in INTERVALS:
            return Channel(topic=topic, instrument=instrument, interval=interval)
        case ["user", "orders" | "trades" | "changes" as topic, kind, currency, interval] if (
            kind in KINDS and currency in CURRENCIES and interval in INTERVALS
        ):
            return Channel(topic=topic, currency=currency, interval=interval)
    return None


def payloads(channel: Channel, event: Event, engine: Engine, user_id: int | None, now_millis: int) -> list[Json]:
    """The notifications an event causes on one channel of one listener."""
    if isinstance(event, PlatformChange):
        return [event.data] if channel.topic == "platform_state" else []
    instrument = engine.instruments[event.instrument_name]
    if not channel.covers(instrument):
        return []
    if isinstance(event, MarketChange):
        return market_payloads(channel, event.instrument_name, engine, now_millis)
    return _user_payloads(channel, event, engine) if event.user_id == user_id else []


def market_payloads(channel: Channel, instrument_name: str, engine: Engine, now_millis: int) -> list[Json]:
    """The current market as a ticker or quote notification."""
    ticker = ticker_json(engine.markets[instrument_name], engine.books[instrument_name], now_millis)
    if channel.topic == "ticker":
        return [ticker]
    if channel.topic == "quote":
        wanted = ("instrument_name", "timestamp")
        return [{key: value for key, value in ticker.items() if key in wanted or key.startswith("best_")}]
    return []


def _user_payloads(channel: Channel, event: UserChange, engine: Engine) -> list[Json]:
    orders: list[Json] = [order_json(order) for order in event.orders]
    trades: list[Json] = [trade_json(trade) for trade in event.trades]
    if channel.topic == "orders":
        # Raw notifications carry one bare order each; the aggregated intervals carry a list.
        if channel.interval == "raw":
            return orders
        return [orders] if orders else []
    if channel.topic == "trades":
        return [trades] if trades else []
    if channel.topic == "changes" and (orders or trades):
        return [_changes(event, engine, orders, trades)]
    return []


def _changes(event: UserChange, engine: Engine, orders: list[Json], trades: list[Json]) -> Json:
    market = engine.markets[event.instrument_name]
    position = engine.ledger.position(event.user_id, market.instrument)
    positions: list[Json] = [position.as_json(market.mark, market.index)] if trades else []
    return {"instrument_name": event.instrument_name, "orders": orders, "trades": trades, "positions": positions}


def without(event: UserChange, order: Order) -> UserChange:
    """The event with one order left out."""
    kept = tuple(other for other in event.orders if other is not order)
    return evolve(event, orders=kept)
