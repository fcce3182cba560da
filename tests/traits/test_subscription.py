"""Tokens: what a step waits for becomes plain data, and what it is given is decoded as its type says."""

from decimal import Decimal

import pytest
from attrs import frozen

from saga_choreography import Saga, Step, all_of, any_of
from saga_choreography.codec import payload_codec
from saga_choreography.errors import PayloadError
from saga_choreography.traits.subscription import AnySource
from saga_choreography.types import SAGA_START, After, AllOf, AnyOf, OnSagaStart


@frozen
class Order:
    amount: Decimal


@frozen
class Left:
    side: str


@frozen
class Right:
    side: str


ORDER = Saga("order", Order)
LEFT = Step[Order, Left]("left", Left, after=ORDER)
RIGHT = Step[Order, Right]("right", Right, after=ORDER)
BOTH = Step[tuple[Left, Right], None]("both", type(None), after=all_of(LEFT, RIGHT))
EITHER = Step[Left | Right, None]("either", type(None), after=any_of(LEFT, RIGHT))
WITH_ORDER = Step[tuple[Order, Left], None]("with_order", type(None), after=all_of(ORDER, LEFT))

VALUES = {
    SAGA_START: payload_codec(Order).encode(Order(Decimal("1.5")), "order"),
    "left": payload_codec(Left).encode(Left("l"), "left"),
    "right": payload_codec(Right).encode(Right("r"), "right"),
}


def test_a_token_becomes_a_dependency() -> None:
    assert LEFT.plan().after == OnSagaStart()
    assert BOTH.plan().after == AllOf((After("left"), After("right")))
    assert EITHER.plan().after == AnyOf((After("left"), After("right")))
    assert WITH_ORDER.plan().after == AllOf((OnSagaStart(), After("left")))


def test_a_step_knows_the_saga_it_goes_back_to() -> None:
    assert BOTH.sagas() == EITHER.sagas() == frozenset({"order"})


def test_a_join_of_all_gives_a_tuple_in_declaration_order() -> None:
    assert BOTH.after.take(VALUES) == (Left("l"), Right("r"))
    assert WITH_ORDER.after.take(VALUES) == (Order(Decimal("1.5")), Left("l"))


@pytest.mark.parametrize(("arrived", "given"), [("left", Left("l")), ("right", Right("r"))])
def test_a_join_of_any_gives_the_value_of_the_one_that_came(arrived: str, given: object) -> None:
    assert EITHER.after.take({arrived: VALUES[arrived]}) == given


def test_joins_can_be_nested() -> None:
    nested = all_of(ORDER, any_of(LEFT, RIGHT))
    assert nested.dependency() == AllOf((OnSagaStart(), AnyOf((After("left"), After("right")))))
    values = {SAGA_START: VALUES[SAGA_START], "right": VALUES["right"]}
    assert nested.take(values) == (Order(Decimal("1.5")), Right("r"))


@pytest.mark.parametrize(
    ("source", "values"),
    [
        (BOTH.after, {"left": VALUES["left"]}),
        (WITH_ORDER.after, {"left": VALUES["left"]}),
        (EITHER.after, {SAGA_START: VALUES[SAGA_START]}),
        (BOTH.after, {}),
    ],
)
def test_a_source_that_is_not_there_is_told_for_the_saga_began_under_another_graph(
    source: AnySource, values: dict[str, bytes]
) -> None:
    told = r"what the step is given is not a valid input with '.*' in it: its saga gives it .* instead"
    with pytest.raises(PayloadError, match=told):
        source.take(values)
