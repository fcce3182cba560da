"""Finding an order again: in the exchange's memory first, then in its history, and never by guessing."""

from collections.abc import Sequence
from decimal import Decimal

import pytest
from attrs import evolve

from deribit_example.actors.deribit_ws import (
    DeribitClient,
    DeribitCommand,
    GetOrderHistory,
    GetOrderState,
    GetOrderStateByLabel,
    OrderSnapshot,
    OutcomeUnknown,
    RequestRefused,
)
from deribit_example.saga.order_lookup import (
    CLOCK_DOUBT_MILLIS,
    MOST_PAGES,
    ORDER_NOT_FOUND,
    PAGE,
    HistoryTooLong,
    LabelNotUnique,
    by_id,
    old_by_label,
    recent_by_label,
    with_label,
)

BEGAN = 1_790_000_000_000
ORDER = OrderSnapshot(
    order_id="9",
    label="mine",
    instrument="BTC-PERPETUAL",
    direction="buy",
    state="filled",
    amount=Decimal(40),
    filled_amount=Decimal(40),
    last_update_millis=BEGAN + 5,
)


def others(count: int, at_millis: int = BEGAN + 5) -> list[OrderSnapshot]:
    """Orders of somebody else."""
    other = evolve(ORDER, label="theirs", last_update_millis=at_millis)
    return [evolve(other, order_id=f"other-{number}") for number in range(count)]


class Exchange:
    """Remembers `recent` orders, and has the others in its history, newest first."""

    def __init__(self, recent: Sequence[OrderSnapshot] = (), history: Sequence[OrderSnapshot] = ()) -> None:
        self.recent = recent
        self.history = history
        self.pages: list[int] = []

    def tell(self, message: DeribitCommand) -> None:
        match message:
            case GetOrderState(order_id=order_id):
                found = next((order for order in self.recent if order.order_id == order_id), None)
                if found is None:
                    message.reply.set_exception(RequestRefused(ORDER_NOT_FOUND, "order_not_found"))
                else:
                    message.reply.set_result(found)
            case GetOrderStateByLabel(label=label):
                message.reply.set_result(tuple(order for order in self.recent if order.label == label))
            case GetOrderHistory(count=count, offset=offset):
                self.pages.append(offset)
                message.reply.set_result(tuple(self.history[offset : offset + count]))
            case _:
                raise AssertionError(f"nobody should ask for {message}")


def test_a_label_names_one_order_however_often_it_is_reported() -> None:
    assert with_label([*others(3), ORDER, ORDER], "mine") == ORDER
    assert with_label(others(3), "mine") is None


def test_a_label_that_names_two_orders_is_refused_with_both_ids() -> None:
    with pytest.raises(LabelNotUnique, match=r"9, 10 .* mine"):
        with_label([ORDER, evolve(ORDER, order_id="10")], "mine")


def test_a_recent_order_is_found_by_its_label() -> None:
    assert recent_by_label(DeribitClient(Exchange(recent=[ORDER])), "BTC", "mine") == ORDER
    assert recent_by_label(DeribitClient(Exchange(history=[ORDER])), "BTC", "mine") is None


def test_an_old_order_is_found_on_a_later_page() -> None:
    exchange = Exchange(history=[*others(PAGE + 7), ORDER])
    assert old_by_label(DeribitClient(exchange), "BTC-PERPETUAL", "mine", BEGAN) == ORDER
    assert exchange.pages == [0, PAGE]


def test_the_history_ends_with_a_short_page() -> None:
    exchange = Exchange(history=others(PAGE + 1))
    assert old_by_label(DeribitClient(exchange), "BTC-PERPETUAL", "mine", BEGAN) is None
    assert exchange.pages == [0, PAGE]


def test_the_history_is_not_read_far_beyond_the_start_of_the_saga() -> None:
    before = BEGAN - CLOCK_DOUBT_MILLIS - 1
    exchange = Exchange(history=[*others(PAGE), *others(PAGE, before), *others(PAGE, before)])
    assert old_by_label(DeribitClient(exchange), "BTC-PERPETUAL", "mine", BEGAN) is None
    assert exchange.pages == [0, PAGE]


def test_orders_a_little_before_the_start_are_read_for_clocks_differ() -> None:
    exchange = Exchange(history=[*others(PAGE, BEGAN - CLOCK_DOUBT_MILLIS), ORDER])
    assert old_by_label(DeribitClient(exchange), "BTC-PERPETUAL", "mine", BEGAN) == ORDER


def test_a_history_that_does_not_end_is_not_taken_for_a_no() -> None:
    exchange = Exchange(history=others(PAGE * MOST_PAGES))
    with pytest.raises(HistoryTooLong, match="BTC-PERPETUAL"):
        old_by_label(DeribitClient(exchange), "BTC-PERPETUAL", "mine", BEGAN)


def test_an_order_is_read_by_its_id_without_the_history() -> None:
    exchange = Exchange(recent=[ORDER])
    assert by_id(DeribitClient(exchange), "BTC-PERPETUAL", "9", BEGAN, wait=False) == ORDER
    assert exchange.pages == []


def test_an_order_the_exchange_has_forgotten_is_read_from_the_history() -> None:
    exchange = Exchange(history=[*others(2), ORDER])
    assert by_id(DeribitClient(exchange), "BTC-PERPETUAL", "9", BEGAN, wait=False) == ORDER


def test_an_order_nobody_knows_is_refused_as_the_exchange_did() -> None:
    with pytest.raises(RequestRefused, match=str(ORDER_NOT_FOUND)):
        by_id(DeribitClient(Exchange(history=others(2))), "BTC-PERPETUAL", "9", BEGAN, wait=False)


@pytest.mark.parametrize("error", [RequestRefused(13009, "unauthorized"), OutcomeUnknown("lost")])
def test_any_other_failure_does_not_ask_the_history(error: Exception) -> None:
    class Failing(Exchange):
        def tell(self, message: DeribitCommand) -> None:
            assert isinstance(message, GetOrderState)
            message.reply.set_exception(error)

    with pytest.raises(type(error)):
        by_id(DeribitClient(Failing(history=[ORDER])), "BTC-PERPETUAL", "9", BEGAN, wait=False)
