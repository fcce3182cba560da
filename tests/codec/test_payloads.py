"""User payloads: typed on the way in, typed on the way out, and errors that name the field."""

from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from uuid import UUID

import pytest
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st

from saga_choreography.codec import payload_codec, type_name
from saga_choreography.errors import PayloadError


class Side(Enum):
    BUY = "buy"
    SELL = "sell"


@frozen
class Leg:
    instrument: str
    amount: Decimal


@frozen
class Order:
    side: Side
    legs: tuple[Leg, ...]
    key: UUID
    at: datetime
    day: date
    note: str | None = None
    blob: bytes = b""


@frozen
class OrderOfTomorrow:
    side: Side
    legs: tuple[Leg, ...]
    key: UUID
    at: datetime
    day: date
    priority: int = 5


@frozen
class Small:
    count: int


LEGS = st.builds(Leg, st.text(max_size=5), st.decimals(allow_nan=False, allow_infinity=False))
ORDERS = st.builds(
    Order,
    side=st.sampled_from(Side),
    legs=st.lists(LEGS, max_size=3).map(tuple),
    key=st.uuids(),
    at=st.datetimes() | st.datetimes(timezones=st.just(UTC)),
    day=st.dates(),
    note=st.none() | st.text(max_size=5),
    blob=st.binary(max_size=9),
)


@given(ORDERS)
def test_any_payload_comes_back_as_it_was(order: Order) -> None:
    codec = payload_codec(Order)
    assert codec.decode(codec.encode(order, "payload"), "payload") == order


@given(st.binary(max_size=50))
def test_bytes_pass_through_untouched(raw: bytes) -> None:
    codec = payload_codec(bytes)
    assert codec.encode(raw, "payload") is raw
    assert codec.decode(raw, "payload") == raw


def test_nothing_is_a_payload_too() -> None:
    codec = payload_codec(type(None))
    assert codec.decode(codec.encode(None, "undo"), "undo") is None
    with pytest.raises(PayloadError, match="where nothing is expected"):
        codec.decode(payload_codec(int).encode(0, "x"), "undo")


def test_a_codec_is_made_once() -> None:
    assert payload_codec(Order) is payload_codec(Order)


def test_a_class_may_grow_and_shrink() -> None:
    order = Order(Side.BUY, (), UUID(int=1), datetime(2026, 1, 1, tzinfo=UTC), date(2026, 1, 1), note="x")
    raw = payload_codec(Order).encode(order, "payload")
    tomorrow = payload_codec(OrderOfTomorrow).decode(raw, "payload")
    assert tomorrow == OrderOfTomorrow(order.side, order.legs, order.key, order.at, order.day)
    back = payload_codec(Order).decode(payload_codec(OrderOfTomorrow).encode(tomorrow, "payload"), "payload")
    assert (back.note, back.blob) == (None, b"")


def test_a_value_of_another_class_is_refused_when_it_is_encoded() -> None:
    with pytest.raises(PayloadError, match="output of step 'pay' is not a valid Small: got Leg"):
        payload_codec(Small).encode(Leg("x", Decimal(1)), "output of step 'pay'")  # type: ignore[arg-type]  # the point


def test_what_cannot_be_packed_is_refused() -> None:
    with pytest.raises(PayloadError, match="payload"):
        payload_codec(Small).encode(Small(2**64), "payload")


def test_an_error_names_the_field() -> None:
    broken = payload_codec(Leg).encode(Leg("x", Decimal(1)), "payload")
    with pytest.raises(PayloadError, match="count"):
        payload_codec(Small).decode(broken, "payload")
    with pytest.raises(PayloadError, match="amount"):
        payload_codec(Leg).decode(payload_codec(dict[str, str]).encode({"instrument": "x", "amount": "?"}, ""), "leg")


@given(st.binary(max_size=40))
def test_other_bytes_raise_payload_error_and_nothing_else(raw: bytes) -> None:
    with pytest.raises(PayloadError):
        payload_codec(Order).decode(raw, "payload")


@given(ORDERS, st.data())
def test_a_cut_payload_is_refused(order: Order, data: st.DataObject) -> None:
    raw = payload_codec(Order).encode(order, "payload")
    with pytest.raises(PayloadError):
        payload_codec(Order).decode(raw[: data.draw(st.integers(0, len(raw) - 1))], "payload")


def test_a_type_nobody_can_build_is_refused_when_it_is_declared() -> None:
    with pytest.raises(PayloadError, match="a declared type"):
        payload_codec(type("Socket", (), {"__init__": lambda self, where: None}))


def test_a_declared_type_is_called_by_its_name() -> None:
    assert type_name(Order) == "Order"
    assert type_name(tuple[int, str]) == "tuple[int, str]"
