"""From one received text to what must be done about it. Never raises; the switches of `faults` act here."""

import logging
from collections.abc import Callable

from attrs import evolve, frozen

from deribit_example.exchange.accounts import Grant
from deribit_example.exchange.call import Call, Method
from deribit_example.exchange.config import MAX_FRAME_BYTES
from deribit_example.exchange.connection import ConnectionState
from deribit_example.exchange.errors import RpcError, invalid_param, unauthorized
from deribit_example.exchange.events import Event
from deribit_example.exchange.faults import DropKind, FaultName, Occasion
from deribit_example.exchange.methods import METHODS
from deribit_example.exchange.params import Params
from deribit_example.exchange.venue import Venue
from deribit_example.exchange.wire import BadFrame, Json, JsonObject, as_object, decode, encode

logger = logging.getLogger(__name__)


@frozen(kw_only=True)
class Request:
    """A request that names a method; its params are not checked yet."""

    request_id: int | str | None
    occasion: Occasion
    method: Method
    params: JsonObject
    received_micros: int


@frozen(kw_only=True)
class Late:
    """A request taken in, to be applied when its connection is long gone."""

    request: Request
    grant: Grant | None
    millis: int


@frozen(kw_only=True)
class Handled:
    """What to do after a request: reply (perhaps late), tell the events, end the connection, apply it later."""

    reply: str | None = None
    delay_millis: int = 0
    events: tuple[Event, ...] = ()
    events_first: bool = False
    drop: DropKind | None = None
    late: Late | None = None


def handle_frame(venue: Venue, state: ConnectionState, text: str | bytes) -> Handled:
    """Answer one frame; the caller holds the lock."""
    received = venue.now_micros()
    request_id: int | str | None = None
    try:
        if len(text.encode() if isinstance(text, str) else text) > MAX_FRAME_BYTES:
            raise RpcError(-32600)
        body = as_object(decode(text))
        request_id = _request_id(body)
        request = _parse(venue, body, request_id, received)
    except BadFrame:
        return Handled(reply=_reply(venue, received, None, error=RpcError(11050, data="invalid json")))
    except RpcError as error:
        return Handled(reply=_reply(venue, received, request_id, error=error))
    return _broken_before(venue, state, request) or _answer(venue, state, request)


def apply_late(venue: Venue, state: ConnectionState, late: Late) -> tuple[Event, ...]:
    """Apply a request whose connection is gone already; nobody hears the answer. The caller holds the lock."""
    _, error = _guarded(late.request, lambda: _apply(venue, state, late.request, late.grant))
    if error is not None:
        logger.info("a late %s was refused: %s", late.request.occasion.method, error)
    return venue.drain_events()


def _answer(venue: Venue, state: ConnectionState, request: Request) -> Handled:
    result, error = _guarded(request, lambda: _apply(venue, state, request, _authorise(venue, state, request)))
    handled = Handled(events=venue.drain_events())
    if state.logged_out:
        return evolve(handled, drop=DropKind.CLOSE)
    if error is not None:
        limited = error.code == 10028 and venue.config.rate_limit_disconnects
        reply = _reply(venue, request.received_micros, request.request_id, error=error)
        return evolve(handled, reply=reply, drop=DropKind.EOF if limited else None)
    return _broken_after(venue, request, handled, result)


def _apply(venue: Venue, state: ConnectionState, request: Request, grant: Grant | None) -> Json:
    if venue.in_maintenance:
        raise RpcError(11051)
    pool, now = request.method.pool, venue.now_micros()
    if grant is not None and not venue.credits.spend(grant.account.user_id, pool, now):
        raise RpcError(10028)
    _refuse(venue, request.occasion)
    params = Params(request.params)
    call = Call(method=request.occasion.method, venue=venue, state=state, params=params, grant=grant)
    return request.method.handler(call)


def _guarded(request: Request, action: Callable[[], Json]) -> tuple[Json, RpcError | None]:
    try:
        return action(), None
    except RpcError as error:
        return None, error
    except Exception:
        logger.exception("the handler of %s failed", request.occasion.method)
        return None, RpcError(11094)


def _authorise(venue: Venue, state: ConnectionState, request: Request) -> Grant | None:
    private = request.occasion.method.startswith("private/")
    given = request.params.get("access_token")
    token = given if isinstance(given, str) else state.access_token
    if private and venue.faults.take(FaultName.EXPIRE_TOKENS, request.occasion):
        venue.tokens.expire_all(state.user_id)
    if token is None:
        if private:
            raise unauthorized()
        return None
    try:
        grant = venue.tokens.check(token, connection_id=state.connection_id, now_micros=venue.now_micros())
    except RpcError:
        if private:
            raise
        return None
    area = request.method.area
    if private and area is not None and not grant.allows(area, write=request.method.write):
        raise RpcError(13021)
    return grant


