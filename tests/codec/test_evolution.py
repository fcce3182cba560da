"""Payload classes that change while their former values are stored: each way there is, and what is refused."""

import dataclasses
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Annotated, Generic, Literal, NewType, TypeVar, Union

import pytest
from attrs import define, field, frozen
from hypothesis import given
from hypothesis import strategies as st

from saga_choreography import PayloadError, stored_as, versioned
from saga_choreography.codec import payload_codec
from saga_choreography.codec.wire import pack, unpack

T = TypeVar("T")
Plain = dict[str, object]


@frozen
class Order:
    """As the first program has it."""

    price: Decimal
    note: str = ""


@frozen
class Grown:
    price: Decimal
    note: str = ""
    tags: tuple[str, ...] = ("new",)


@frozen
class Renamed:
    limit: Decimal = field(metadata=stored_as("price"))
    note: str = ""


@frozen
class RenamedForGood:
    limit: Decimal = field(metadata=stored_as("limit", formerly=("price", "cost")))
    note: str = ""


@dataclasses.dataclass(frozen=True)
class RenamedData:
    limit: Decimal = dataclasses.field(metadata=stored_as("limit", formerly=("price",)))
    note: str = ""


def with_currency(old: Plain) -> Mapping[str, object]:
    return {**old, "currency": "EUR"}


def in_cents(old: Plain) -> Mapping[str, object]:
    old["cents"] = int(Decimal(str(old.pop("price"))) * 100)  # may change what it is given
    return old


@versioned(2, {1: with_currency})
@frozen
class Second:
    price: Decimal
    currency: str
    note: str = ""


@versioned(3, {1: with_currency, 2: in_cents})
@frozen
class Third:
    cents: int
    currency: str
    note: str = ""


@versioned(3, {2: in_cents})
@frozen
class ThirdWithoutFirst:
    cents: int
    currency: str


@versioned(2, {1: lambda old: {"sum": old["price"]}})
@dataclasses.dataclass
class SecondData:
    sum: Decimal


@frozen
class Basket:
    first: Order
    all: tuple[Order, ...] = ()
    by_name: dict[str, Order] = field(factory=dict)
    maybe: Order | None = None


@frozen
class BasketOfThird:
    first: Third
    all: tuple[Third, ...] = ()
    by_name: dict[str, Third] = field(factory=dict)
    maybe: Third | None = None


def stored(value: object) -> bytes:
    return payload_codec(type(value)).encode(value, "the payload")


def read(declared: type[T], raw: bytes) -> T:
    return payload_codec(declared).decode(raw, "the payload")


ORDER = Order(Decimal("1.50"), "x")


# ---------------------------------------------------------------- tolerant readers


def test_a_new_field_takes_its_default_and_an_unknown_one_is_ignored() -> None:
    assert read(Grown, stored(ORDER)) == Grown(Decimal("1.50"), "x", ("new",))
    assert read(Order, stored(Grown(Decimal(2), "y", ()))) == Order(Decimal(2), "y")


def test_a_renamed_field_goes_on_under_its_stored_name() -> None:
    assert read(Renamed, stored(ORDER)) == Renamed(Decimal("1.50"), "x")
    assert stored(Renamed(Decimal("1.50"), "x")) == stored(ORDER)


@pytest.mark.parametrize("name", ["limit", "price", "cost"])
@pytest.mark.parametrize("declared", [RenamedForGood])
def test_a_renamed_field_is_read_under_its_new_and_its_former_names(declared: type[RenamedForGood], name: str) -> None:
    assert read(declared, pack({name: "7"})) == declared(Decimal(7))


def test_a_dataclass_may_rename_a_field_too() -> None:
    assert read(RenamedData, stored(ORDER)) == RenamedData(Decimal("1.50"), "x")
    assert unpack(stored(RenamedData(Decimal(7)))) == {"limit": "7", "note": ""}


def test_the_new_name_wins_and_is_the_one_that_is_written() -> None:
    value = read(RenamedForGood, pack({"price": "1", "limit": "2", "cost": "3"}))
    assert value.limit == 2
    assert unpack(stored(value)) == {"limit": "2", "note": ""}


