"""The books of account: every fill updates order, position and trade list together, and leaves an event behind."""

from collections.abc import Callable
from decimal import Decimal
from typing import Literal, TypeAlias, final

from attrs import evolve

from deribit_example.exchange.events import Event, UserChange
from deribit_example.exchange.instruments import Instrument
from deribit_example.exchange.market import Market
from deribit_example.exchange.orders import Order, OrderStore, Trade
from deribit_example.exchange.positions import Position, averaged

LedgerJournal: TypeAlias = Callable[[tuple[Order, ...], tuple[Trade, ...]], None]
"""Told of every operation that changed something: its orders as they stand now, and its fills. Nobody hears of an
operation before this has returned.
"""


def not_journaled(orders: tuple[Order, ...], trades: tuple[Trade, ...]) -> None:
    """Books that live as long as the exchange."""


@final
class Ledger:
    """Orders, trades and positions; changes gather until `commit` turns them into events."""

    def __init__(self, store: OrderStore, journal: LedgerJournal = not_journaled) -> None:
        self.store = store
        self._journal = journal
        self._positions: dict[tuple[int, str], Position] = {}
        self._touched: dict[str, Order] = {}
        self._trades: list[Trade] = []
        self._events: list[Event] = []
        self._next_trade = 500_000_000

    def position(self, user_id: int, instrument: Instrument) -> Position:
        """The position of a user, flat when there never was one."""
        key = (user_id, instrument.name)
        return self._positions.get(key) or Position(instrument=instrument, user_id=user_id)

    def positions(self) -> tuple[Position, ...]:
        """Every position there ever was."""
        return tuple(self._positions.values())

    def put(self, order: Order) -> Order:
        """Store the next state of an order."""
        self.store.put(order)
        self._touched[order.order_id] = order
        return order

    def fill(
        self,
        order: Order,
        market: Market,
        *,
        price: Decimal,
        amount: Decimal,
        liquidity: Literal["M", "T"],
        now_millis: int,
    ) -> Order:
        """Book one fill of one order and return its new state."""
        instrument = order.instrument
        average = averaged(instrument, order.filled_amount, order.average_price, amount, price)
        filled = order.filled_amount + amount
        order = self.put(
            evolve(
                order,
                filled_amount=filled,
                average_price=average,
                order_state="filled" if filled == order.amount else order.order_state,
                updated_millis=now_millis,
            )
        )
        market.traded(price)
        self._next_trade += 7
        rate = instrument.maker_fee if liquidity == "M" else instrument.taker_fee
        trade = Trade(
            trade_id=f"{instrument.order_prefix}{self._next_trade}",
            trade_seq=market.trade_seq,
            order=order,
            price=price,
            amount=amount,
            fee=instrument.value(amount, price) * rate,
            liquidity=liquidity,
            tick_direction=market.tick_direction,
            index_price=market.index,
            mark_price=market.mark,
            timestamp_millis=now_millis,
        )
        self.store.add_trade(trade)
        self._trades.append(trade)
        position = self.position(order.user_id, instrument)
        self._positions[(order.user_id, instrument.name)] = position.after(order.direction, amount, price)
        return order

    def commit(self) -> tuple[Trade, ...]:
        """End one operation: report its changes as events, and return its trades."""
        if self._touched:
            self._journal(tuple(self._touched.values()), tuple(self._trades))
        groups = dict.fromkeys((order.user_id, order.instrument.name) for order in self._touched.values())
        for user_id, name in groups:
            mine = (user_id, name)
            orders = tuple(o for o in self._touched.values() if (o.user_id, o.instrument.name) == mine)
            trades = tuple(t for t in self._trades if (t.order.user_id, t.order.instrument.name) == mine)
            self._events.append(UserChange(user_id=user_id, instrument_name=name, orders=orders, trades=trades))
        done = tuple(self._trades)
        self._touched.clear()
        self._trades.clear()
        return done

    def report(self, event: Event) -> None:
        """Add an event of another kind."""
        self._events.append(event)

    def drain_events(self) -> tuple[Event, ...]:
        """Everything reported since the last call, in order."""
        events = tuple(self._events)
        self._events.clear()
        return events
