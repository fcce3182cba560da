"""The simulated exchange as a whole: sockets outside, the venue inside, and the actions a test or demo may take."""

import contextlib
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from types import TracebackType
from typing import Self, cast, final
from weakref import WeakSet

from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.sync.server import Server, ServerConnection, serve

from deribit_example.exchange.config import MAX_FRAME_BYTES, ExchangeConfig
from deribit_example.exchange.faults import DropKind, FaultName, FaultSwitches
from deribit_example.exchange.hub import SessionHub
from deribit_example.exchange.orders import Order
from deribit_example.exchange.refusals import API_PATH, SIM_PATH, Gate, address_of
from deribit_example.exchange.scheduler import Scheduler
from deribit_example.exchange.sim_methods import serve_control
from deribit_example.exchange.snapshots import (
    OrderSnapshot,
    PositionSnapshot,
    Stats,
    TradeSnapshot,
    order_snapshot,
    position_snapshot,
    trade_snapshot,
)
from deribit_example.exchange.socket_ends import StallableConnection, cut
from deribit_example.exchange.venue import Venue

# Refused upgrades and broken handshakes are the purpose of this server, not news for its log.
_quiet = logging.getLogger(f"{__name__}.websockets")
_quiet.setLevel(logging.CRITICAL)

CLOSE_SECONDS = 0.25


