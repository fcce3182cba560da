"""What a class holds is looked at before the first value of it is stored, to the last field."""

import io
import re
import threading
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, MutableSet, Sequence
from dataclasses import InitVar, dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import Path
from typing import (
    Annotated,
    Any,
    Generic,
    Literal,
    NamedTuple,
    NewType,
    Protocol,
    TypedDict,
    TypeVar,
    cast,
)
from uuid import UUID

import attrs
import pytest
from attrs import frozen

from saga_choreography.codec import payload_codec, storable_faults
from saga_choreography.errors import PayloadError

T = TypeVar("T")


class Side(Enum):
    BUY = "buy"
    SELL = "sell"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Pair(Enum):
    ONE_TWO = (1, 2)


@frozen
class Seat:
    row: int


@frozen
class Berth:
    deck: str


@frozen
class OtherSeat:
    row: int


@frozen
class Window:
    kind: Literal["window"]
    row: int


@frozen
class Aisle:
    kind: Literal["aisle"]
    row: int


@dataclass(frozen=True)
class Meal:
    name: str


class Address(TypedDict):
    street: str


class Point(NamedTuple):
    x: int
    y: int = 0


class NamedBox(NamedTuple, Generic[T]):
    inside: T


@frozen
class Box(Generic[T]):
    inside: T


@frozen
class SeatBox(Box[Seat]):
    label: str


@frozen
class Tree:
    name: str
    below: "tuple[Tree, ...]" = ()
    beside: "Tree | None" = None


@frozen
class Secretive:
    _code: str
    made_up: Callable[[], int] = attrs.field(init=False, default=int)


class Text(str):
    pass


Name = NewType("Name", str)
Legs = NewType("Legs", list[Seat])

GOOD: list[tuple[object, object]] = [
    (str, "a"),
    (bool, True),
    (int, 1),
    (float, 1.5),
    (bytes, b"a"),
    (type(None), None),
    (Decimal, Decimal("1.50")),
    (UUID, UUID(int=7)),
    (date, date(2026, 1, 2)),
    (datetime, datetime(2026, 1, 2, 3)),
    (Path, Path("a/b")),
    (Text, Text("a")),
    (Side, Side.SELL),
    (Level, Level.HIGH),
    (Literal["a", 1, None], 1),
    (list[Seat], [Seat(1)]),
    (tuple[int, ...], (1, 2)),
    (tuple[int, Seat], (1, Seat(2))),
    (tuple[()], ()),
    (set[Seat], {Seat(1)}),
    (frozenset[str], frozenset({"a"})),
    (MutableSet[int], {1}),
    (Sequence[int], (1, 2)),
    (deque[int], deque([1])),
    (dict[str, Seat], {"a": Seat(1)}),
    (dict[UUID, int], {UUID(int=1): 1}),
    (dict[Side, int], {Side.BUY: 1}),
    (dict[Name, int], {Name("a"): 1}),
    (Mapping[bytes, int], {b"a": 1}),
    (OrderedDict[str, int], OrderedDict(a=1)),
    (Counter[str], Counter("aab")),
    (Seat, Seat(1)),
    (Meal, Meal("soup")),
    (Address, {"street": "a"}),
    (Point, Point(1, 2)),
    (Box[int], Box(1)),
    (SeatBox, SeatBox(Seat(1), "a")),
    (Tree, Tree("a", (Tree("b"),), Tree("c"))),
    (Secretive, Secretive("1")),
    (Name, Name("a")),
    (Legs, [Seat(1)]),
    (Annotated[int, "metres"], 1),
    (int | None, None),
    (Seat | None, Seat(1)),
    (int | str | float | None, 1.0),
    (Seat | Berth, Berth("a")),
    (Window | Aisle | None, Aisle("aisle", 1)),
    (Seat | Meal, Meal("soup")),
    (Seat | str | None, "a"),
    (UUID | str, str(UUID(int=1))),
    (Decimal | int, 1),
    (Literal["now"] | datetime, "now"),
    (Literal["all"] | str, "all"),
    (list[int] | str | None, [1]),
]


@pytest.mark.parametrize(("declared", "value"), GOOD, ids=lambda each: str(each)[:40])
def test_what_has_no_fault_comes_back_as_it_was(declared: object, value: object) -> None:
    assert storable_faults(declared, "payload") == ()
    codec = payload_codec(cast("type[object]", declared))
    back = codec.decode(codec.encode(value, "payload"), "payload")
    assert back == value
    assert type(back) is type(value)


@pytest.mark.parametrize(
    ("declared", "value"),
    [(Literal[Side.BUY], Side.BUY), (defaultdict[str, int], defaultdict(int, a=1))],
    ids=["a member of an enum", "a defaultdict"],
)
def test_what_older_versions_of_cattrs_give_back_as_something_else_is_a_fault_only_there(
    declared: object, value: object
) -> None:
    codec = payload_codec(cast("type[object]", declared))
    try:
        back = codec.decode(codec.encode(value, "payload"), "payload")
    except PayloadError:
        back = None
    assert (storable_faults(declared, "payload") == ()) == (type(back) is type(value))


