"""The control path: the actions of the exchange as JSON-RPC for another process. Loopback only, no authentication."""

import logging
from collections.abc import Callable, Iterable
from decimal import Decimal, InvalidOperation
from typing import Protocol, TypeAlias

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection

from deribit_example.exchange.errors import RpcError, invalid_param
from deribit_example.exchange.faults import FaultSwitches
from deribit_example.exchange.params import Params
from deribit_example.exchange.snapshots import (
    OrderSnapshot,
    PositionSnapshot,
    Snapshot,
    Stats,
    TradeSnapshot,
    snapshot_json,
)
from deribit_example.exchange.wire import BadFrame, Json, as_object, decode, encode

logger = logging.getLogger(__name__)


class Actions(Protocol):
    """The exchange as the control path sees it."""

    @property
    def faults(self) -> FaultSwitches:
        """The fault switches."""
        ...

    def orders(self) -> tuple[OrderSnapshot, ...]:
        """All orders."""
        ...

    def trades(self) -> tuple[TradeSnapshot, ...]:
        """All fills."""
        ...

    def positions(self) -> tuple[PositionSnapshot, ...]:
        """All positions."""
        ...

    def stats(self) -> Stats:
        """Counters."""
        ...

    def fill_order(self, label_or_id: str, amount: Decimal | float | None = None) -> OrderSnapshot:
        """Fill an order."""
        ...

    def cancel_order_as_exchange(self, label_or_id: str, reason: str = "autoliquidation") -> OrderSnapshot:
        """Cancel an order."""
        ...

    def release_fills(self) -> None:
        """Let held orders trade."""
        ...

    def set_price(self, instrument_name: str, price: Decimal | float) -> None:
        """Move the market."""
        ...

    def drop_all_connections(self, kind: str = "reset") -> int:
        """End connections."""
        ...


ControlMethod: TypeAlias = Callable[[Actions, Params], Json]


def _arm_fault(exchange: Actions, params: Params) -> Json:
    return exchange.faults.arm(
        params.text("name"),
        count=None if params.flag("forever", False) else params.integer("count", 1),
        method=params.text_or_none("method"),
        label_prefix=params.text_or_none("label_prefix"),
        instrument=params.text_or_none("instrument"),
        millis=params.integer("millis", 0),
        fraction=params.number_or_none("fraction"),
        code=params.integer_or_none("code"),
        kind=params.text_or_none("kind") or "reset",
        disconnect=params.flag("disconnect", False),
        http_status=params.integer("http_status", 429),
    )


def _disarm_fault(exchange: Actions, params: Params) -> Json:
    exchange.faults.disarm(params.integer("fault_id"))
    return "ok"


def _clear_faults(exchange: Actions, params: Params) -> Json:
    exchange.faults.clear()
    return "ok"


def _fired(exchange: Actions, params: Params) -> Json:
    return exchange.faults.fired(params.text("name"))


def _fill_order(exchange: Actions, params: Params) -> Json:
    return snapshot_json(exchange.fill_order(params.text("order"), params.number_or_none("amount")))


def _cancel_order(exchange: Actions, params: Params) -> Json:
    reason = params.text_or_none("reason") or "autoliquidation"
    return snapshot_json(exchange.cancel_order_as_exchange(params.text("order"), reason))


def _release_fills(exchange: Actions, params: Params) -> Json:
    exchange.release_fills()
    return "ok"


def _set_price(exchange: Actions, params: Params) -> Json:
    price = params.number_or_none("price")
    if price is None or price <= 0:
        raise invalid_param("price", "must be a positive number")
    exchange.set_price(params.text("instrument_name"), price)
    return "ok"


def _drop_connections(exchange: Actions, params: Params) -> Json:
    return exchange.drop_all_connections(params.text_or_none("kind") or "reset")


def _listed(snapshots: Iterable[Snapshot]) -> Json:
    return [snapshot_json(snapshot) for snapshot in snapshots]


METHODS: dict[str, ControlMethod] = {
    "sim/arm_fault": _arm_fault,
    "sim/disarm_fault": _disarm_fault,
    "sim/clear_faults": _clear_faults,
    "sim/fired": _fired,
    "sim/orders": lambda exchange, params: _listed(exchange.orders()),
    "sim/trades": lambda exchange, params: _listed(exchange.trades()),
    "sim/positions": lambda exchange, params: _listed(exchange.positions()),
    "sim/stats": lambda exchange, params: snapshot_json(exchange.stats()),
    "sim/fill_order": _fill_order,
    "sim/cancel_order": _cancel_order,
    "sim/release_fills": _release_fills,
    "sim/set_price": _set_price,
    "sim/drop_connections": _drop_connections,
}


def serve_control(exchange: Actions, connection: ServerConnection) -> None:
    """Answer control requests until the peer leaves."""
    try:
        while True:
            connection.send(_answer(exchange, connection.recv()))
    except ConnectionClosed:
        logger.debug("a control connection closed")


def _answer(exchange: Actions, text: str | bytes) -> str:
    request_id: Json = None
    try:
        body = as_object(decode(text))
        request_id = body.get("id")
        method = METHODS.get(str(body.get("method")))
        if method is None:
            raise RpcError(-32601)
        params = Params(as_object(body.get("params") or {}))
        return encode({"jsonrpc": "2.0", "id": request_id, "result": method(exchange, params)})
    except RpcError as error:
        failure = error
    except BadFrame as error:
        failure = RpcError(11050, data=str(error))
    except (KeyError, ValueError, InvalidOperation) as error:
        failure = RpcError(-32602, data={"reason": str(error)})
    except Exception:
        logger.exception("a control request failed")
        failure = RpcError(11094)
    return encode({"jsonrpc": "2.0", "id": request_id, "error": failure.as_json()})
