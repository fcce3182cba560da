"""Indicators stay in their bounds; a crossover gives exactly one signal."""

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deribit_example.actors.ta_signal.business import (
    CrossoverSettings,
    Signal,
    Track,
    advance,
    confidence,
    ema,
    rsi,
    sma,
    trend,
)

SETTINGS = CrossoverSettings(fast=2, slow=4, rsi=3)
price = st.decimals(min_value=1, max_value=1_000_000, places=2)
series = st.lists(price, min_size=1, max_size=40)
periods = st.integers(1, 20)


def decimals(*numbers: float) -> list[Decimal]:
    return [Decimal(str(number)) for number in numbers]


def signals(prices: list[Decimal]) -> list[Signal]:
    track, found = Track(), list[Signal]()
    for at_millis, price in enumerate(prices):
        track, signal = advance(track, "I", price, at_millis, SETTINGS)
        if signal is not None:
            found.append(signal)
    return found


@given(series, periods)
def test_averages_lie_between_the_lowest_and_the_highest_price(prices: list[Decimal], period: int) -> None:
    for average in (sma(prices, period), ema(prices, period)):
        assert (average is None) == (len(prices) < period)
        if average is not None:
            slack = max(prices) * Decimal("1e-12")
            assert min(prices) - slack <= average <= max(prices) + slack


@given(price, st.integers(1, 40), periods)
def test_averages_of_a_standing_price_are_that_price(value: Decimal, count: int, period: int) -> None:
    average = ema([value] * (count + period), period)
    assert average is not None
    assert abs(average - value) <= value * Decimal("1e-12")


@given(series, periods)
def test_the_strength_index_lies_between_0_and_100(prices: list[Decimal], period: int) -> None:
    strength = rsi(prices, period)
    assert (strength is None) == (len(prices) <= period)
    assert strength is None or 0 <= strength <= 100


@given(st.lists(price, min_size=4, max_size=20, unique=True))
def test_the_strength_index_is_100_when_prices_only_rise_and_0_when_they_only_fall(prices: list[Decimal]) -> None:
    rising = sorted(prices)
    assert rsi(rising, 3) == 100
    assert rsi(rising[::-1], 3) == 0


def test_known_values() -> None:
    assert sma(decimals(1, 2, 3, 4), 2) == Decimal("3.5")
    assert ema(decimals(1, 2, 3, 4), 3) == Decimal("3.0")
    assert rsi(decimals(1, 1, 1), 2) == 50
    assert rsi(decimals(10, 11, 10), 2) == 50


@pytest.mark.parametrize("period", [0, -1])
def test_a_period_below_one_is_an_error(period: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        sma(decimals(1), period)


def test_the_fast_period_must_be_shorter() -> None:
    with pytest.raises(ValueError, match="shorter"):
        CrossoverSettings(fast=5, slow=5)


def test_one_crossover_gives_one_signal_and_the_way_back_another() -> None:
    down, up = [100, 99, 98, 97, 96, 95], [97, 100, 103, 106, 109]
    found = signals(decimals(*down, *up, *range(106, 80, -3)))
    assert [signal.side for signal in found] == ["buy", "sell"]
    assert [signal.price for signal in found] == [Decimal(100), Decimal(103)]


@given(series)
def test_signals_alternate_and_their_confidence_is_in_bounds(prices: list[Decimal]) -> None:
    found = signals(prices)
    assert all(first.side != second.side for first, second in pairwise(found))
    assert all(0.0 <= signal.confidence <= 1.0 for signal in found)


@given(series)
def test_confidence_is_in_bounds_for_either_side(prices: list[Decimal]) -> None:
    assert 0.0 <= confidence(prices, "buy", SETTINGS) <= 1.0
    assert 0.0 <= confidence(prices, "sell", SETTINGS) <= 1.0


@given(series)
def test_the_first_opinion_is_no_crossover(prices: list[Decimal]) -> None:
    first = next((index for index in range(len(prices)) if trend(prices[: index + 1], SETTINGS)), len(prices))
    assert signals(prices[: first + 1]) == []


@pytest.mark.parametrize(("price", "at_millis"), [("1", 4), ("0", 9), ("-1", 9), ("NaN", 9)])
def test_a_tick_that_is_late_or_no_price_changes_nothing(price: str, at_millis: int) -> None:
    track, _ = advance(Track(), "I", Decimal(5), 5, SETTINGS)
    assert advance(track, "I", Decimal(price), at_millis, SETTINGS) == (track, None)


@given(series)
def test_the_window_is_bounded(prices: list[Decimal]) -> None:
    track = Track()
    for at_millis, value in enumerate(prices):
        track, _ = advance(track, "I", value, at_millis, SETTINGS)
    assert len(track.prices) == min(len(prices), SETTINGS.window)
