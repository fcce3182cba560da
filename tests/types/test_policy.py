"""Backoff grows, stays below its limit, and jitter only ever shortens it."""

from typing import TypedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saga_choreography.types import RetryPolicy

POLICIES = st.builds(
    RetryPolicy,
    max_attempts=st.integers(1, 1_000),
    initial_delay_millis=st.integers(0, 100_000),
    max_delay_millis=st.integers(0, 10_000_000),
    backoff_multiplier=st.floats(1.0, 1_000.0),
    jitter=st.floats(0.0, 1.0),
)
SPREADS = st.floats(0.0, 1.0, exclude_max=True)


class Fields(TypedDict, total=False):
    max_attempts: int
    initial_delay_millis: int
    max_delay_millis: int
    backoff_multiplier: float
    jitter: float


def test_the_delay_doubles_until_it_meets_its_limit() -> None:
    policy = RetryPolicy(initial_delay_millis=100, max_delay_millis=1_000, backoff_multiplier=2.0)
    assert [policy.delay_millis(attempt) for attempt in range(1, 7)] == [100, 200, 400, 800, 1_000, 1_000]


def test_a_multiplier_of_one_keeps_the_delay() -> None:
    policy = RetryPolicy(initial_delay_millis=70, backoff_multiplier=1.0)
    assert {policy.delay_millis(attempt) for attempt in range(1, 50)} == {70}


def test_jitter_shortens_by_at_most_its_share() -> None:
    policy = RetryPolicy(initial_delay_millis=1_000, jitter=0.25)
    assert policy.delay_millis(1, 0.0) == 1_000
    assert policy.delay_millis(1, 0.5) == 875
    assert 750 <= policy.delay_millis(1, 0.999) <= 751


def test_no_delay_stays_no_delay() -> None:
    assert RetryPolicy(initial_delay_millis=0).delay_millis(9, 0.5) == 0


def test_very_many_attempts_do_not_overflow() -> None:
    assert RetryPolicy(max_delay_millis=5_000, jitter=0.0).delay_millis(10**9) == 5_000


@given(POLICIES, st.integers(1, 5_000), SPREADS)
def test_a_delay_is_never_negative_nor_above_the_limit(policy: RetryPolicy, attempt: int, spread: float) -> None:
    assert 0 <= policy.delay_millis(attempt, spread) <= policy.max_delay_millis


@given(POLICIES, st.integers(1, 200))
def test_without_jitter_a_delay_never_shrinks(policy: RetryPolicy, attempt: int) -> None:
    assert policy.delay_millis(attempt) <= policy.delay_millis(attempt + 1)


@pytest.mark.parametrize(
    "wrong",
    [
        Fields(max_attempts=0),
        Fields(initial_delay_millis=-1),
        Fields(max_delay_millis=-1),
        Fields(backoff_multiplier=0.9),
        Fields(backoff_multiplier=float("nan")),
        Fields(jitter=-0.1),
        Fields(jitter=1.1),
    ],
    ids=str,
)
def test_a_field_out_of_range_is_refused(wrong: Fields) -> None:
    with pytest.raises(ValueError, match="must be"):
        RetryPolicy(**wrong)
