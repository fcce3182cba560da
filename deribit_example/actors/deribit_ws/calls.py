"""Requests on their way: what to send, and what to do with the answer. All of it runs on the actor's thread."""

import time
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from typing import Protocol, TypeVar, assert_never, final

from attrs import evolve, frozen

from deribit_example.actors.deribit_ws import business, parsing
from deribit_example.actors.deribit_ws.errors import BadReply, DeribitError, OutcomeUnknown
from deribit_example.actors.deribit_ws.messaging import (
    CancelOrder,
    GetAccountLimits,
    GetInstrument,
    GetOrderHistory,
    GetOrderState,
    GetOrderStateByLabel,
    GetTicker,
    PlaceOrder,
    Request,
)
from deribit_example.actors.deribit_ws.records import OrderSnapshot
from deribit_example.actors.deribit_ws.rpc import Params

T = TypeVar("T")


def answer(reply: Future[T], value: T) -> None:
    """Give a reply its value, unless its owner has given up."""
    try:
        reply.set_result(value)
    except InvalidStateError:
        return


class Refusable(Protocol):
    """A reply of any type: every one can be given an error."""

    def set_exception(self, exception: BaseException | None) -> None:
        """Settle with an error."""
        ...


def refuse(reply: Refusable, error: DeribitError) -> None:
    """Give a reply its error, unless its owner has given up."""
    try:
        reply.set_exception(error)
    except InvalidStateError:
        return


@frozen(kw_only=True, eq=False)
class Call:
    """A request and its continuation; exactly one of the two functions is called, once."""

    method: str
    params: Params
    on_result: Callable[[object], None]
    on_error: Callable[[DeribitError], None]
    expires_at: float
    """Monotonic seconds; afterwards the outcome is unknown."""
    refusal: DeribitError | None = None
    """Why it has to be sent a second time: its token had expired, so it was not applied."""

    def again(self, refusal: DeribitError) -> "Call":
        """The same request once more, after a refusal that only concerned the token."""
        return evolve(self, refusal=refusal)


@frozen(kw_only=True, eq=False)
class Pending:
    """A call that was sent. `sent_millis` is local wall clock."""

    call: Call
    sent_millis: int


@final
class PendingCalls:
    """Calls by request id; ids count from 1 and are never used twice."""

    def __init__(self) -> None:
        self._next_id = 1
        self._calls: dict[int, Pending] = {}

    def add(self, call: Call, sent_millis: int) -> int:
        """Register a call and give it its id."""
        request_id = self._next_id
        self._next_id += 1
        self._calls[request_id] = Pending(call=call, sent_millis=sent_millis)
        return request_id

    def take(self, request_id: int) -> Pending | None:
        """Remove and return a call; None if it is unknown or settled."""
        return self._calls.pop(request_id, None)

    def drain(self) -> list[Pending]:
        """Remove and return all calls, oldest first."""
        calls = list(self._calls.values())
        self._calls.clear()
        return calls

    def __len__(self) -> int:
        return len(self._calls)


def expiry(timeout_millis: int) -> float:
    """Monotonic seconds at which a timeout that starts now is over."""
    return time.monotonic() + timeout_millis / 1_000


def call_for(
    request: Request, adopt: Callable[[OrderSnapshot], OrderSnapshot], offset_millis: int, expires_at: float
) -> Call:
    """What to send for a request; every order that comes back passes through `adopt`, so that a late reply never goes
    back in time.
    """

    def adopt_all(raw: object) -> tuple[OrderSnapshot, ...]:
        return tuple(adopt(order) for order in parsing.parse_orders(raw))

    def call(
        method: str, params: Params, parse: Callable[[object], T], reply: Future[T], *, changes: bool = False
    ) -> Call:
        def on_result(raw: object) -> None:
            try:
                value = parse(raw)
            except BadReply as error:
                # The exchange has accepted it: only the description is unusable.
                refuse(reply, OutcomeUnknown(f"{method} succeeded, but {error.problem}") if changes else error)
                return
            answer(reply, value)

        def on_error(error: DeribitError) -> None:
            refuse(reply, error)

        return Call(method=method, params=params, on_result=on_result, on_error=on_error, expires_at=expires_at)

    match request:
        case PlaceOrder(order=order, local_deadline_millis=deadline):
            params = business.order_params(order, business.server_deadline(order, deadline, offset_millis))
            method = business.method_for(order.direction)
            return call(method, params, lambda raw: adopt(parsing.parse_placed(raw)), request.reply, changes=True)
        case CancelOrder(order_id=order_id):
            params = {"order_id": order_id}
            return call(
                "private/cancel", params, lambda raw: adopt(parsing.parse_order(raw)), request.reply, changes=True
            )
        case GetOrderState(order_id=order_id):
            params = {"order_id": order_id}
            return call("private/get_order_state", params, lambda raw: adopt(parsing.parse_order(raw)), request.reply)
        case GetOrderStateByLabel(currency=currency, label=label):
            params = {"currency": currency, "label": label}
            return call("private/get_order_state_by_label", params, adopt_all, request.reply)
        case GetOrderHistory(instrument=instrument, count=count, offset=offset):
            params = {"instrument_name": instrument, "count": count, "offset": offset, "include_old": True}
            params |= {"include_unfilled": True, "historical": True}
            return call("private/get_order_history_by_instrument", params, adopt_all, request.reply)
        case GetInstrument(name=name):
            return call("public/get_instrument", {"instrument_name": name}, parsing.parse_instrument, request.reply)
        case GetTicker(name=name):
            return call("public/ticker", {"instrument_name": name}, parsing.parse_ticker, request.reply)
        case GetAccountLimits(currency=currency):
            params = {"currency": currency, "extended": True}
            return call("private/get_account_summary", params, parsing.parse_limits, request.reply)
        case _:
            assert_never(request)
