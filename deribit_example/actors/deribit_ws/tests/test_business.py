"""Pure decisions: which view of an order is newer, what time it is there, when to try again."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deribit_example.actors.deribit_ws.business import (
    ClockEstimate,
    backoff_millis,
    is_news,
    merge,
    missing_channels,
    order_params,
    refresh_after_millis,
    server_deadline,
)
from deribit_example.actors.deribit_ws.records import NewOrder, OrderSnapshot, OrderState

STATES: tuple[OrderState, ...] = (
    "open",
    "filled",
    "rejected",
    "cancelled",
    "untriggered",
    "triggered",
    "unknown",
)


def view(state: OrderState = "open", filled: int = 0, at_millis: int = 0) -> OrderSnapshot:
    return OrderSnapshot(
        order_id="7",
        label="l",
        instrument="BTC-PERPETUAL",
        direction="buy",
        state=state,
        amount=Decimal(100),
        filled_amount=Decimal(filled),
        average_price=Decimal(50) if filled else None,
        last_update_millis=at_millis,
    )


views = st.builds(view, st.sampled_from(STATES), st.integers(0, 100), st.integers(0, 10))


def a_limit_order(**changes: object) -> NewOrder:
    valid_until = changes.get("valid_until_millis")
    return NewOrder(
        instrument="BTC-PERPETUAL",
        direction="buy",
        amount=Decimal(10),
        price=Decimal("84210.5"),
        label="l",
        valid_until_millis=valid_until if isinstance(valid_until, int) else None,
    )


@given(st.lists(views, min_size=1, max_size=8))
def test_a_terminal_state_is_never_left_and_a_fill_never_shrinks(updates: list[OrderSnapshot]) -> None:
    known: OrderSnapshot | None = None
    for update in updates:
        merged = merge(known, update)
        if known is not None:
            assert merged.filled_amount >= known.filled_amount
            if known.is_terminal:
                assert merged.state == known.state
        known = merged
    assert known is not None
    assert known.is_terminal == any(update.is_terminal for update in updates)
    assert known.filled_amount == max(update.filled_amount for update in updates)


@given(views, views)
def test_telling_the_same_view_again_changes_nothing(first: OrderSnapshot, second: OrderSnapshot) -> None:
    merged = merge(first, second)
    assert merge(merged, second) == merged
    assert not is_news(merged, merge(merged, second))


def test_a_cancel_after_a_partial_fill_keeps_the_fill() -> None:
    merged = merge(view("open", 10, at_millis=2), view("cancelled", 0, at_millis=1))
    assert (merged.state, merged.filled_amount, merged.average_price) == ("cancelled", Decimal(10), Decimal(50))


def test_views_of_two_orders_are_not_merged() -> None:
    other = OrderSnapshot(
        order_id="8",
        label="l",
        instrument="i",
        direction="buy",
        state="open",
        amount=Decimal(1),
        filled_amount=Decimal(0),
    )
    with pytest.raises(ValueError, match="not an update"):
        merge(view(), other)


def test_post_only_is_always_sent_because_its_published_default_reprices_orders() -> None:
    assert order_params(a_limit_order(), None)["post_only"] is False


def test_a_market_order_has_neither_price_nor_time_in_force() -> None:
    order = NewOrder(instrument="i", direction="sell", amount=Decimal(1), order_type="market", label="l")
    params = order_params(order, None)
    assert "price" not in params
    assert "time_in_force" not in params


def test_a_local_deadline_is_moved_into_the_time_of_the_exchange() -> None:
    assert server_deadline(a_limit_order(), 1_000, 250) == 1_250
    assert server_deadline(a_limit_order(valid_until_millis=9), 1_000, 250) == 9
    assert server_deadline(a_limit_order(), None, 250) is None


@pytest.mark.parametrize("amount", ["0", "-1", "NaN", "Infinity"])
def test_an_order_of_no_amount_cannot_be_made(amount: str) -> None:
    with pytest.raises(ValueError, match="amount"):
        NewOrder(instrument="i", direction="buy", amount=Decimal(amount), price=Decimal(1), label="l")


def test_a_limit_order_needs_a_price_and_a_label_of_at_most_64_characters() -> None:
    with pytest.raises(ValueError, match="price"):
        NewOrder(instrument="i", direction="buy", amount=Decimal(1), label="l")
    with pytest.raises(ValueError, match="label"):
        NewOrder(instrument="i", direction="buy", amount=Decimal(1), price=Decimal(1), label="x" * 65)


def test_missing_channels_are_found_whatever_the_order_of_the_acknowledgement() -> None:
    assert missing_channels(["a", "b", "c"], ["c", "a"]) == ("b",)


@given(st.integers(1, 1_000), st.floats(0, 0.999))
def test_backoff_stays_between_half_the_first_delay_and_the_maximum(attempt: int, spread: float) -> None:
    assert 50 <= backoff_millis(attempt, 100, 5_000, spread) <= 5_000


def test_a_token_is_renewed_after_four_fifths_of_its_life() -> None:
    assert refresh_after_millis(Decimal(900)) == 720_000


def test_the_offset_is_taken_from_the_shortest_round_trip_until_it_is_old() -> None:
    clock = ClockEstimate().observe(sent_millis=1_000, received_millis=1_010, server_micros=6_005_000)
    assert clock.offset_millis == 5_000
    slow = clock.observe(sent_millis=2_000, received_millis=2_900, server_micros=7_000_000)
    assert slow.offset_millis == 5_000
    later = slow.observe(sent_millis=70_000, received_millis=70_100, server_micros=70_050_000)
    assert later.offset_millis == 0


def test_a_local_clock_that_jumps_back_makes_the_estimate_new() -> None:
    clock = ClockEstimate().observe(sent_millis=100_000, received_millis=100_002, server_micros=100_001_000)
    jumped = clock.observe(sent_millis=50_000, received_millis=50_100, server_micros=100_050_000)
    assert jumped.offset_millis == 50_000
