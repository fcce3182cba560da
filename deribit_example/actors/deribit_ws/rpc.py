"""JSON-RPC 2.0 as the exchange speaks it, pure: text in, frames out, and back. Numbers are never floats on our side."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Literal, TypeAlias

from attrs import frozen

from deribit_example.actors.deribit_ws.errors import BadReply

Json: TypeAlias = "bool | int | str | Decimal | Sequence[Json] | Mapping[str, Json] | None"
Params: TypeAlias = Mapping[str, Json]


@frozen(kw_only=True)
class Result:
    """A successful reply; `server_micros` is when the exchange received the request."""

    id: int
    result: object
    server_micros: int | None = None


@frozen(kw_only=True)
class Failure:
    """An error reply; without an id when the exchange could not read the request."""

    id: int | None
    code: int
    message: str
    data: object = None


@frozen(kw_only=True)
class Notification:
    """Data of a subscribed channel."""

    channel: str
    data: object


@frozen(kw_only=True)
class Heartbeat:
    """A sign of life; a `test_request` must be answered at once."""

    kind: Literal["heartbeat", "test_request"]


@frozen(kw_only=True)
class Ignored:
    """A well-formed frame that means nothing to us (another method, a reply without id)."""

    what: str


Frame: TypeAlias = Result | Failure | Notification | Heartbeat | Ignored


def encode_request(request_id: int, method: str, params: Params) -> str:
    """One request as JSON text; parameters that are None are left out, as the exchange asks."""
    present = {name: value for name, value in params.items() if value is not None}
    return to_json({"jsonrpc": "2.0", "id": request_id, "method": method, "params": present})


def to_json(value: Json) -> str:
    """JSON text in which a Decimal is a plain number with every digit kept.

    Raises:
        ValueError: a Decimal that is not finite.
    """
    match value:
        case None | bool() | int() | str():
            return json.dumps(value, ensure_ascii=False)
        case Decimal():
            if not value.is_finite():
                raise ValueError(f"{value} cannot be sent as a number")
            return format(value, "f")
        case Mapping():
            return "{" + ",".join(f"{json.dumps(name)}:{to_json(item)}" for name, item in value.items()) + "}"
        case _:
            return "[" + ",".join(to_json(item) for item in value) + "]"


def decode_frame(text: str | bytes) -> Frame:
    """Read one frame.

    Raises:
        BadReply: not JSON, or not a frame of this protocol.
    """
    try:
        frame: object = json.loads(text, parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        # The text itself stays out of the message: it could carry a token.
        raise BadReply(f"a frame is not JSON ({type(error).__name__})") from None
    if not isinstance(frame, dict):
        raise BadReply("a frame is not an object")
    if "method" in frame:
        return _call_from_exchange(frame)
    request_id = frame.get("id")
    number = request_id if isinstance(request_id, int) and not isinstance(request_id, bool) else None
    if "error" in frame:
        return _failure(number, frame["error"])
    if "result" not in frame:
        raise BadReply("a reply has neither result nor error")
    if number is None:
        return Ignored(what="a reply without a usable id")
    received = frame.get("usIn")
    return Result(id=number, result=frame["result"], server_micros=received if isinstance(received, int) else None)


def _failure(request_id: int | None, error: object) -> Failure:
    if not isinstance(error, dict):
        raise BadReply("the error of a reply is not an object")
    code, message = error.get("code"), error.get("message")
    if not isinstance(code, int):
        raise BadReply("the error of a reply has no code")
    return Failure(
        id=request_id, code=code, message=message if isinstance(message, str) else "", data=error.get("data")
    )


def _call_from_exchange(frame: Mapping[str, object]) -> Frame:
    method, params = frame["method"], frame.get("params")
    if not isinstance(params, dict):
        raise BadReply("a notification has no params")
    if method == "heartbeat":
        return Heartbeat(kind="test_request" if params.get("type") == "test_request" else "heartbeat")
    channel = params.get("channel")
    if method == "subscription" and isinstance(channel, str):
        return Notification(channel=channel, data=params.get("data"))
    return Ignored(what=f"method {method!r}")


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")
