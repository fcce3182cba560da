"""Token buckets: what can be spent is what was there plus what time has given, never more."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deribit_example.actors.deribit_ws import AccountLimits, RateLimit
from deribit_example.actors.rate_limiter.business import (
    DOCUMENTED_SPECS,
    Bucket,
    Pool,
    PoolSpec,
    draw,
    refilled,
    refund,
    resized,
    specs_from_account,
)

SPEC = PoolSpec(capacity=1_000, refill_per_second=100, cost=10)
times = st.lists(st.integers(-10_000, 10_000), max_size=30)


def test_the_documented_pools_allow_the_documented_bursts() -> None:
    bursts = {pool: spec.capacity // spec.cost for pool, spec in DOCUMENTED_SPECS.items()}
    assert bursts[Pool.NON_MATCHING] == 100
    assert bursts[Pool.MATCHING] == 20
    assert bursts[Pool.SUBSCRIBE] == 10
    assert bursts[Pool.GET_INSTRUMENTS] == 50


@given(times)
def test_a_clock_that_wanders_never_mints_more_than_its_furthest_advance(readings: list[int]) -> None:
    bucket = Bucket.full(SPEC, 0)
    bucket, _ = draw(bucket, 100, 0)
    for now_millis in readings:
        bucket = refilled(bucket, now_millis)
    furthest = max([0, *readings])
    assert bucket.thousandths == min(furthest * 100, 1_000_000)


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(1, 50)), max_size=50))
def test_grants_never_exceed_the_burst_plus_the_refill(steps: list[tuple[int, int]]) -> None:
    bucket, now_millis, granted = Bucket.full(SPEC, 0), 0, 0
    for pause, requests in steps:
        now_millis += pause
        bucket, wait = draw(bucket, requests, now_millis)
        granted += requests if wait == 0 else 0
    assert granted * SPEC.cost * 1_000 <= 1_000_000 + now_millis * 100


@given(st.integers(1, 100), st.integers(1, 100), st.integers(-5_000, 5_000))
def test_after_the_announced_wait_the_same_request_is_granted_and_not_one_millisecond_earlier(
    first: int, second: int, now_millis: int
) -> None:
    bucket, _ = draw(Bucket.full(SPEC, 0), first, 0)
    denied, wait = draw(bucket, second, now_millis)
    if wait:
        assert draw(denied, second, now_millis + wait)[1] == 0
        assert draw(denied, second, now_millis + wait - 1)[1] > 0


@given(st.integers(1, 100), st.integers(1, 100))
def test_a_refund_gives_back_no_more_than_the_pool_can_hold(drawn: int, returned: int) -> None:
    bucket, _ = draw(Bucket.full(SPEC, 0), drawn, 0)
    assert refund(bucket, returned, 0).credits == min(1_000, 1_000 - drawn * 10 + returned * 10)


def test_more_than_the_pool_can_ever_hold_is_an_error_not_an_endless_wait() -> None:
    with pytest.raises(ValueError, match="split"):
        draw(Bucket.full(SPEC, 0), 101, 0)
    with pytest.raises(ValueError, match="positive"):
        draw(Bucket.full(SPEC, 0), 0, 0)


def test_new_limits_keep_the_requests_that_were_left() -> None:
    bucket, _ = draw(Bucket.full(SPEC, 0), 60, 0)
    assert resized(bucket, PoolSpec(capacity=30, refill_per_second=5, cost=1), 0).credits == 30
    assert resized(bucket, PoolSpec(capacity=500, refill_per_second=5, cost=5), 0).credits == 200


def test_only_limits_that_the_account_names_are_adopted() -> None:
    limits = AccountLimits(
        non_matching_engine=None, matching_engine=RateLimit(rate=30, burst=100), cancel_all=RateLimit(rate=0, burst=0)
    )
    assert specs_from_account(limits) == {Pool.MATCHING: PoolSpec(capacity=100, refill_per_second=30, cost=1)}
