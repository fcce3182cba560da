"""A stored payload is a value of its declared type, or a `PayloadError` that says which payload and why."""

from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Literal, NamedTuple, NewType
from uuid import UUID

import pytest
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st

from saga_choreography.codec import PayloadCodec, payload_codec, type_name
from saga_choreography.codec.wire import pack, unpack
from saga_choreography.errors import PayloadError
from tests.fuzz.budget import examples
from tests.fuzz.conforming import conforms
from tests.fuzz.hostile_msgpack import HOSTILE, PLAIN
from tests.fuzz.mutations import mutated
from tests.fuzz.refusals import must_name

Ticket = NewType("Ticket", str)


class Side(Enum):
    BUY = "buy"
    SELL = "sell"


class Rank(IntEnum):
    LOW = 1
    HIGH = 2


class Mood(str, Enum):  # noqa: UP042  # the older spelling, as users have it
    GOOD = "good"


class Point(NamedTuple):
    x: int
    y: float


@frozen
class Leg:
    instrument: str
    amount: Decimal
    price: float
    count: int = 1
    urgent: bool = False


@frozen
class Card:
    number: str
    holder: str


@frozen
class Cash:
    coins: list[int]


@frozen
class Order:
    side: Side
    rank: Rank
    mood: Mood
    legs: list[Leg]
    route: tuple[Leg, ...]
    by_name: dict[str, Leg]
    pay: Card | Cash
    key: UUID
    at: datetime
    day: date
    ticket: Ticket
    span: tuple[int, str]
    tags: frozenset[str]
    kind: Literal["spot", "future"]
    note: str | None = None
    leg: Leg | None = None
    mixed: int | str | None = None
    blob: bytes = b""
    point: Point | None = None


@frozen
class Tree:
    name: str
    children: "list[Tree]"


@frozen
class AllDefaults:
    a: int = 1
    b: str = "x"


INTS = st.integers(-(2**63), 2**64 - 1)
FLOATS = st.floats(allow_nan=False)
TEXTS = st.text(st.characters(), max_size=6)
LEGS = st.builds(Leg, TEXTS, st.decimals(allow_nan=False), FLOATS, INTS, st.booleans())
ORDERS = st.builds(
    Order,
    side=st.sampled_from(Side),
    rank=st.sampled_from(Rank),
    mood=st.sampled_from(Mood),
    legs=st.lists(LEGS, max_size=2),
    route=st.lists(LEGS, max_size=2).map(tuple),
    by_name=st.dictionaries(TEXTS, LEGS, max_size=2),
    pay=st.builds(Card, TEXTS, TEXTS) | st.builds(Cash, st.lists(INTS, max_size=3)),
    key=st.uuids(),
    at=st.datetimes() | st.datetimes(timezones=st.just(UTC)),
    day=st.dates(),
    ticket=TEXTS.map(Ticket),
    span=st.tuples(INTS, TEXTS),
    tags=st.frozensets(TEXTS, max_size=4),
    kind=st.sampled_from(["spot", "future"]),
    note=st.none() | TEXTS,
    leg=st.none() | LEGS,
    mixed=st.none() | INTS | TEXTS,
    blob=st.binary(max_size=9),
    point=st.builds(Point, INTS, FLOATS),
)
TREES = st.recursive(
    st.builds(Tree, TEXTS, st.just([])), lambda part: st.builds(Tree, TEXTS, st.lists(part, max_size=3)), max_leaves=8
)
DECLARED: list[type] = [
    Order,
    Leg,
    Tree,
    AllDefaults,
    int,
    float,
    str,
    bool,
    bytes,
    type(None),
    UUID,
    Decimal,
    datetime,
    date,
    Side,
    Rank,
    Mood,
    Point,
    list[int],
    list[Leg],
    tuple[int, ...],
    tuple[int, str],
    set[str],
    frozenset[int],
    dict[str, int],
    dict[str, list[Leg]],
]


def decoded_or_refused(declared: type, raw: bytes) -> object:
    """The value, or None when it was refused; fails on everything else."""
    codec: PayloadCodec[object] = payload_codec(declared)
    try:
        value = codec.decode(raw, "payload of saga 7")
    except PayloadError as error:
        must_name(error, f"payload of saga 7 is not a valid {type_name(declared)}: ")
        return None
    assert conforms(value, declared) or isinstance(value, Point), (declared, value)
    again = codec.encode(value, "again")
    assert codec.encode(codec.decode(again, "again"), "again") == again
    return value


@examples(60)
@given(order=ORDERS)
def test_every_payload_comes_back_and_is_always_the_same_bytes(order: Order) -> None:
    codec = payload_codec(Order)
    raw = codec.encode(order, "payload")
    assert decoded_or_refused(Order, raw) == order
    assert codec.encode(order, "payload") == raw


@examples(30)
@given(tree=TREES)
def test_a_class_that_holds_itself_comes_back(tree: Tree) -> None:
    assert decoded_or_refused(Tree, payload_codec(Tree).encode(tree, "payload")) == tree


@examples(40)
@given(names=st.lists(TEXTS, unique=True, max_size=12))
def test_equal_sets_are_equal_bytes(names: list[str]) -> None:
    codec = payload_codec(set[str])
    forward, backward = set[str](), set[str]()
    for name, other in zip(names, reversed(names), strict=True):
        forward.add(name)
        backward.add(other)
    raw = codec.encode(forward, "payload")
    assert codec.encode(backward, "payload") == raw
    assert codec.decode(raw, "payload") == forward


