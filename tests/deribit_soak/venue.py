"""The exchange as a process of its own, which is never killed, and what the soak does to it."""

import multiprocessing
from collections.abc import Callable
from contextlib import ExitStack
from decimal import Decimal
from multiprocessing.connection import Connection
from random import Random
from types import TracebackType
from typing import Final, Self, assert_never, final

from deribit_example.demo.audit import Books
from deribit_example.exchange import (
    ControlError,
    DropKind,
    ExchangeControl,
    FaultName,
    OrderSnapshot,
    SimulatedExchange,
)
from tests.deribit_soak.desk import PRICES, exchange_config
from tests.deribit_soak.ledger import LedgerReader, LedgerWriter
from tests.deribit_soak.places import Places
from tests.deribit_soak.plans import CyclePlan, Mishap

PROCESSES: Final = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.deribit_soak.trader", "tests.deribit_soak.venue"])
WAIT_SECONDS: Final = 60.0
NOT_OPEN: Final = 11044


def serve(places: Places, seed: int, parent: Connection) -> None:
    """The process: runs until its parent has closed the other end, or has died."""
    with SimulatedExchange(seed=seed, config=exchange_config(LedgerWriter(places.ledger))) as exchange:
        parent.send(exchange.url)
        try:
            parent.recv()
        except EOFError:
            return


@final
class Venue:
    """Runs the exchange; a context manager."""

    def __init__(self, places: Places, seed: int) -> None:
        self._reader = LedgerReader(places.ledger)
        self._open: dict[str, OrderSnapshot] = {}
        self._maintenance: list[int] = []
        self._stack = ExitStack()
        ours, theirs = PROCESSES.Pipe()
        self._pipe = ours
        self._process = PROCESSES.Process(target=serve, args=(places, seed, theirs), daemon=True)
        self._process.start()
        theirs.close()
        if not ours.poll(WAIT_SECONDS):
            raise TimeoutError("the exchange did not start")
        self.url = str(ours.recv())
        self.control = self._stack.enter_context(ExchangeControl(self.url, timeout=WAIT_SECONDS))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        self._pipe.close()
        self._process.join(WAIT_SECONDS)

    def prepare(self, plan: CyclePlan) -> None:
        """Take back what a former cycle armed, and arm the faults of this one."""
        self.control.clear_faults()
        self._maintenance.clear()
        for fault in plan.faults:
            fault.arm(self.control)

    def calm_down(self) -> None:
        """No faults any more, and what stood still may trade."""
        self.control.clear_faults()
        self.control.release_fills()

    def cause(self, mishap: Mishap, chance: Random) -> None:
        """Something happens at the exchange."""
        control = self.control
        match mishap:
            case Mishap.FILL:
                self._end_an_order(control.fill_order, chance)
            case Mishap.CANCEL:
                self._end_an_order(control.cancel_order_as_exchange, chance)
            case Mishap.DROP:
                control.drop_all_connections(chance.choice((DropKind.RESET, DropKind.EOF, DropKind.CLOSE)))
            case Mishap.STALL:
                control.drop_all_connections(DropKind.STALL)
            case Mishap.PRICE:
                name = chance.choice(tuple(PRICES))
                control.set_price(name, PRICES[name] * (1 + Decimal(chance.randint(-60, 60)) / 10_000))
            case Mishap.MAINTENANCE:
                self._maintenance.append(control.arm_fault(FaultName.MAINTENANCE, http_status=503))
            case Mishap.REOPENED:
                control.disarm_fault(self._maintenance.pop(0))
            case Mishap.HOLD:
                control.hold_fills(chance.choice(tuple(PRICES)))
            case Mishap.RELEASE:
                control.release_fills()
            case _:
                assert_never(mishap)

    def books(self) -> Books:
        """What the exchange itself remembers."""
        control = self.control
        return Books(orders=control.orders(), trades=control.trades(), positions=control.positions())

    def fired(self) -> dict[str, int]:
        """How often each kind of fault has happened."""
        counts = {name.value: self.control.fired(name) for name in FaultName}
        return {name: count for name, count in counts.items() if count}

    def _end_an_order(self, end: Callable[[str], OrderSnapshot], chance: Random) -> None:
        for entry in self._reader.news():
            for order in entry.orders:
                if order.is_open:
                    self._open[order.order_id] = order
                else:
                    self._open.pop(order.order_id, None)
        # An offset is left alone: it is a market order, which only rests while fills are held.
        resting = [order.order_id for order in self._open.values() if order.order_type == "limit"]
        if not resting:
            return
        try:
            end(chance.choice(resting))
        except ControlError as error:
            if error.code != NOT_OPEN:
                raise
