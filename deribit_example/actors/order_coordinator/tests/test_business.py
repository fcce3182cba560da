"""Labels, orders, and when an empty answer proves something."""

from decimal import Decimal
from uuid import UUID

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from deribit_example.actors.deribit_ws import OrderSnapshot
from deribit_example.actors.order_coordinator.business import (
    LABEL_LIMIT,
    label_of,
    offset_for,
    opposite,
    order_for,
    placed,
)
from deribit_example.saga.order_lookup import LabelNotUnique, with_label
from deribit_example.saga.types import PreparedOrder, UndoOrder
from saga_choreography import IdempotencyKey

KEY = IdempotencyKey(f"{UUID(int=7).hex}-place_order-do")
PREPARED = PreparedOrder(
    instrument="BTC-PERPETUAL",
    settlement_currency="BTC",
    side="buy",
    amount=Decimal(40),
    price=Decimal("84210.5"),
)
ORDER = OrderSnapshot(
    order_id="9",
    label="mine",
    instrument="BTC-PERPETUAL",
    direction="buy",
    state="open",
    amount=Decimal(40),
    filled_amount=Decimal(0),
)
UNDO = UndoOrder(instrument="BTC-PERPETUAL", settlement_currency="BTC", order_id="9", label="mine", side="buy")


def test_a_label_says_which_saga_and_step_it_belongs_to() -> None:
    assert label_of(KEY) == f"sg-{KEY}"
    assert label_of(KEY, 2) == f"sg-{KEY}-2"


@given(key=st.text(max_size=120), number=st.integers(1, 5))
def test_a_label_never_exceeds_what_the_exchange_takes(key: str, number: int) -> None:
    assert len(label_of(IdempotencyKey(key), number)) <= LABEL_LIMIT


def test_long_keys_give_different_labels_that_stay_the_same() -> None:
    long = IdempotencyKey("k" * 90)
    labels = {label_of(long, number) for number in range(1, 6)} | {label_of(IdempotencyKey("k" * 91))}
    assert len(labels) == 6
    assert label_of(long, 3) in labels


def test_an_order_says_explicitly_that_it_may_take_from_the_book() -> None:
    order = order_for(PREPARED, "mine")
    assert (order.direction, order.amount, order.price, order.label) == ("buy", Decimal(40), Decimal("84210.5"), "mine")
    assert (order.order_type, order.time_in_force) == ("limit", "good_til_cancelled")
    assert (order.post_only, order.reject_post_only, order.reduce_only) == (False, False, False)


def test_an_offset_is_a_market_order_of_the_other_side() -> None:
    offset = offset_for(UNDO, Decimal(30), "back")
    assert (offset.direction, offset.amount, offset.price, offset.order_type) == ("sell", Decimal(30), None, "market")
    assert (offset.post_only, offset.reduce_only) == (False, False)
    assert opposite("sell") == "buy"


def test_what_was_placed_carries_all_that_its_undo_needs() -> None:
    output, undo = placed(PREPARED, ORDER, "mine")
    assert (output.order_id, output.label, output.amount, output.price) == ("9", "mine", Decimal(40), PREPARED.price)
    assert undo == UNDO


def test_only_the_very_same_label_counts() -> None:
    assert with_label((), "mine") is None
    assert with_label((ORDER,), "min") is None
    assert with_label((ORDER, evolve(ORDER, order_id="8", label="other")), "mine") is ORDER


def test_one_order_may_be_told_twice_but_two_orders_under_one_label_are_for_an_operator() -> None:
    assert with_label((ORDER, ORDER), "mine") == ORDER
    with pytest.raises(LabelNotUnique, match="8"):
        with_label((ORDER, evolve(ORDER, order_id="8")), "mine")