@final
class SimulatedExchange:
    """A Deribit-like exchange on a loopback port; runs from construction to `close`.

    Raises:
        OSError: the port is taken.
    """

    def __init__(self, *, seed: int = 1, config: ExchangeConfig | None = None) -> None:
        self._config = ExchangeConfig() if config is None else config
        self._venue = Venue(self._config, seed)
        self._gate = Gate(self._venue)
        self._connections: WeakSet[StallableConnection] = WeakSet()
        self._server = self._listen()
        self._scheduler = Scheduler()
        self._hub = SessionHub(self._venue, self._scheduler)
        # Connection threads inherit the daemon flag: a forgotten exchange must not keep a process alive.
        self._thread = threading.Thread(target=self._server.serve_forever, name="exchange-accept", daemon=True)
        self._thread.start()
        self._closed = False
        self._plan_step()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all connections with 1001 and stop; prompt even when peers do not answer. Repeating it does nothing."""
        if self._closed:
            return
        self._closed = True
        self._scheduler.close()
        for connection in tuple(self._connections):
            if connection.stalled or connection.protocol.state is not State.OPEN:
                cut(connection)
        self._server.shutdown(reason="exchange stopped")
        self._thread.join(timeout=5)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._port)

    @property
    def url(self) -> str:
        """Where API clients connect."""
        return f"ws://{self._config.host}:{self.port}{API_PATH}"

    @property
    def control_url(self) -> str:
        """Where `ExchangeControl` connects."""
        return f"ws://{self._config.host}:{self.port}{SIM_PATH}"

    @property
    def faults(self) -> FaultSwitches:
        """The fault switches."""
        return self._venue.faults

    @property
    def connection_count(self) -> int:
        """How many API connections are open."""
        return self._hub.count

    def now_millis(self) -> int:
        """Server time in milliseconds, offsets included."""
        return self._venue.now_millis()

    def orders(self) -> tuple[OrderSnapshot, ...]:
        """All orders ever accepted, oldest first."""
        with self._venue.lock:
            return tuple(order_snapshot(order) for order in self._venue.engine.store.all_orders())

    def trades(self) -> tuple[TradeSnapshot, ...]:
        """All fills ever made, oldest first."""
        with self._venue.lock:
            return tuple(trade_snapshot(trade) for trade in self._venue.engine.store.all_trades())

    def positions(self) -> tuple[PositionSnapshot, ...]:
        """All positions, flat ones too."""
        with self._venue.lock:
            return tuple(position_snapshot(position) for position in self._venue.engine.ledger.positions())

    def stats(self) -> Stats:
        """Counters."""
        with self._venue.lock:
            store = self._venue.engine.store
            return Stats(
                connections=self._hub.count,
                connections_accepted=self._gate.accepted,
                connections_refused=self._gate.refused,
                orders=len(store.all_orders()),
                open_orders=len(store.open_orders()),
                trades=len(store.all_trades()),
                armed_faults=len(self._venue.faults.armed()),
            )

    def wait_for(self, predicate: "Callable[[SimulatedExchange], bool]", timeout: float = 5.0) -> None:
        """Block until the predicate holds, checked after every change; raises TimeoutError after `timeout` seconds."""
        with self._venue.lock:
            if not self._venue.lock.wait_for(lambda: predicate(self), timeout):
                raise TimeoutError(f"the exchange did not get there within {timeout} s")

    def fill_order(self, label_or_id: str, amount: Decimal | float | None = None) -> OrderSnapshot:
        """Fill an open order at its own price; None fills the rest. Raises KeyError, RpcError 11044."""
        with self._acting():
            order = self._find(label_or_id)
            part = None if amount is None else Decimal(str(amount))
            return order_snapshot(self._venue.engine.fill(order, part, self._venue.now_millis()))

    def cancel_order_as_exchange(self, label_or_id: str, reason: str = "autoliquidation") -> OrderSnapshot:
        """Cancel an open order for a reason of the exchange. Raises KeyError, RpcError 11044."""
        with self._acting():
            order = self._find(label_or_id)
            return order_snapshot(self._venue.engine.cancel(order, self._venue.now_millis(), reason))

    def hold_fills(self, instrument_name: str | None = None) -> None:
        """Let no order of an instrument (None: of any) fill until `release_fills`; `fill_order` still works."""
        self.faults.arm(FaultName.HOLD_FILLS, instrument=instrument_name)

    def release_fills(self) -> None:
        """Take back `hold_fills`, and let orders left standing by `partial_fill` trade again."""
        with self._acting():
            for fault in self.faults.standing(FaultName.HOLD_FILLS):
                self.faults.disarm(fault.fault_id)
            self._venue.engine.release_pinned(self._venue.now_millis())

    def set_price(self, instrument_name: str, price: Decimal | float) -> None:
        """Move the market to a price; resting orders it passes are filled. Raises RpcError 13020."""
        with self._acting():
            self._venue.engine.set_price(instrument_name, Decimal(str(price)), self._venue.now_millis())

    def step_market(self) -> None:
        """One step of the seeded walk; refills the books too."""
        with self._acting():
            self._venue.engine.step_market(self._venue.now_millis())

    def expire_tokens(self) -> None:
        """Let every access token run out now."""
        with self._acting():
            self._venue.tokens.expire_all()

    def drop_all_connections(self, kind: DropKind | str = DropKind.RESET) -> int:
        """End (or stall) every API connection; returns how many there were."""
        return self._hub.drop_all(DropKind(kind))

    def _find(self, label_or_id: str) -> Order:
        return self._venue.find_order(label_or_id)

    @contextlib.contextmanager
    def _acting(self) -> Iterator[None]:
        with self._venue.lock:
            try:
                yield
            finally:
                self._hub.flush()

    def _listen(self) -> Server:
        server = serve(
            self._serve,
            self._config.host,
            self._config.port,
            compression=None,
            ping_interval=None,
            max_size=4 * MAX_FRAME_BYTES,
            open_timeout=5,
            close_timeout=CLOSE_SECONDS,
            process_request=self._gate.check,
            create_connection=cast("type[ServerConnection]", self._connection),
            logger=_quiet,
        )
        self._port = server.socket.getsockname()[1]
        return server

    def _connection(
        self,
        sock: socket.socket,
        protocol: ServerProtocol,
        server: Server,
        *,
        ping_interval: float | None,
        ping_timeout: float | None,
        close_timeout: float | None,
        max_queue: int | tuple[int | None, int | None] | None,
    ) -> StallableConnection:
        # The library lists open connections only; closing must also reach those that never finish their handshake.
        connection = StallableConnection(
            sock,
            protocol,
            server,
            ping_interval=ping_interval,
            ping_timeout=ping_timeout,
            close_timeout=close_timeout,
            max_queue=max_queue,
        )
        self._connections.add(connection)
        return connection

    def _serve(self, connection: ServerConnection) -> None:
        if not isinstance(connection, StallableConnection):
            raise TypeError("the server made a connection of another kind")
        if connection.request is not None and connection.request.path == SIM_PATH:
            serve_control(self, connection)
            return
        host = address_of(connection)
        connection.socket.settimeout(self._config.send_timeout_seconds)
        self._gate.enter(host)
        try:
            self._hub.serve(connection)
        finally:
            self._gate.leave(host)

    def _plan_step(self) -> None:
        if self._config.market_interval_millis > 0:
            self._scheduler.after(self._config.market_interval_millis / 1_000, self._step)

    def _step(self) -> None:
        self.step_market()
        self._plan_step()
