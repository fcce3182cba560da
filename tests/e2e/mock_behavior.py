"""How the mock connection behaves: what it answers, when it breaks, what it holds back. No clock in here."""

import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from enum import Enum
from typing import Final, TypeAlias, TypeVar, final

import pykka
from attrs import frozen

from deribit_example.actors.deribit_ws import CancelOrder, DeribitError, GetOrderState, GetOrderStateByLabel, PlaceOrder
from deribit_example.actors.deribit_ws.errors import error_for
from deribit_example.actors.deribit_ws.messaging import Request

R = TypeVar("R")
WAIT_SECONDS: Final = 30.0


@final
@frozen
class Apply:
    """Do what an exchange does, and say so."""


@final
@frozen(kw_only=True)
class Fail:
    """Answer with an error; `applied`: after doing it all the same."""

    error: DeribitError
    applied: bool = False


@final
@frozen
class NotIndexed:
    """A label query that does not see the order yet."""


Answer: TypeAlias = Apply | Fail | NotIndexed
Rule: TypeAlias = Callable[[R], Answer]


class Drop(Enum):
    """Where the connection breaks around a request."""

    BEFORE_APPLY = "before_apply"
    AFTER_APPLY = "after_apply"


class Fills(Enum):
    """When a limit order that was taken is filled."""

    AT_ONCE = "at_once"
    BY_HAND = "by_hand"


class Updates(Enum):
    """What becomes of the news about orders."""

    AFTER_REPLY = "after_reply"
    BEFORE_REPLY = "before_reply"
    DOUBLED = "doubled"
    LOST = "lost"


@final
class Gate:
    """Holds a request back until it is opened; the actor goes on meanwhile."""

    def __init__(self) -> None:
        self._reached = threading.Event()
        self._lock = threading.Lock()
        self._open = False
        self._waiting: list[Callable[[], None]] = []

    def hold(self, release: Callable[[], None]) -> None:
        """A request has come: `release` it when the gate is opened."""
        with self._lock:
            is_open = self._open
            if not is_open:
                self._waiting.append(release)
        self._reached.set()
        if is_open:
            release()

    def wait_until_reached(self, timeout: float = WAIT_SECONDS) -> None:
        """Wait until a request stands at the gate."""
        assert self._reached.wait(timeout), "no request came to the gate"

    def open(self) -> None:
        """Let all requests through, those that come later too."""
        with self._lock:
            self._open = True
            waiting, self._waiting = self._waiting, []
        for release in waiting:
            try:
                release()
            except pykka.ActorDeadError:
                continue  # the actor that held it was stopped and has settled it


def obey(request: object) -> Answer:
    """Nothing goes wrong."""
    return Apply()


def always(answer: Answer) -> Rule[object]:
    """The same answer every time."""
    return lambda request: answer


def in_turn(*answers: Answer) -> Rule[object]:
    """One answer after the other; then `Apply`."""
    rest: Iterator[Answer] = iter(answers)
    return lambda request: next(rest, Apply())


def refuse(code: int, message: str = "as told", *, applied: bool = False) -> Fail:
    """The error that the connection reports for this code of the exchange."""
    return Fail(error=error_for(code, message, None), applied=applied)


def only_market(answer: Answer) -> Rule[PlaceOrder]:
    """This answer for market orders (the offsets of a compensation); `Apply` for the others."""
    return lambda request: answer if request.order.order_type == "market" else Apply()


def drop_at(kind: type[Request], drop: Drop, *, times: int = 1) -> Callable[[Request], Drop | None]:
    """Break at the first `times` requests of a kind."""
    left = iter(range(times))

    def decide(request: Request) -> Drop | None:
        return drop if isinstance(request, kind) and next(left, None) is not None else None

    return decide


def hold_at(kind: type[Request], gate: Gate) -> Callable[[Request], Gate | None]:
    """Hold every request of a kind at a gate."""
    return lambda request: gate if isinstance(request, kind) else None


def never(request: Request) -> None:
    """No request is meant."""


@frozen(kw_only=True)
class MockWSBehavior:
    """The default is an exchange where nothing goes wrong and every order is filled at once.

    `fill_amount` is what a limit order fills when it is taken although `fills` is BY_HAND. With `reconnects=False` a
    dropped connection stays down until it is restored by hand.
    """

    place_order_response: Rule[PlaceOrder] = obey
    cancel_order_response: Rule[CancelOrder] = obey
    order_state_response: Rule[GetOrderState] = obey
    state_by_label_response: Rule[GetOrderStateByLabel] = obey
    should_drop_connection: Callable[[Request], Drop | None] = never
    hold: Callable[[Request], Gate | None] = never
    fills: Fills = Fills.AT_ONCE
    fill_amount: Decimal = Decimal(0)
    updates: Updates = Updates.AFTER_REPLY
    reconnects: bool = True