class Talks(Protocol):
    def talk(self) -> str: ...


class Plain:
    def __init__(self, where: str) -> None:
        self.where = where


class ListOfLegs(list[int]):
    pass


class Money(Decimal):
    pass


@frozen
class Untyped:
    x = attrs.field()  # type: ignore[var-annotated]  # the point


@dataclass
class Given:
    x: int
    y: InitVar[int]


@frozen
class Lost:
    x: "NoSuchClass"  # type: ignore[name-defined]  # noqa: F821  # the point


BAD: list[tuple[object, str]] = [
    (object, "nobody could tell what its values were"),
    (Any, "nobody could tell what its values were"),
    (Callable[[int], int], "code is no data"),
    (Talks, "a protocol says what a value can do"),
    (io.TextIOWrapper, "an open file does not outlive the program"),
    (Plain, "make it an attrs class or a dataclass"),
    (threading.Event, "of the standard library only"),
    (timedelta, "of the standard library only"),
    (Iterable[int], "of the standard library only"),
    (ListOfLegs, "would come back as a plain list"),
    (Money, "would come back as a plain Decimal"),
    (T, "the type variable stands for nothing"),
    (list, "does not say what it holds"),
    (dict, "does not say what it holds"),
    (tuple, "does not say what it holds"),
    (dict[int, str], "keys must be stored as text or bytes"),
    (dict[Level, str], "keys must be stored as text or bytes"),
    (dict[Seat, str], "keys must be stored as text or bytes"),
    (dict[tuple[int, int], str], "keys must be stored as text or bytes"),
    (Pair, r"its member ONE_TWO has the value \(1, 2\)"),
    (NamedBox[int], "a generic NamedTuple comes back as a plain tuple"),
    (Seat | OtherSeat, "Literal field, of their own"),
    (Seat | list[int] | None, "a union may have one more type"),
    (Seat | dict[str, int], "are stored alike"),
    (list[int] | set[int], "are stored alike"),
    (datetime | str, "datetime and str are stored alike"),
    (UUID | bytes, "UUID and bytes are stored alike"),
    (Side | str, "Side and str are stored alike"),
    (Literal["buy"] | Side, "are stored alike"),
    (Level | int, "Level and int are stored alike"),
    (Decimal | str, "Decimal and str are stored alike"),
    (Annotated[int, {}], "what it is annotated with must be hashable"),
    (list[Annotated[int, {}]], "what it is annotated with must be hashable"),
]


@pytest.mark.parametrize(("declared", "why"), BAD, ids=lambda each: str(each)[:40])
def test_what_would_not_come_back_is_a_fault(declared: object, why: str) -> None:
    (fault,) = storable_faults(declared, "payload")
    assert fault.startswith("payload: ")
    assert re.search(why, fault)


@frozen
class Leg:
    seat: Callable[[], int]
    notes: dict[str, Any]


@frozen
class Trip:
    city: str
    legs: tuple[Leg, ...]
    spare: tuple[int, Box[object]]
    back: "Trip | None" = None


def test_the_path_leads_to_the_field() -> None:
    assert storable_faults(Trip, "payload of saga 'trip'") == (
        "payload of saga 'trip': Trip.legs[].seat: collections.abc.Callable[[], int] cannot be stored:"
        " code is no data: store what it needs to be chosen or made again",
        "payload of saga 'trip': Trip.legs[].notes.values(): Any cannot be stored:"
        " nobody could tell what its values were: declare the class they have",
        "payload of saga 'trip': Trip.spare[1].inside: object cannot be stored:"
        " nobody could tell what its values were: declare the class they have",
    )


@pytest.mark.parametrize(
    ("declared", "where"),
    [
        (Untyped, "Untyped.x: x cannot be stored: it has no type"),
        (Given, "Given.y: int cannot be stored: an InitVar is taken by the constructor"),
        (Lost, "Lost cannot be stored: an annotation of it means nothing where it stands"),
        (Box, "Box.inside: ~T cannot be stored: the type variable stands for nothing"),
        (Box[Box[Plain]], "].inside.inside: Plain cannot be stored"),
        (dict[str, list[Plain | None]], "].values()[]: Plain cannot be stored"),
        (dict[Pair, int], "].keys(): Pair cannot be stored"),
    ],
    ids=str,
)
def test_faults_of_fields_say_where_they_are(declared: object, where: str) -> None:
    (fault,) = storable_faults(declared, "output of step 'a'")
    assert where in fault
    assert fault.startswith("output of step 'a': ")


@frozen
class Late:
    x: "Later"  # type: ignore[name-defined]  # noqa: F821  # the point


def test_a_class_that_could_not_be_stored_is_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(storable_faults(Late, "payload")) == 1
    monkeypatch.setitem(globals(), "Later", Seat)
    assert storable_faults(Late, "payload") == ()


def test_every_place_of_a_bad_class_is_named_once() -> None:
    faults = storable_faults(tuple[Plain, Plain], "payload")
    assert [fault.split(": ")[1][-3:] for fault in faults] == ["[0]", "[1]"]