def test_what_a_field_is_called_in_the_class_is_no_name_it_is_stored_under() -> None:
    with pytest.raises(PayloadError, match=r"required field missing @ \$\.limit"):
        read(Renamed, pack({"limit": "2"}))


def test_a_wrong_value_under_a_former_name_is_told_with_its_field() -> None:
    with pytest.raises(PayloadError, match=r"@ \$\.limit"):
        read(RenamedForGood, pack({"price": []}))


def test_two_fields_under_one_name_are_refused_when_the_class_is_declared() -> None:
    @frozen
    class Twice:
        limit: int = field(metadata=stored_as("limit", formerly=("price",)))
        price: int = 0

    with pytest.raises(PayloadError, match=r"fields 'limit' and 'price' of .*Twice are both stored as 'price'"):
        payload_codec(Twice)


@pytest.mark.parametrize("names", [("", ()), ("a", ("",)), ("a", ("a",)), ("a", ("b", "b"))])
def test_a_stored_name_is_not_empty_and_not_given_twice(names: tuple[str, tuple[str, ...]]) -> None:
    with pytest.raises(ValueError, match="stored under one name"):
        stored_as(names[0], formerly=names[1])


def test_one_former_name_may_be_given_as_a_text() -> None:
    assert stored_as("a", formerly="price") == stored_as("a", formerly=("price",))


# ---------------------------------------------------------------- versions


def test_version_1_is_stored_as_a_class_without_versions() -> None:
    assert unpack(stored(ORDER)) == {"price": "1.50", "note": "x"}


def test_a_later_version_is_stored_with_its_number() -> None:
    assert unpack(stored(Third(150, "EUR"))) == [3, {"cents": 150, "currency": "EUR", "note": ""}]


def test_upcasters_are_applied_one_after_the_other() -> None:
    assert read(Second, stored(ORDER)) == Second(Decimal("1.50"), "EUR", "x")
    assert read(Third, stored(ORDER)) == Third(150, "EUR", "x")
    assert read(Third, stored(Second(Decimal(2), "USD"))) == Third(200, "USD")
    assert read(SecondData, stored(ORDER)) == SecondData(Decimal("1.50"))


@given(st.integers(-(10**6), 10**6), st.text(max_size=5), st.text(max_size=5))
def test_a_value_of_a_versioned_class_comes_back_and_equal_values_are_equal_bytes(
    cents: int, currency: str, note: str
) -> None:
    value = Third(cents, currency, note)
    assert read(Third, stored(value)) == value
    assert stored(value) == stored(Third(cents, currency, note))


def test_versions_inside_other_payloads_are_read_wherever_they_stand() -> None:
    basket = Basket(ORDER, (ORDER, ORDER), {"a": ORDER}, ORDER)
    third = Third(150, "EUR", "x")
    upgraded = BasketOfThird(third, (third, third), {"a": third}, third)
    assert read(BasketOfThird, stored(basket)) == upgraded
    assert read(BasketOfThird, stored(upgraded)) == upgraded
    orders: tuple[Order, ...] = (ORDER,)
    raw = payload_codec(tuple[Order, ...]).encode(orders, "orders")
    assert read(tuple[Third, ...], raw) == (third,)


def test_a_generic_class_has_its_version_whatever_it_holds() -> None:
    @versioned(2, {1: lambda old: {"held": old["it"]}})
    @frozen
    class Box(Generic[T]):
        held: T

    assert read(Box[int], pack({"it": 5})) == Box(5)
    assert unpack(payload_codec(Box[int]).encode(Box(5), "box")) == [2, {"held": 5}]


def test_a_subclass_does_not_have_the_version_of_its_parent() -> None:
    @frozen
    class Child(Second):
        pass

    assert unpack(stored(Child(Decimal(1), "EUR"))) == {"price": "1", "currency": "EUR", "note": ""}


def test_a_renamed_field_of_a_versioned_class_is_upcast_under_its_stored_names() -> None:
    @versioned(2, {1: lambda old: {"amount": old["price"]}})
    @frozen
    class Both:
        total: Decimal = field(metadata=stored_as("sum", formerly=("amount",)))

    assert read(Both, stored(ORDER)) == Both(Decimal("1.50"))
    assert unpack(stored(Both(Decimal(1)))) == [2, {"sum": "1"}]


