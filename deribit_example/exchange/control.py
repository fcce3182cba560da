"""Remote control of an exchange that runs in another process: the same actions as in process, over its `/sim` path."""

import itertools
import threading
from contextlib import ExitStack
from decimal import Decimal
from types import TracebackType
from typing import Self, final
from urllib.parse import urlsplit, urlunsplit

from websockets.sync.client import connect

from deribit_example.exchange.errors import MESSAGES
from deribit_example.exchange.faults import DropKind, FaultName
from deribit_example.exchange.refusals import SIM_PATH
from deribit_example.exchange.snapshots import (
    OrderSnapshot,
    PositionSnapshot,
    Stats,
    TradeSnapshot,
    decimal_of,
    int_of,
    text_of,
)
from deribit_example.exchange.wire import BadFrame, Json, JsonObject, as_list, as_object, decode, encode


@final
class ControlError(RuntimeError):
    """The exchange refused a control request; `code` is its error code."""

    def __init__(self, method: str, error: JsonObject) -> None:
        self.code = int_of(error, "code")
        super().__init__(f"{method}: {MESSAGES.get(self.code, 'error')} ({self.code}), {error.get('data')}")


@final
class ExchangeControl:
    """A connection to the control path; takes the API url of the exchange too. Safe to share between threads.

    Raises:
        OSError, TimeoutError: nobody listens there, or the answer does not come within `timeout` seconds.
        ControlError: the exchange refuses the request.
    """

    def __init__(self, url: str, *, timeout: float = 5.0) -> None:
        parts = urlsplit(url)
        self._timeout = timeout
        self._lock = threading.Lock()
        self._ids = itertools.count(1)
        self._stack = ExitStack()
        self._socket = self._stack.enter_context(
            connect(
                urlunsplit((parts.scheme, parts.netloc, SIM_PATH, "", "")),
                compression=None,
                proxy=None,
                open_timeout=timeout,
                close_timeout=1,
                ping_interval=None,
                max_size=None,
            )
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; what was armed stays armed."""
        self._stack.close()

    def arm_fault(
        self,
        name: FaultName | str,
        *,
        count: int | None = 1,
        method: str | None = None,
        label_prefix: str | None = None,
        instrument: str | None = None,
        millis: int = 0,
        fraction: float | None = None,
        code: int | None = None,
        kind: DropKind | str = DropKind.RESET,
        disconnect: bool = False,
        http_status: int = 429,
    ) -> int:
        """Arm a switch (see `FaultSwitches.arm`) and return its id."""
        params: dict[str, Json] = {
            "name": str(name),
            "count": count,
            "forever": count is None,
            "method": method,
            "label_prefix": label_prefix,
            "instrument": instrument,
            "millis": millis,
            "fraction": fraction,
            "code": code,
            "kind": str(kind),
            "disconnect": disconnect,
            "http_status": http_status,
        }
        return self._integer("sim/arm_fault", params)

    def disarm_fault(self, fault_id: int) -> None:
        """Take one switch back."""
        self._call("sim/disarm_fault", {"fault_id": fault_id})

    def clear_faults(self) -> None:
        """Take all switches back."""
        self._call("sim/clear_faults", {})

    def fired(self, name: FaultName | str) -> int:
        """How often switches of this name have fired."""
        return self._integer("sim/fired", {"name": str(name)})

    def orders(self) -> tuple[OrderSnapshot, ...]:
        """All orders ever accepted, oldest first."""
        return tuple(_order(as_object(item)) for item in as_list(self._call("sim/orders", {})))

    def trades(self) -> tuple[TradeSnapshot, ...]:
        """All fills ever made, oldest first."""
        return tuple(_trade(as_object(item)) for item in as_list(self._call("sim/trades", {})))

    def positions(self) -> tuple[PositionSnapshot, ...]:
        """All positions, flat ones too."""
        return tuple(_position(as_object(item)) for item in as_list(self._call("sim/positions", {})))

    def stats(self) -> Stats:
        """Counters."""
        body = as_object(self._call("sim/stats", {}))
        return Stats(
            connections=int_of(body, "connections"),
            connections_accepted=int_of(body, "connections_accepted"),
            connections_refused=int_of(body, "connections_refused"),
            orders=int_of(body, "orders"),
            open_orders=int_of(body, "open_orders"),
            trades=int_of(body, "trades"),
            armed_faults=int_of(body, "armed_faults"),
        )

    def fill_order(self, label_or_id: str, amount: Decimal | float | None = None) -> OrderSnapshot:
        """Fill an open order at its own price; None fills the rest."""
        return _order(as_object(self._call("sim/fill_order", {"order": label_or_id, "amount": amount})))

    def cancel_order_as_exchange(self, label_or_id: str, reason: str = "autoliquidation") -> OrderSnapshot:
        """Cancel an open order for a reason of the exchange."""
        return _order(as_object(self._call("sim/cancel_order", {"order": label_or_id, "reason": reason})))

    def hold_fills(self, instrument_name: str | None = None) -> None:
        """Let no order fill until `release_fills`."""
        self.arm_fault(FaultName.HOLD_FILLS, instrument=instrument_name)

    def release_fills(self) -> None:
        """Let held orders trade again."""
        self._call("sim/release_fills", {})

    def set_price(self, instrument_name: str, price: Decimal | float) -> None:
        """Move the market to a price."""
        self._call("sim/set_price", {"instrument_name": instrument_name, "price": price})

    def drop_all_connections(self, kind: DropKind | str = DropKind.RESET) -> int:
        """End (or stall) every API connection; returns how many there were."""
        return self._integer("sim/drop_connections", {"kind": str(kind)})

    def _integer(self, method: str, params: JsonObject) -> int:
        return int_of({"result": self._call(method, params)}, "result")

    def _call(self, method: str, params: JsonObject) -> Json:
        with self._lock:
            request_id = next(self._ids)
            self._socket.send(encode({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}))
            while True:
                body = as_object(decode(self._socket.recv(timeout=self._timeout)))
                if body.get("id") == request_id:
                    break
        if "error" in body:
            raise ControlError(method, as_object(body["error"]))
        if "result" not in body:
            raise BadFrame(f"{method}: neither result nor error")
        return body["result"]


def _order(body: JsonObject) -> OrderSnapshot:
    return OrderSnapshot(
        order_id=text_of(body, "order_id"),
        label=text_of(body, "label"),
        instrument_name=text_of(body, "instrument_name"),
        direction=text_of(body, "direction"),
        order_type=text_of(body, "order_type"),
        order_state=text_of(body, "order_state"),
        price=decimal_of(body, "price"),
        amount=decimal_of(body, "amount"),
        filled_amount=decimal_of(body, "filled_amount"),
        average_price=decimal_of(body, "average_price"),
        cancel_reason=text_of(body, "cancel_reason"),
        user_id=int_of(body, "user_id"),
        creation_timestamp=int_of(body, "creation_timestamp"),
        last_update_timestamp=int_of(body, "last_update_timestamp"),
    )


def _trade(body: JsonObject) -> TradeSnapshot:
    return TradeSnapshot(
        trade_id=text_of(body, "trade_id"),
        order_id=text_of(body, "order_id"),
        label=text_of(body, "label"),
        instrument_name=text_of(body, "instrument_name"),
        direction=text_of(body, "direction"),
        price=decimal_of(body, "price"),
        amount=decimal_of(body, "amount"),
        liquidity=text_of(body, "liquidity"),
        user_id=int_of(body, "user_id"),
        timestamp=int_of(body, "timestamp"),
    )


def _position(body: JsonObject) -> PositionSnapshot:
    return PositionSnapshot(
        instrument_name=text_of(body, "instrument_name"),
        user_id=int_of(body, "user_id"),
        size=decimal_of(body, "size"),
        average_price=decimal_of(body, "average_price"),
        realized_profit_loss=decimal_of(body, "realized_profit_loss"),
    )
