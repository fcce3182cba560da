"""The exchange without sockets: engine, tokens, credits and fault switches behind one lock, and one clock for all."""

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import final

from attrs import evolve

from deribit_example.exchange.accounts import TokenStore
from deribit_example.exchange.channels import without
from deribit_example.exchange.config import ExchangeConfig
from deribit_example.exchange.credits import CreditPools
from deribit_example.exchange.engine import Engine
from deribit_example.exchange.events import Event, PlatformChange, UserChange
from deribit_example.exchange.faults import FaultName, FaultSwitches, Occasion
from deribit_example.exchange.market import Market
from deribit_example.exchange.orders import Order, OrderStore


@final
class Venue:
    """Everything a request can touch. Hold `lock` around every use; it is notified after every change."""

    def __init__(self, config: ExchangeConfig, seed: int) -> None:
        self.config = config
        self.lock = threading.Condition(threading.RLock())
        self.engine = Engine(
            config.instruments,
            {
                instrument.name: Market(
                    instrument, seed=seed, volatility_bps=config.volatility_bps, band=config.price_band
                )
                for instrument in config.instruments
            },
            OrderStore(order_window_millis=config.order_window_millis, trade_window_millis=config.trade_window_millis),
            config.journal,
        )
        self.tokens = TokenStore(config.accounts, expires_in_seconds=config.expires_in_seconds, seed=seed)
        self.credits = CreditPools(config.limits)
        self.faults = FaultSwitches(self.lock, self._faults_changed)
        self.cancel_on_disconnect_default: dict[int, bool] = {}
        self.started_millis = config.clock.now_micros() // 1_000
        self._maintenance = False
        self.after_change: Callable[[], None] = lambda: None

    def now_micros(self) -> int:
        """Server time: the clock plus whatever offsets are armed."""
        offset = sum(fault.millis for fault in self.faults.standing(FaultName.CLOCK_OFFSET))
        return self.config.clock.now_micros() + offset * 1_000

    def now_millis(self) -> int:
        """Server time in milliseconds."""
        return self.now_micros() // 1_000

    @property
    def in_maintenance(self) -> bool:
        """Whether the platform is down for maintenance."""
        return self._maintenance

    def find_order(self, label_or_id: str) -> Order:
        """The newest order with this id or label, open ones first; raises KeyError."""
        orders = [o for o in self.engine.store.all_orders() if label_or_id in (o.order_id, o.label)]
        if not orders:
            raise KeyError(f"no order has the id or label {label_or_id!r}")
        return next((order for order in reversed(orders) if order.is_open), orders[-1])

    def fill_before_cancel(self, order: Order, method: str) -> Order:
        """The race a cancel can lose: fill the order first when that switch is armed."""
        occasion = Occasion(method=method, label=order.label, instrument=order.instrument.name)
        fault = self.faults.take(FaultName.FILL_BEFORE_CANCEL, occasion) if order.is_open else None
        if fault is None:
            return order
        part = None if fault.fraction is None else self._part(order, fault.fraction)
        return self.engine.fill(order, part, self.now_millis())

    def drain_events(self) -> tuple[Event, ...]:
        """What happened since the last call, with events lost and doubled as the switches say."""
        return tuple(kept for event in self.engine.ledger.drain_events() for kept in self._disturbed(event))

    def _disturbed(self, event: Event) -> list[Event]:
        if not isinstance(event, UserChange):
            return [event]
        kept, doubles = event, []
        for order in event.orders:
            occasion = Occasion(label=order.label, instrument=order.instrument.name)
            if self.faults.take(FaultName.LOSE_USER_ORDER_EVENT, occasion):
                kept = without(kept, order)
            elif self.faults.take(FaultName.DUPLICATE_USER_ORDER_EVENT, occasion):
                doubles.append(order)
        return [kept, evolve(event, orders=tuple(doubles), trades=())] if doubles else [kept]

    def _part(self, order: Order, fraction: Decimal) -> Decimal:
        return order.instrument.floor_amount(order.remaining * fraction)

    def _faults_changed(self) -> None:
        held: set[str] = set()
        for fault in self.faults.standing(FaultName.HOLD_FILLS):
            held.update([fault.instrument] if fault.instrument is not None else self.engine.instruments)
        self.engine.set_held(frozenset(held), self.now_millis())
        maintenance = bool(self.faults.standing(FaultName.MAINTENANCE))
        if maintenance != self._maintenance:
            self._maintenance = maintenance
            self.engine.ledger.report(PlatformChange(data={"maintenance": maintenance}))
        self.after_change()
