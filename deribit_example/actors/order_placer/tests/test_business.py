"""Rounding and refusing, with every edge that a Decimal has."""

from decimal import Decimal

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from deribit_example.actors.deribit_ws import Instrument, Ticker, TickSizeStep
from deribit_example.actors.order_placer.business import (
    NotPlaceable,
    on_contract_size,
    on_tick,
    prepare,
    tick_size_at,
)
from deribit_example.saga.types import OrderIntent, Side

PERPETUAL = Instrument(
    name="BTC-PERPETUAL",
    kind="future",
    settlement_currency="BTC",
    tick_size=Decimal("0.5"),
    tick_size_steps=(),
    min_trade_amount=Decimal(10),
    contract_size=Decimal(10),
    is_active=True,
)
OPTION = evolve(
    PERPETUAL,
    name="BTC-OPTION",
    tick_size=Decimal("0.0001"),
    tick_size_steps=(
        TickSizeStep(above_price=Decimal("0.1"), tick_size=Decimal("0.002")),
        TickSizeStep(above_price=Decimal("0.005"), tick_size=Decimal("0.0005")),
    ),
)
TICKER = Ticker(
    instrument="BTC-PERPETUAL",
    best_bid_price=Decimal(84200),
    best_ask_price=Decimal("84200.5"),
    last_price=None,
    mark_price=Decimal(84200),
    min_price=Decimal(83000),
    max_price=Decimal(85000),
    at_millis=0,
)
INTENT = OrderIntent(
    instrument="BTC-PERPETUAL",
    side="buy",
    amount=Decimal(47),
    price=Decimal("84210.74"),
    confidence=0.9,
    strategy="t",
)
positive = st.decimals(min_value="1E-12", max_value="1E12", allow_nan=False, allow_infinity=False)
sizes = st.decimals(min_value="0.0001", max_value="1000", places=4)
sides = st.sampled_from(("buy", "sell"))
steps = st.lists(st.builds(TickSizeStep, above_price=positive, tick_size=sizes), max_size=4)


@pytest.mark.parametrize(
    ("price", "tick"),
    [
        ("0.0001", "0.0001"),
        ("0.005", "0.0001"),
        ("0.0050001", "0.0005"),
        ("0.1", "0.0005"),
        ("0.10000000001", "0.002"),
        ("5", "0.002"),
    ],
)
def test_the_highest_step_below_a_price_gives_the_tick(price: str, tick: str) -> None:
    assert tick_size_at(OPTION, Decimal(price)) == Decimal(tick)


@pytest.mark.parametrize(
    ("side", "price", "rounded"),
    [
        ("buy", "84210.74", "84210.5"),
        ("sell", "84210.74", "84211"),
        ("buy", "84210.5", "84210.5"),
        ("sell", "84210.5", "84210.5"),
        ("buy", "8.842E+4", "88420"),
        ("buy", "0.49", "0"),
        ("sell", "0.0000001", "0.5"),
        ("buy", "8.999999999999999999999999999", "8.5"),
        ("sell", "8.500000000000000000000000001", "9"),
    ],
)
def test_a_price_goes_to_the_tick_that_is_not_worse(side: Side, price: str, rounded: str) -> None:
    assert on_tick(PERPETUAL, Decimal(price), side) == Decimal(rounded)


def test_a_price_that_leaves_its_range_lands_on_the_tick_of_the_next_one() -> None:
    odd = evolve(
        PERPETUAL,
        tick_size=Decimal(2),
        tick_size_steps=(TickSizeStep(above_price=Decimal(103), tick_size=Decimal(5)),),
    )
    assert on_tick(odd, Decimal("102.5"), "sell") == 105  # 104 is above 103, where the tick is 5
    assert on_tick(odd, Decimal("104.9"), "buy") == 100


@given(price=positive, tick=sizes, more=steps, side=sides)
def test_a_rounded_price_is_on_its_tick_and_never_worse(
    price: Decimal, tick: Decimal, more: list[TickSizeStep], side: Side
) -> None:
    instrument = evolve(PERPETUAL, tick_size=tick, tick_size_steps=tuple(more))
    rounded = on_tick(instrument, price, side)
    assert rounded % tick_size_at(instrument, rounded) == 0
    assert rounded <= price if side == "buy" else rounded >= price


@given(price=positive, tick=sizes, side=sides)
def test_a_rounded_price_is_less_than_a_tick_away(price: Decimal, tick: Decimal, side: Side) -> None:
    assert abs(on_tick(evolve(PERPETUAL, tick_size=tick), price, side) - price) < tick


@given(amount=positive, contract=sizes)
def test_a_rounded_amount_is_whole_contracts_and_never_larger(amount: Decimal, contract: Decimal) -> None:
    rounded = on_contract_size(evolve(PERPETUAL, contract_size=contract), amount)
    assert rounded % contract == 0
    assert amount - contract < rounded <= amount


def test_an_intent_becomes_an_order_of_the_right_form() -> None:
    order = prepare(INTENT, PERPETUAL, TICKER)
    assert (order.amount, order.price) == (Decimal(40), Decimal("84210.5"))
    assert (order.instrument, order.settlement_currency, order.side) == ("BTC-PERPETUAL", "BTC", "buy")


@pytest.mark.parametrize("price", ["83000", "85000"])
def test_the_ends_of_the_price_band_belong_to_it(price: str) -> None:
    assert prepare(evolve(INTENT, price=Decimal(price)), PERPETUAL, TICKER).price == Decimal(price)


def test_without_a_band_any_price_goes() -> None:
    ticker = evolve(TICKER, min_price=None, max_price=None)
    assert prepare(evolve(INTENT, price=Decimal("0.5")), PERPETUAL, ticker).price == Decimal("0.5")


@pytest.mark.parametrize(
    ("intent", "why"),
    [
        (evolve(INTENT, amount=Decimal("9.99999999")), "below the least"),
        (evolve(INTENT, amount=Decimal(0)), "amount 0 is not positive"),
        (evolve(INTENT, amount=Decimal(-10)), "not positive"),
        (evolve(INTENT, amount=Decimal("NaN")), "not positive"),
        (evolve(INTENT, amount=Decimal("Infinity")), "not positive"),
        (evolve(INTENT, price=Decimal(0)), "not positive"),
        (evolve(INTENT, price=Decimal(-1)), "not positive"),
        (evolve(INTENT, price=Decimal("NaN")), "not positive"),
        (evolve(INTENT, price=Decimal("Infinity")), "not positive"),
        (evolve(INTENT, price=Decimal("0.49")), "less than one tick"),
        (evolve(INTENT, price=Decimal("85000.5")), "above the band"),
        (evolve(INTENT, price=Decimal("82999.99")), "below the band"),
        (evolve(INTENT, instrument="ETH-PERPETUAL"), "was told of"),
    ],
)
def test_an_intent_that_cannot_be_placed_says_why(intent: OrderIntent, why: str) -> None:
    with pytest.raises(NotPlaceable, match=why):
        prepare(intent, PERPETUAL, TICKER)


def test_a_closed_instrument_is_not_traded() -> None:
    with pytest.raises(NotPlaceable, match="not open"):
        prepare(INTENT, evolve(PERPETUAL, is_active=False), TICKER)


def test_a_minimum_above_one_contract_is_respected() -> None:
    with pytest.raises(NotPlaceable, match="below the least of 50"):
        prepare(INTENT, evolve(PERPETUAL, min_trade_amount=Decimal(50)), TICKER)