def _grant_if_any(venue: Venue, state: ConnectionState, request: Request) -> Grant | None:
    try:
        return _authorise(venue, state, request)
    except RpcError as error:
        logger.info("a late %s will be refused: %s", request.occasion.method, error)
        return None


def _refuse(venue: Venue, occasion: Occasion) -> None:
    if venue.faults.take(FaultName.SETTLEMENT, occasion):
        raise RpcError(10041)
    for name in (FaultName.ERROR_BEFORE, FaultName.REJECT_ORDER):
        fault = venue.faults.take(name, occasion)
        if fault is not None:
            raise RpcError(fault.error_code)


def _broken_before(venue: Venue, state: ConnectionState, request: Request) -> Handled | None:
    take, occasion = venue.faults.take, request.occasion
    for name, kind in (
        (FaultName.RESET, DropKind.RESET),
        (FaultName.HEARTBEAT_CLOSE, DropKind.HEARTBEAT_CLOSE),
        (FaultName.SILENT_STALL, DropKind.STALL),
    ):
        if take(name, occasion):
            return Handled(drop=kind)
    if fault := take(FaultName.DROP_BEFORE_APPLY, occasion):
        return Handled(drop=fault.kind)
    if fault := take(FaultName.DROP_THEN_APPLY, occasion):
        # The right to trade is judged when the request arrives: the token may die with the connection.
        grant = _grant_if_any(venue, state, request)
        return Handled(drop=fault.kind, late=Late(request=request, grant=grant, millis=fault.millis))
    if fault := take(FaultName.RATE_LIMIT, occasion):
        reply = _reply(venue, request.received_micros, request.request_id, error=RpcError(10028))
        return Handled(reply=reply, drop=DropKind.EOF if fault.disconnect else None)
    return None


def _broken_after(venue: Venue, request: Request, handled: Handled, result: Json) -> Handled:
    take, occasion = venue.faults.take, request.occasion
    if fault := take(FaultName.APPLY_THEN_DROP, occasion):
        return evolve(handled, drop=fault.kind)
    failure = take(FaultName.ERROR_AFTER, occasion)
    delay = take(FaultName.DELAY_REPLY, occasion)
    early = take(FaultName.EVENT_BEFORE_REPLY, occasion)
    return evolve(
        handled,
        reply=_reply(
            venue,
            request.received_micros,
            request.request_id,
            result=result,
            error=None if failure is None else RpcError(failure.error_code),
        ),
        delay_millis=0 if delay is None else delay.millis,
        events_first=early is not None,
    )


def _request_id(body: JsonObject) -> int | str | None:
    request_id = body.get("id")
    return request_id if isinstance(request_id, int | str) else None


def _parse(venue: Venue, body: JsonObject, request_id: int | str | None, received: int) -> Request:
    name, params = body.get("method"), body.get("params")
    if not isinstance(name, str):
        raise RpcError(11050, data="no method")
    if params is None:
        params = {}
    try:
        params = as_object(params)
    except BadFrame:
        raise invalid_param("params", "must be an object") from None
    if name not in METHODS:
        raise RpcError(-32601)
    return Request(
        request_id=request_id,
        occasion=_occasion(venue, name, params),
        method=METHODS[name],
        params=params,
        received_micros=received,
    )


def _occasion(venue: Venue, method: str, params: JsonObject) -> Occasion:
    label, instrument, order_id = params.get("label"), params.get("instrument_name"), params.get("order_id")
    if isinstance(order_id, str):
        try:
            order = venue.engine.store.latest(order_id)
        except KeyError:
            return Occasion(method=method)
        return Occasion(method=method, label=order.label, instrument=order.instrument.name)
    return Occasion(
        method=method,
        label=label if isinstance(label, str) else "",
        instrument=instrument if isinstance(instrument, str) else None,
    )


def _reply(
    venue: Venue, received: int, request_id: int | str | None, *, result: Json = None, error: RpcError | None = None
) -> str:
    sent = venue.now_micros()
    body: dict[str, Json] = {"jsonrpc": "2.0"}
    if request_id is not None:
        body["id"] = request_id
    if error is None:
        body["result"] = result
    else:
        body["error"] = error.as_json()
    return encode({**body, "usIn": received, "usOut": sent, "usDiff": sent - received, "testnet": True})
