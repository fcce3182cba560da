"""The matching venue without its network. Time is an argument; refusals are `RpcError`."""

from collections.abc import Iterable
from decimal import Decimal
from typing import final

from attrs import evolve, frozen

from deribit_example.exchange.accounts import Account
from deribit_example.exchange.book import Book, Fill
from deribit_example.exchange.checks import NewOrder, check_amount, check_new_order, check_price
from deribit_example.exchange.errors import RpcError
from deribit_example.exchange.events import MarketChange
from deribit_example.exchange.instruments import Instrument
from deribit_example.exchange.ledger import Ledger, LedgerJournal, not_journaled
from deribit_example.exchange.market import Market
from deribit_example.exchange.matching import Incoming, match, may_rest
from deribit_example.exchange.orders import Order, OrderStore, Trade


@frozen(kw_only=True)
class Placed:
    """An order after matching, and its fills."""

    order: Order
    trades: tuple[Trade, ...]


@final
class Engine:
    """Books, market and ledger of all instruments. Not locked: its owner serialises the calls."""

    def __init__(
        self,
        instruments: Iterable[Instrument],
        markets: dict[str, Market],
        store: OrderStore,
        journal: LedgerJournal = not_journaled,
    ) -> None:
        self.instruments = {instrument.name: instrument for instrument in instruments}
        self.markets = markets
        self.books = {name: Book() for name in self.instruments}
        self.ledger = Ledger(store, journal)
        self.store = store
        self._parked: dict[str, str] = {}
        self._pinned: set[str] = set()
        self._held: frozenset[str] = frozenset()
        self._house: dict[str, list[str]] = {name: [] for name in self.instruments}
        self._next_order = 9_000_000_000
        self._next_house = 0
        for name in self.instruments:
            self._quote(name, 0)

    def instrument(self, name: str) -> Instrument:
        """A listed instrument; raises RpcError 13020."""
        if name not in self.instruments:
            raise RpcError(13020, data={"param": "instrument_name", "reason": "instrument not found"})
        return self.instruments[name]

    def place(self, account: Account, new: NewOrder, now_millis: int, *, fill_only: Decimal | None = None) -> Placed:
        """Accept and match one order. `fill_only` (0..1) fills that part at once and lets the rest stand still."""
        market = self.markets[new.instrument.name]
        amount = check_new_order(new, account, self.ledger, market)
        self._next_order += 13
        limit = new.price if new.price is not None else market.max_price if new.direction == "buy" else market.min_price
        order = Order(
            order_id=f"{new.instrument.order_prefix}{self._next_order}",
            user_id=account.user_id,
            connection_id=new.connection_id,
            instrument=new.instrument,
            label=new.label,
            direction=new.direction,
            order_type=new.order_type,
            price=limit,
            amount=amount,
            time_in_force=new.time_in_force,
            post_only=new.post_only,
            reject_post_only=new.reject_post_only,
            reduce_only=new.reduce_only,
            created_millis=now_millis,
            updated_millis=now_millis,
            cancel_on_disconnect=new.cancel_on_disconnect,
        )
        if fill_only is not None and order.time_in_force != "fill_or_kill":
            order = self._place_partly(order, fill_only, now_millis)
        elif self._is_held(new.instrument.name):
            order = self._park(self.ledger.put(order))
        else:
            order = self._match(order, now_millis)
        return Placed(order=order, trades=self._commit(new.instrument.name))

    def cancel(self, order: Order, now_millis: int, reason: str = "user_request") -> Order:
        """Cancel an open order; raises RpcError 11044 when it has ended already."""
        if not order.is_open:
            raise RpcError(11044)
        self._withdraw(order)
        order = self.ledger.put(evolve(order, order_state="cancelled", cancel_reason=reason, updated_millis=now_millis))
        self.ledger.commit()
        return order

    def edit(self, order: Order, *, amount: Decimal, price: Decimal, now_millis: int) -> Placed:
        """Change an open order; only a pure size decrease keeps its place in the queue."""
        if not order.is_open:
            raise RpcError(11044)
        name = order.instrument.name
        check_amount(order.instrument, amount)
        check_price(order.instrument, self.markets[name], order.direction, price)
        if amount <= order.filled_amount:
            raise RpcError(11008)
        smaller = order.amount - amount
        changed = evolve(order, amount=amount, price=price, replaced=True, updated_millis=now_millis)
        if price == order.price and smaller >= 0:
            if smaller > 0 and order.order_id in self.books[name]:
                self.books[name].reduce(order.order_id, smaller)
            changed = self.ledger.put(changed)
        elif order.order_id in self._parked:
            changed = self.ledger.put(changed)
        else:
            self._withdraw(order)
            changed = self._match(changed, now_millis)
        return Placed(order=changed, trades=self._commit(name))

    def fill(self, order: Order, amount: Decimal | None, now_millis: int) -> Order:
        """Fill an open order from outside the book, at its own price; None fills all that is left."""
        if not order.is_open:
            raise RpcError(11044)
        part = order.remaining if amount is None else min(amount, order.remaining)
        if part <= 0:
            return order
        name = order.instrument.name
        if order.order_id in self.books[name]:
            self.books[name].reduce(order.order_id, part)
        order = self._fill_at_own_price(order, part, now_millis)
        if not order.is_open:
            self._unpark(order.order_id)
        self._commit(name)
        return order

    def set_held(self, names: frozenset[str], now_millis: int) -> None:
        """Hold all fills of these instruments; those no longer named are released, oldest order first."""
        newly = names - self._held
        self._held = names
        for order in self.store.open_orders():
            if order.instrument.name in newly and order.order_id not in self._parked:
                self._withdraw(order)
                self._park(order)
        for order_id, name in list(self._parked.items()):
            if name not in names and order_id not in self._pinned:
                self._release(order_id, now_millis)

    def release_pinned(self, now_millis: int) -> None:
        """Let orders that stood still after a partial fill trade again."""
        pinned = [order_id for order_id in self._parked if order_id in self._pinned]
        self._pinned.clear()
        for order_id in pinned:
            if not self._is_held(self._parked[order_id]):
                self._release(order_id, now_millis)

    def step_market(self, now_millis: int) -> None:
        """One step of the walk in every instrument."""
        for name, market in self.markets.items():
            market.step()
            self._market_moved(name, now_millis)

    def set_price(self, name: str, price: Decimal, now_millis: int) -> None:
        """Move one instrument to a price; resting orders it passes are filled."""
        self.markets[self.instrument(name).name].set_price(price)
        self._market_moved(name, now_millis)

    def _market_moved(self, name: str, now_millis: int) -> None:
        self._quote(name, now_millis)
        self.ledger.commit()
        self.ledger.report(MarketChange(instrument_name=name))

    def _commit(self, name: str) -> tuple[Trade, ...]:
        # What was taken stays taken until the next step of the market, so that a rest really rests.
        trades = self.ledger.commit()
        if trades:
            self.ledger.report(MarketChange(instrument_name=name))
        return trades

    def _quote(self, name: str, now_millis: int) -> None:
        book, market = self.books[name], self.markets[name]
        for house_id in self._house[name]:
            book.remove(house_id)
        self._house[name].clear()
        for quote in market.quotes:
            fills = book.take(quote.side, quote.price, quote.amount)
            self._fill_makers(fills, market, now_millis)
            left = quote.amount - sum((fill.amount for fill in fills), Decimal(0))
            if left > 0:
                self._next_house += 1
                house_id = f"house-{self._next_house}"
                book.rest(house_id, quote.side, quote.price, left)
                self._house[name].append(house_id)

    def _match(self, order: Order, now_millis: int) -> Order:
        name = order.instrument.name
        market = self.markets[name]
        incoming = Incoming(
            order_id=order.order_id,
            side=order.direction,
            order_type=order.order_type,
            limit=order.price,
            amount=order.remaining,
            time_in_force=order.time_in_force,
            post_only=order.post_only,
            reject_post_only=order.reject_post_only,
        )
        matched = match(self.books[name], incoming, order.instrument.tick)
        if matched.ending == "post_only_reject":
            if not order.replaced:
                raise RpcError(11054)
            return self.ledger.put(evolve(order, order_state="cancelled", cancel_reason="edit_post_only_reject"))
        order = self.ledger.put(evolve(order, price=matched.price))
        for fill in matched.fills:
            self._fill_makers([fill], market, now_millis)
            order = self.ledger.fill(
                order, market, price=fill.price, amount=fill.amount, liquidity="T", now_millis=now_millis
            )
        return self._cancel_rest(order, now_millis) if matched.ending == "cancelled" else order

    def _fill_makers(self, fills: Iterable[Fill], market: Market, now_millis: int) -> None:
        for fill in fills:
            if not fill.maker_id.startswith("house-"):
                maker = self.store.latest(fill.maker_id)
                self.ledger.fill(
                    maker, market, price=fill.price, amount=fill.amount, liquidity="M", now_millis=now_millis
                )

    def _place_partly(self, order: Order, fraction: Decimal, now_millis: int) -> Order:
        part = order.instrument.floor_amount(order.amount * fraction)
        order = self.ledger.put(order)
        if part > 0:
            order = self._fill_at_own_price(order, part, now_millis)
        if not order.is_open:
            return order
        if not may_rest(order.order_type, order.time_in_force):
            return self._cancel_rest(order, now_millis)
        self._pinned.add(order.order_id)
        return self._park(order)

    def _fill_at_own_price(self, order: Order, amount: Decimal, now_millis: int) -> Order:
        market = self.markets[order.instrument.name]
        price = order.price if order.order_type == "limit" else market.mark
        return self.ledger.fill(order, market, price=price, amount=amount, liquidity="M", now_millis=now_millis)

    def _cancel_rest(self, order: Order, now_millis: int) -> Order:
        ended = evolve(order, order_state="cancelled", cancel_reason="user_request", updated_millis=now_millis)
        return self.ledger.put(ended)

    def _is_held(self, name: str) -> bool:
        return name in self._held

    def _park(self, order: Order) -> Order:
        self._parked[order.order_id] = order.instrument.name
        return order

    def _unpark(self, order_id: str) -> None:
        self._parked.pop(order_id, None)
        self._pinned.discard(order_id)

    def _withdraw(self, order: Order) -> None:
        self.books[order.instrument.name].remove(order.order_id)
        self._unpark(order.order_id)

    def _release(self, order_id: str, now_millis: int) -> None:
        self._unpark(order_id)
        order = self._match_released(self.store.latest(order_id), now_millis)
        self._commit(order.instrument.name)

    def _match_released(self, order: Order, now_millis: int) -> Order:
        try:
            return self._match(order, now_millis)
        except RpcError:
            # A held post-only order that would cross now ends as it would have ended at once.
            ended = evolve(order, order_state="cancelled", cancel_reason="user_request", updated_millis=now_millis)
            return self.ledger.put(ended)