@examples(80)
@given(order=ORDERS, other=ORDERS, data=st.data())
def test_a_damaged_payload_is_an_order_or_refused(order: Order, other: Order, data: st.DataObject) -> None:
    codec = payload_codec(Order)
    decoded_or_refused(Order, data.draw(mutated(codec.encode(order, "payload"), codec.encode(other, "payload"))))


@examples(150)
@given(declared=st.sampled_from(DECLARED), raw=HOSTILE)
def test_any_bytes_are_a_value_of_the_declared_type_or_refused(declared: type, raw: bytes) -> None:
    decoded_or_refused(declared, raw)


@examples(200)
@given(declared=st.sampled_from(DECLARED), value=PLAIN)
def test_any_plain_data_is_a_value_of_the_declared_type_or_refused(declared: type, value: object) -> None:
    decoded_or_refused(declared, pack(value))


@examples(150)
@given(order=ORDERS, value=PLAIN, data=st.data())
def test_a_field_of_another_kind_is_refused_or_fits(order: Order, value: object, data: st.DataObject) -> None:
    stored = unpack(payload_codec(Order).encode(order, "payload"))
    assert isinstance(stored, dict)
    key = data.draw(st.sampled_from(sorted(stored)))
    inner = stored[key]
    if isinstance(inner, list) and inner and data.draw(st.booleans()):
        inner[data.draw(st.integers(0, len(inner) - 1))] = value
    elif isinstance(inner, dict) and inner and data.draw(st.booleans()):
        inner[data.draw(st.sampled_from(sorted(inner)))] = value
    else:
        stored[key] = value
    decoded_or_refused(Order, pack(stored))


@pytest.mark.parametrize(
    ("declared", "stored"),
    [
        (int, 1.9),
        (int, "12"),
        (str, 5),
        (str, b"x"),
        (str, None),
        (bool, "false"),
        (bool, 0),
        (float, "nan"),
        (bytes, "text"),
        (AllDefaults, "abc"),
        (AllDefaults, []),
        (list[str], "abc"),
        (list[str], {"a": 1}),
        (tuple[int, ...], b"ab"),
        (tuple[int, str], "1a"),
        (Point, "12"),
        (set[str], "ab"),
        (date, 20260101),
        (UUID, 7),
        (Decimal, True),
    ],
)
def test_nothing_is_converted_into_what_it_is_not(declared: type, stored: object) -> None:
    raw = stored if declared is bytes and isinstance(stored, bytes) else pack(stored)
    if declared is bytes:
        assert payload_codec(bytes).decode(raw, "payload") == raw, "bytes are stored as they are"
        return
    with pytest.raises(PayloadError):
        payload_codec(declared).decode(raw, "payload")


@pytest.mark.parametrize(
    "wrong",
    [
        Leg(5, Decimal(1), 1.0),  # type: ignore[arg-type]  # the point
        Leg("x", Decimal(1), "1.0"),  # type: ignore[arg-type]  # the point
        Leg("x", Decimal(1), 1.0, 2.5),  # type: ignore[arg-type]  # the point
        Leg("x", Decimal(1), 1.0, 2, "no"),  # type: ignore[arg-type]  # the point
        Leg(None, Decimal(1), 1.0),  # type: ignore[arg-type]  # the point
    ],
    ids=["a number for a text", "a text for a float", "a float for a number", "a text for a truth", "none for a text"],
)
def test_a_field_that_could_not_be_read_again_is_refused_when_it_is_written(wrong: Leg) -> None:
    with pytest.raises(PayloadError, match=r"the leg is not a valid Leg: .* expected"):
        payload_codec(Leg).encode(wrong, "the leg")


@pytest.mark.parametrize("levels", [20, 49, 60, 200, 400, 5_000])
def test_what_is_encoded_is_decoded_however_deep_it_is(levels: int) -> None:
    tree = Tree("leaf", [])
    for _ in range(levels):
        tree = Tree("branch", [tree])
    try:
        raw = payload_codec(Tree).encode(tree, "the tree")
    except PayloadError as error:
        must_name(error, "the tree")
        refused = True
    else:
        refused = False
        assert payload_codec(Tree).decode(raw, "the tree") == tree
    assert refused == (levels >= 50), "two levels of storage for one of the tree"


@pytest.mark.parametrize("levels", [60, 200, 400, 1_000, 10_000])
def test_a_stored_tower_ends_in_a_payload_error_or_a_value(levels: int) -> None:
    raw = b"\x82\xa4name\xa1a\xa8children\x91" * levels + pack({"name": "leaf", "children": []})
    try:
        tree = payload_codec(Tree).decode(raw, "the tree")
    except PayloadError as error:
        must_name(error, "the tree is not a valid Tree")
    else:
        assert isinstance(tree, Tree)


def test_a_long_wrong_value_has_a_short_message() -> None:
    with pytest.raises(PayloadError) as caught:
        payload_codec(Decimal).decode(pack("9" * 100_000 + "x"), "price")
    must_name(caught.value, "price")


def test_the_name_of_a_class_in_a_payload_is_a_text_like_any_other() -> None:
    raw = pack({"a": 1, "b": "builtins.eval", "__class__": "os.system", "_type": "subprocess.Popen"})
    assert payload_codec(AllDefaults).decode(raw, "payload") == AllDefaults(1, "builtins.eval")
    with pytest.raises(PayloadError):
        payload_codec(AllDefaults).decode(pack({"a": {"__reduce__": ["os.system", ["true"]]}}), "payload")
