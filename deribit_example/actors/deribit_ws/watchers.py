"""Who listens to what. A listener that raises is reported and harms nobody else."""

import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Final, TypeVar, final

from deribit_example.actors.deribit_ws import business
from deribit_example.actors.deribit_ws.calls import answer, refuse
from deribit_example.actors.deribit_ws.errors import DeribitError, SubscriptionRefused
from deribit_example.actors.deribit_ws.parsing import parse_order_event, parse_ticker
from deribit_example.actors.deribit_ws.records import ConnectionEvent, OrderSnapshot, Ticker

logger = logging.getLogger(__name__)
T = TypeVar("T")
_REMEMBERED_ORDERS: Final = 10_000


@final
class OrderMemory:
    """The newest view of each order, bounded: the oldest finished order is forgotten first."""

    def __init__(self, limit: int = _REMEMBERED_ORDERS) -> None:
        self._limit = limit
        self._live: dict[str, OrderSnapshot] = {}
        self._finished: OrderedDict[str, OrderSnapshot] = OrderedDict()

    def adopt(self, update: OrderSnapshot) -> tuple[OrderSnapshot, bool]:
        """Merge an update; returns the newest view and whether it is news."""
        known = self._live.get(update.order_id) or self._finished.get(update.order_id)
        merged = business.merge(known, update)
        if merged.is_terminal:
            self._live.pop(merged.order_id, None)
            self._finished[merged.order_id] = merged
            if len(self._finished) > self._limit:
                self._finished.popitem(last=False)
        else:
            self._live[merged.order_id] = merged
        return merged, business.is_news(known, merged)


@final
class Watchers:
    """Listeners by channel, and the replies of those who wait for their subscription."""

    def __init__(self) -> None:
        self._orders: dict[str, list[Callable[[OrderSnapshot], None]]] = {}
        self._tickers: dict[str, list[Callable[[Ticker], None]]] = {}
        self._connection: list[Callable[[ConnectionEvent], None]] = []
        self._waiting: dict[str, list[Future[None]]] = {}
        self._memory = OrderMemory()

    def watch_orders(self, instrument: str, listener: Callable[[OrderSnapshot], None], reply: Future[None]) -> str:
        """Add a listener; returns its channel."""
        channel = business.order_channel(instrument)
        self._orders.setdefault(instrument, []).append(listener)
        self._waiting.setdefault(channel, []).append(reply)
        return channel

    def watch_ticker(self, instrument: str, listener: Callable[[Ticker], None], reply: Future[None]) -> str:
        """Add a listener; returns its channel."""
        channel = business.ticker_channel(instrument)
        self._tickers.setdefault(instrument, []).append(listener)
        self._waiting.setdefault(channel, []).append(reply)
        return channel

    def watch_connection(self, listener: Callable[[ConnectionEvent], None]) -> None:
        """Add a listener for sessions."""
        self._connection.append(listener)

    def channels(self) -> tuple[str, ...]:
        """All channels that must be subscribed."""
        return (*map(business.order_channel, self._orders), *map(business.ticker_channel, self._tickers))

    def acknowledged(self, requested: Iterable[str], missing: Iterable[str]) -> None:
        """The exchange has answered a subscription."""
        absent = set(missing)
        for channel in requested:
            for reply in self._waiting.pop(channel, ()):
                if channel in absent:
                    refuse(reply, SubscriptionRefused(channel))
                else:
                    answer(reply, None)

    def refused(self, channels: Iterable[str], error: DeribitError) -> None:
        """A subscription failed as a whole."""
        for channel in channels:
            for reply in self._waiting.pop(channel, ()):
                refuse(reply, error)

    def adopt(self, update: OrderSnapshot) -> OrderSnapshot:
        """Merge a view of an order from anywhere, tell listeners if it is news, return the newest view."""
        merged, news = self._memory.adopt(update)
        if news:
            for listener in tuple(self._orders.get(merged.instrument, ())):
                _isolated(listener, merged)
        return merged

    def data(self, channel: str, data: object) -> None:
        """Data of a channel.

        Raises:
            BadReply: the data does not have the documented shape.
        """
        if channel.startswith("user.orders."):
            for order in parse_order_event(data):
                self.adopt(order)
        elif channel.startswith("ticker."):
            ticker = parse_ticker(data)
            for listener in tuple(self._tickers.get(ticker.instrument, ())):
                _isolated(listener, ticker)

    def connection(self, event: ConnectionEvent) -> None:
        """Tell everybody who listens to sessions."""
        for listener in tuple(self._connection):
            _isolated(listener, event)


def _isolated(listener: Callable[[T], None], value: T) -> None:
    try:
        listener(value)
    except Exception:
        logger.exception("a listener failed on %s; it stays registered", type(value).__name__)
