"""The exchange's ledger: one line for every operation that changed an order, on disk before anybody hears of it."""

import json
import os
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final, final

from attrs import evolve, frozen
from cattrs import Converter

from deribit_example.demo.audit import Books, signed
from deribit_example.exchange import OrderSnapshot, PositionSnapshot, TradeSnapshot
from deribit_example.exchange.orders import Order, Trade
from deribit_example.exchange.snapshots import order_snapshot, snapshot_json, trade_snapshot

_converter: Final = Converter()
_converter.register_structure_hook(Decimal, lambda value, _: Decimal(str(value)))


@final
@frozen(kw_only=True)
class LedgerEntry:
    """One operation: the orders it touched as they stood afterwards, and its fills."""

    orders: tuple[OrderSnapshot, ...] = ()
    trades: tuple[TradeSnapshot, ...] = ()


@final
class LedgerWriter:
    """Appends; returns when the entry is durable."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def __call__(self, orders: tuple[Order, ...], trades: tuple[Trade, ...]) -> None:
        """A `LedgerJournal` of the exchange."""
        body = {
            "orders": [snapshot_json(order_snapshot(order)) for order in orders],
            "trades": [snapshot_json(trade_snapshot(trade)) for trade in trades],
        }
        os.write(self._file, json.dumps(body).encode() + b"\n")
        os.fsync(self._file)


@final
class LedgerReader:
    """Reads a ledger as it grows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def news(self) -> list[LedgerEntry]:
        """The entries since the last call, oldest first."""
        if not self._path.exists():
            return []
        with self._path.open("rb") as file:
            file.seek(self._offset)
            complete, _, _ = file.read().rpartition(b"\n")
        self._offset += len(complete) + 1 if complete else 0
        return [_converter.structure(json.loads(line), LedgerEntry) for line in complete.splitlines()]


def read_ledger(path: Path) -> tuple[LedgerEntry, ...]:
    """The whole ledger, oldest entry first."""
    return tuple(LedgerReader(path).news())


def append_entry(path: Path, entry: LedgerEntry) -> None:
    """Write an entry that the exchange never made."""
    body = {
        "orders": [snapshot_json(each) for each in entry.orders],
        "trades": [snapshot_json(t) for t in entry.trades],
    }
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(body) + "\n")


def books_of(entries: Iterable[LedgerEntry]) -> Books:
    """Every order as it stood last, every fill, and the positions they add up to."""
    orders: dict[str, OrderSnapshot] = {}
    trades: list[TradeSnapshot] = []
    for entry in entries:
        orders.update((order.order_id, order) for order in entry.orders)
        trades.extend(entry.trades)
    return Books(orders=tuple(orders.values()), trades=tuple(trades), positions=_positions(trades))


def _positions(trades: Sequence[TradeSnapshot]) -> tuple[PositionSnapshot, ...]:
    flat = {
        (trade.instrument_name, trade.user_id): PositionSnapshot(
            instrument_name=trade.instrument_name,
            user_id=trade.user_id,
            size=Decimal(0),
            average_price=Decimal(0),
            realized_profit_loss=Decimal(0),
        )
        for trade in trades
    }
    for trade in trades:
        key = (trade.instrument_name, trade.user_id)
        flat[key] = evolve(flat[key], size=flat[key].size + signed(trade.direction, trade.amount))
    return tuple(flat.values())
