"""The actor grants, denies, refunds and adopts limits; nothing kills it."""

import queue
from collections.abc import Iterator

import pykka
import pytest

from deribit_example.actors.deribit_ws import AccountLimits, RateLimit
from deribit_example.actors.rate_limiter import Acquire, Denied, Granted, Pool, RateLimiter, RateLimiterClient


@pytest.fixture
def clock() -> list[int]:
    return [0]


@pytest.fixture
def actor(clock: list[int]) -> "Iterator[pykka.ActorRef[RateLimiter]]":
    ref = RateLimiter.start(now_millis=lambda: clock[0])
    yield ref
    ref.stop(timeout=10)


@pytest.fixture
def client(actor: "pykka.ActorRef[RateLimiter]") -> RateLimiterClient:
    return RateLimiterClient(actor)


def test_a_burst_is_granted_then_denied_until_time_has_passed(client: RateLimiterClient, clock: list[int]) -> None:
    assert all(client.acquire(Pool.MATCHING) == Granted() for _ in range(20))
    assert client.acquire(Pool.MATCHING) == Denied(retry_after_millis=200)
    clock[0] = 200
    assert client.acquire(Pool.MATCHING) == Granted()


def test_pools_do_not_share_credit(client: RateLimiterClient) -> None:
    client.acquire(Pool.MATCHING, 20)
    assert client.acquire(Pool.NON_MATCHING) == Granted()
    assert client.snapshot()[Pool.NON_MATCHING].requests == 99


def test_credit_of_what_was_not_sent_is_given_back(client: RateLimiterClient) -> None:
    client.acquire(Pool.MATCHING, 20)
    client.refund(Pool.MATCHING, 5)
    assert client.snapshot()[Pool.MATCHING].requests == 5


def test_limits_of_the_account_are_adopted(client: RateLimiterClient) -> None:
    client.update_limits(
        AccountLimits(non_matching_engine=None, matching_engine=RateLimit(rate=10, burst=30), cancel_all=None)
    )
    client.refund(Pool.MATCHING, 10)
    assert client.acquire(Pool.MATCHING, 30) == Granted()


def test_an_impossible_request_is_refused_and_the_actor_lives_on(client: RateLimiterClient) -> None:
    with pytest.raises(ValueError, match="split"):
        client.acquire(Pool.MATCHING, 21)
    client.refund(Pool.MATCHING, 0)
    assert client.acquire(Pool.MATCHING) == Granted()


def test_a_caller_that_gave_up_costs_nothing(actor: "pykka.ActorRef[RateLimiter]", client: RateLimiterClient) -> None:
    command = Acquire(pool=Pool.MATCHING)
    command.reply.cancel()
    actor.tell(command)
    assert client.snapshot()[Pool.MATCHING].requests == 20


def test_the_inbox_is_the_fast_one(actor: "pykka.ActorRef[RateLimiter]") -> None:
    assert isinstance(actor.actor_inbox, queue.SimpleQueue)
