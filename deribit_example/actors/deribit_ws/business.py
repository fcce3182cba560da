"""Pure decisions of the connection: which of two views of an order is newer, when to refresh, how long to wait, what
time it is there.

Times are arguments, in milliseconds.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from attrs import evolve, frozen

from deribit_example.actors.deribit_ws.records import Direction, NewOrder, OrderSnapshot, OrderState
from deribit_example.actors.deribit_ws.rpc import Json

_RANK: Final[Mapping[OrderState, int]] = {
    "unknown": 0,
    "untriggered": 1,
    "triggered": 2,
    "open": 3,
    "rejected": 4,
    "cancelled": 4,
    "filled": 4,
}
CLOCK_SAMPLE_LIFETIME_MILLIS = 60_000
REFRESH_SHARE = 0.8


def merge(known: OrderSnapshot | None, update: OrderSnapshot) -> OrderSnapshot:
    """The newer of two views of one order: a terminal state wins, a state never goes back, a fill is never taken
    back.
    """
    if known is None:
        return update
    if known.order_id != update.order_id:
        raise ValueError(f"order {update.order_id} is not an update of order {known.order_id}")
    newer = update if _newness(update) > _newness(known) else known
    if newer.is_terminal and known.is_terminal and known.state != newer.state:
        newer = known
    older = known if newer is update else update
    if older.filled_amount > newer.filled_amount:
        return evolve(newer, filled_amount=older.filled_amount, average_price=older.average_price)
    return newer


def _newness(order: OrderSnapshot) -> tuple[int, Decimal, int]:
    return _RANK[order.state], order.filled_amount, order.last_update_millis


def is_news(known: OrderSnapshot | None, merged: OrderSnapshot) -> bool:
    """Whether listeners have to hear of it: the first view, another state, or a larger fill."""
    return known is None or (known.state, known.filled_amount) != (merged.state, merged.filled_amount)


def order_channel(instrument: str) -> str:
    """The channel of our own orders in an instrument."""
    return f"user.orders.{instrument}.raw"


def ticker_channel(instrument: str) -> str:
    """The channel of an instrument's ticker."""
    return f"ticker.{instrument}.100ms"


def missing_channels(requested: Iterable[str], acknowledged: Iterable[object]) -> tuple[str, ...]:
    """What the acknowledgement left out: the exchange reports no error for it."""
    present = set(acknowledged)
    return tuple(channel for channel in requested if channel not in present)


def method_for(direction: Direction) -> str:
    """The method that places an order of this direction."""
    return "private/buy" if direction == "buy" else "private/sell"


def order_params(order: NewOrder, valid_until_millis: int | None) -> dict[str, Json]:
    """Parameters of buy and sell. `post_only` is always sent: the published default is true, and that reprices
    orders.
    """
    params: dict[str, Json] = {
        "instrument_name": order.instrument,
        "amount": order.amount,
        "type": order.order_type,
        "label": order.label,
        "post_only": order.post_only,
        "reduce_only": order.reduce_only,
        "valid_until": valid_until_millis,
    }
    if order.order_type == "limit":
        params["price"] = order.price
        params["time_in_force"] = order.time_in_force
    if order.post_only:
        params["reject_post_only"] = order.reject_post_only
    return params


def server_deadline(order: NewOrder, local_deadline_millis: int | None, offset_millis: int) -> int | None:
    """The `valid_until` to send, in server time: the order's own, else the caller's local deadline moved by the
    offset.
    """
    if order.valid_until_millis is not None or local_deadline_millis is None:
        return order.valid_until_millis
    return local_deadline_millis + offset_millis


def backoff_millis(attempt: int, initial_millis: int, max_millis: int, spread: float) -> int:
    """Wait before reconnect number `attempt` (from 1): doubling, capped, and shortened by up to half through `spread`
    in [0, 1).
    """
    full = min(initial_millis * 2 ** min(attempt - 1, 32), max_millis)
    return max(1, int(full * (1.0 - spread / 2)))


def refresh_after_millis(expires_in_seconds: Decimal) -> int:
    """When to refresh a token of this lifetime: early, so that one failed attempt does not cost the session."""
    return max(1, int(float(expires_in_seconds) * 1_000 * REFRESH_SHARE))


@frozen(kw_only=True)
class ClockEstimate:
    """How far the exchange's clock is ahead of ours, from the round trip that tells it best."""

    offset_millis: int = 0
    round_trip_millis: int | None = None
    taken_at_millis: int = 0

    def observe(self, *, sent_millis: int, received_millis: int, server_micros: int) -> "ClockEstimate":
        """The better of this estimate and a new sample; an old estimate, or one from before a clock jump, gives way."""
        round_trip = received_millis - sent_millis
        if round_trip < 0:
            return self
        age = received_millis - self.taken_at_millis
        fresh = 0 <= age < CLOCK_SAMPLE_LIFETIME_MILLIS
        if self.round_trip_millis is not None and fresh and round_trip > self.round_trip_millis:
            return self
        offset = server_micros // 1_000 - (sent_millis + received_millis) // 2
        return ClockEstimate(offset_millis=offset, round_trip_millis=round_trip, taken_at_millis=received_millis)