def test_bytes_are_untouched_whatever_they_look_like() -> None:
    raw = stored(Third(1, "EUR"))
    assert read(bytes, raw) == raw
    assert payload_codec(bytes).encode(raw, "bytes") is raw


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("declared", "value", "why"),
    [
        (Order, Second(Decimal(1), "EUR"), "it is version 2 of Order, this program has version 1: run the program"),
        (Second, Third(1, "EUR"), "it is version 3 of Second, this program has version 2: run the program that wrote"),
        (ThirdWithoutFirst, ORDER, "it is version 1 of ThirdWithoutFirst, the oldest this program reads is 2: bring"),
    ],
)
def test_a_version_that_cannot_be_read_is_told_with_class_versions_and_remedy(
    declared: type[object], value: object, why: str
) -> None:
    with pytest.raises(PayloadError, match=f"the payload is not a valid {declared.__qualname__}: {why}"):
        read(declared, stored(value))


def test_a_newer_version_inside_another_payload_is_told_with_its_path() -> None:
    raw = stored(BasketOfThird(Third(1, "EUR"), by_name={"a": Third(2, "EUR")}))
    with pytest.raises(PayloadError, match=r"it is version 3 of Order, .* @ \$\.by_name\['a'\]"):
        read(Basket, raw)


def test_a_newer_version_is_told_also_in_a_value_too_long_to_be_explained() -> None:
    raw = stored(Third(1, "x" * 40_000))
    with pytest.raises(PayloadError, match="it is version 3 of Order"):
        read(Order, raw)


def test_an_upcaster_that_fails_is_told_with_its_class_and_version() -> None:
    with pytest.raises(PayloadError, match="the upcaster of Third from version 2 failed: KeyError: 'price'"):
        read(Third, pack([2, {"currency": "EUR"}]))
    with pytest.raises(PayloadError, match=r"the upcaster of Third from version 2 failed: KeyError: 'price' @ .*first"):
        read(BasketOfThird, pack({"first": [2, {}]}))


def test_an_upcaster_that_gives_no_mapping_is_told() -> None:
    def nothing(_: Plain) -> Mapping[str, object]:
        return 5  # type: ignore[return-value]  # the point

    @versioned(2, {1: nothing})
    @frozen
    class Broken:
        a: int

    with pytest.raises(PayloadError, match=r"the upcaster of .*Broken from version 1 failed: TypeError"):
        read(Broken, pack({"a": 1}))


@pytest.mark.parametrize(
    "raw", [[], [2], [1, {}], [0, {}], [True, {}], [2, []], [2, {}, 1], ["2", {}], [2.0, {}], [-1, {}], None, 7]
)
@pytest.mark.parametrize("declared", [Order, Renamed, Third])
def test_what_is_no_value_of_any_version_is_refused(declared: type[object], raw: object) -> None:
    with pytest.raises(PayloadError, match="where a mapping is expected"):
        read(declared, pack(raw))


@given(raw=st.binary(max_size=40))
@pytest.mark.parametrize("declared", [Third, RenamedForGood])
def test_any_other_bytes_raise_payload_error_and_nothing_else(declared: type[object], raw: bytes) -> None:
    with pytest.raises(PayloadError):
        read(declared, raw)


# ---------------------------------------------------------------- what is wrong with a declaration


def same(old: Plain) -> Mapping[str, object]:
    return old


@pytest.mark.parametrize("links", [(1,), (1, 3), (2,), (1, 2, 3, 4), (0, 1, 2, 3), (-1,), (4,)])
def test_a_missing_link_or_one_that_leads_nowhere_is_an_error_when_the_class_is_made(links: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"version 4 needs an upcaster from every version between its oldest and 3"):
        versioned(4, dict.fromkeys(links, same))


@pytest.mark.parametrize("version", [1, 0, -3])
def test_the_first_version_is_not_declared(version: int) -> None:
    with pytest.raises(ValueError, match="a class without `versioned` is version 1"):
        versioned(version, {})


def test_a_class_says_once_which_version_it_is() -> None:
    once = versioned(2, {1: same})
    with pytest.raises(ValueError, match="Second says twice which version it is"):
        once(Second)


