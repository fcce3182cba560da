"""What a snapshot says about the end of an order."""

from decimal import Decimal

import pytest
from attrs import evolve

from deribit_example.actors.deribit_ws import OrderSnapshot
from deribit_example.actors.deribit_ws.records import OrderState
from deribit_example.actors.order_monitor.business import Ended, StillOpen, read
from deribit_example.saga.types import FilledOrder

OPEN = OrderSnapshot(
    order_id="9",
    label="mine",
    instrument="BTC-PERPETUAL",
    direction="buy",
    state="open",
    amount=Decimal(40),
    filled_amount=Decimal(30),
    average_price=Decimal("84200.25"),
)
LIMIT = Decimal("84210.5")


@pytest.mark.parametrize("state", ["open", "untriggered", "triggered", "unknown"])
def test_an_order_that_may_still_be_filled_is_open_however_much_is_filled(state: OrderState) -> None:
    assert read(evolve(OPEN, state=state), LIMIT) == StillOpen()


def test_a_filled_order_says_how_much_and_at_which_price() -> None:
    filled = evolve(OPEN, state="filled", filled_amount=Decimal(40))
    assert read(filled, LIMIT) == FilledOrder(
        order_id="9", filled_amount=Decimal(40), average_price=Decimal("84200.25")
    )


def test_without_an_average_price_the_limit_stands_in() -> None:
    reading = read(evolve(OPEN, state="filled", average_price=None), LIMIT)
    assert isinstance(reading, FilledOrder)
    assert reading.average_price == LIMIT


def test_an_order_that_ended_says_why_and_how_much_must_be_taken_back() -> None:
    cancelled = evolve(OPEN, state="cancelled", cancel_reason="user_request")
    assert read(cancelled, LIMIT) == Ended("order 9 is cancelled (user_request), 30 of 40 filled")
    rejected = evolve(OPEN, state="rejected", filled_amount=Decimal(0))
    assert read(rejected, LIMIT) == Ended("order 9 is rejected")
