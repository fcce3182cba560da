"""The messages of the connection actor.

Commands are for everybody and carry their own reply: the actor never blocks on a request, so `ask` is not used.
Signals come from its own threads (reader, timer) and name the generation of the connection they belong to, so that
a late one is recognised.
"""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeAlias, TypeVar

from attrs import field, frozen

from deribit_example.actors.deribit_ws.connection import Connection
from deribit_example.actors.deribit_ws.records import (
    AccountLimits,
    ConnectionEvent,
    ConnectionStatus,
    Instrument,
    NewOrder,
    OrderSnapshot,
    Ticker,
)
from deribit_example.actors.deribit_ws.rpc import Frame

T = TypeVar("T")
DEFAULT_TIMEOUT_MILLIS = 10_000


@frozen(kw_only=True, eq=False)
class Replied(Generic[T]):
    """Base of commands that are answered: with the value or with a DeribitError, within `timeout_millis` from
    handling.
    """

    timeout_millis: int = DEFAULT_TIMEOUT_MILLIS
    reply: Future[T] = field(factory=Future, repr=False)


@frozen(kw_only=True, eq=False)
class Asked(Replied[T]):
    """A request to the exchange. While there is no session it fails at once, or waits if `wait_for_connection`."""

    wait_for_connection: bool = False


@frozen(kw_only=True, eq=False)
class PlaceOrder(Asked[OrderSnapshot]):
    """Place an order. `local_deadline_millis` (local wall clock) becomes `valid_until` in the exchange's time."""

    order: NewOrder
    local_deadline_millis: int | None = None


@frozen(kw_only=True, eq=False)
class CancelOrder(Asked[OrderSnapshot]):
    """Cancel an order by its id; an order that is gone already is RequestRefused (11044, 10004)."""

    order_id: str


@frozen(kw_only=True, eq=False)
class GetOrderState(Asked[OrderSnapshot]):
    """Read one order by its id."""

    order_id: str


@frozen(kw_only=True, eq=False)
class GetOrderStateByLabel(Asked[tuple[OrderSnapshot, ...]]):
    """Read recent orders with a label; `currency` is the settlement currency (USDC for `..._USDC-...`)."""

    currency: str
    label: str


@frozen(kw_only=True, eq=False)
class GetOrderHistory(Asked[tuple[OrderSnapshot, ...]]):
    """Read older orders, also unfilled ones: the fallback once the label query forgets them (about 30 minutes)."""

    instrument: str
    count: int = 100
    offset: int = 0


@frozen(kw_only=True, eq=False)
class GetInstrument(Asked[Instrument]):
    """Read tick size, contract size and minimum amount."""

    name: str


@frozen(kw_only=True, eq=False)
class GetTicker(Asked[Ticker]):
    """Read the top of the book."""

    name: str


@frozen(kw_only=True, eq=False)
class GetAccountLimits(Asked[AccountLimits]):
    """Read the rate limits of the account."""

    currency: str = "BTC"


@frozen(kw_only=True, eq=False)
class WatchOrders(Replied[None]):
    """Hear of our orders in an instrument, on the actor's thread; the reply says that the subscription stands."""

    instrument: str
    listener: Callable[[OrderSnapshot], None]


@frozen(kw_only=True, eq=False)
class WatchTicker(Replied[None]):
    """Hear of an instrument's ticker, on the actor's thread; the reply says that the subscription stands."""

    instrument: str
    listener: Callable[[Ticker], None]


@frozen(kw_only=True, eq=False)
class WatchConnection(Replied[None]):
    """Hear of sessions that come and go, on the actor's thread; answered at once."""

    listener: Callable[[ConnectionEvent], None]


@frozen(kw_only=True, eq=False)
class GetStatus(Replied[ConnectionStatus]):
    """How is the connection? Answered at once."""


@frozen(kw_only=True, eq=False)
class AwaitReady(Replied[None]):
    """Answered when a session is ready; BadCredentials as soon as known, ExchangeUnreachable after the timeout."""


Request: TypeAlias = (
    PlaceOrder
    | CancelOrder
    | GetOrderState
    | GetOrderStateByLabel
    | GetOrderHistory
    | GetInstrument
    | GetTicker
    | GetAccountLimits
)
DeribitCommand: TypeAlias = Request | WatchOrders | WatchTicker | WatchConnection | GetStatus | AwaitReady


@frozen(kw_only=True, eq=False)
class ConnectionOpened:
    """The socket is open; nothing has been sent yet."""

    generation: int
    connection: Connection


@frozen(kw_only=True, eq=False)
class FrameArrived:
    """A frame, and when it came (local wall clock, milliseconds)."""

    generation: int
    frame: Frame
    at_millis: int


@frozen(kw_only=True, eq=False)
class FrameUnreadable:
    """Something came that is no frame of this protocol."""

    generation: int
    problem: str


@frozen(kw_only=True, eq=False)
class ConnectionLost:
    """The socket is closed, or was never opened; `code` is the close code if one came."""

    generation: int
    reason: str
    code: int | None


@frozen(kw_only=True, eq=False)
class TimerFired:
    """A due time was reached; what to do is bound in `action`, which runs on the actor's thread."""

    action: Callable[[], None] = field(repr=False)


Signal: TypeAlias = ConnectionOpened | FrameArrived | FrameUnreadable | ConnectionLost | TimerFired
DeribitMessage: TypeAlias = DeribitCommand | Signal