@pytest.mark.parametrize("make", [lambda: type("Bare", (), {}), lambda: type("Child", (Order,), {})])
def test_only_a_class_with_fields_of_its_own_has_a_version(make: Callable[[], type]) -> None:
    with pytest.raises(TypeError, match="put @versioned above @frozen"):
        versioned(2, {1: same})(make())


def test_the_class_is_the_same_and_its_upcasters_cannot_be_changed_from_outside() -> None:
    links: dict[int, Callable[[Plain], Mapping[str, object]]] = {1: with_currency}

    @define
    class Kept:
        price: Decimal
        currency: str

    assert versioned(2, links)(Kept) is Kept
    links.clear()
    assert read(Kept, stored(ORDER)) == Kept(Decimal("1.50"), "EUR")


# ---------------------------------------------------------------- unions


@frozen
class Card:
    number: str


@frozen
class RenamedCard:
    digits: str = field(metadata=stored_as("number"))


@frozen
class Transfer:
    iban: str


@versioned(2, {1: same})
@frozen
class VersionedCard:
    number: str


@frozen
class CardFormerly:
    digits: str = field(metadata=stored_as("digits", formerly=("number",)))


@frozen
class KindedCard:
    sort: Literal["card"] = field(metadata=stored_as("kind"))
    number: str


@frozen
class Payment:
    by: Card | Transfer


@frozen
class RenamedPayment:
    by: RenamedCard | Transfer


@versioned(2, {1: lambda old: {"way": old["by"]}})
@frozen
class SecondPayment:
    way: Card | Transfer


def test_classes_of_a_union_are_told_apart_by_their_stored_names() -> None:
    card, transfer = Payment(Card("4711")), Payment(Transfer("DE1"))
    assert read(RenamedPayment, stored(card)) == RenamedPayment(RenamedCard("4711"))
    assert read(RenamedPayment, stored(transfer)) == RenamedPayment(Transfer("DE1"))
    assert stored(RenamedPayment(RenamedCard("4711"))) == stored(card)


Nicknamed = NewType("Nicknamed", VersionedCard)


@pytest.mark.parametrize("other", [Nicknamed, Annotated[VersionedCard, "as printed"]])
def test_a_class_behind_another_name_in_a_union_is_still_that_class(other: type) -> None:
    with pytest.raises(PayloadError, match="VersionedCard cannot be told from the others"):
        payload_codec(Union[other, Transfer])  # type: ignore[arg-type]  # noqa: UP007  # a parameter


@pytest.mark.parametrize("other", [VersionedCard, CardFormerly, KindedCard])
def test_a_class_that_could_be_taken_for_another_of_its_union_is_refused_when_it_is_declared(other: type) -> None:
    @frozen
    class Paid:
        by: other | Transfer  # type: ignore[valid-type]  # a parameter

    with pytest.raises(PayloadError, match=rf"{other.__qualname__} cannot be told from the others: .*put the union"):
        payload_codec(Paid)


def test_the_class_around_a_union_may_have_the_version() -> None:
    assert read(SecondPayment, stored(Payment(Transfer("DE1")))) == SecondPayment(Transfer("DE1"))


def test_an_optional_class_may_have_a_version() -> None:
    @frozen
    class Maybe:
        it: Third | None = None

    assert read(Maybe, stored(Maybe(Third(1, "EUR")))) == Maybe(Third(1, "EUR"))
    assert read(Maybe, stored(Maybe())) == Maybe()
    assert read(Maybe, pack({"it": {"price": "1.50", "note": "x"}})) == Maybe(Third(150, "EUR", "x"))


# ---------------------------------------------------------------- the same payload after an upgrade


def test_a_stored_value_renewed_is_what_today_s_class_would_store() -> None:
    assert payload_codec(Third).renewed(stored(ORDER)) == stored(Third(150, "EUR", "x"))
    assert payload_codec(Grown).renewed(stored(ORDER)) == stored(Grown(Decimal("1.50"), "x"))
    assert payload_codec(Order).renewed(stored(ORDER)) == stored(ORDER)
    with pytest.raises(PayloadError):
        payload_codec(Order).renewed(stored(Third(1, "EUR")))
