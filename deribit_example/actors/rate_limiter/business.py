"""Token buckets, pure: how much credit there is now, and how long until there is enough. Time is an argument in
milliseconds.

Credit is counted in thousandths, so that a refill of any whole rate is exact in integers: a rate of r credits a
second is r thousandths a millisecond.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final

from attrs import evolve, field, frozen, validators

from deribit_example.actors.deribit_ws.records import AccountLimits, RateLimit

_SCALE: Final = 1_000


class Pool(Enum):
    """The pools of the exchange; each is spent by its own kind of request."""

    NON_MATCHING = "non_matching"
    MATCHING = "matching"
    """buy, sell, edit, cancel, close_position."""
    CANCEL_ALL = "cancel_all"
    SUBSCRIBE = "subscribe"
    GET_INSTRUMENTS = "get_instruments"


@frozen(kw_only=True)
class PoolSpec:
    """A pool: credits it can hold, credits it regains a second, credits a request costs.

    Raises:
        ValueError: a number that is not positive, or a request that costs more than the pool can hold.
    """

    capacity: int = field(validator=validators.gt(0))
    refill_per_second: int = field(validator=validators.gt(0))
    cost: int = field(validator=validators.gt(0))

    def __attrs_post_init__(self) -> None:
        if self.cost > self.capacity:
            raise ValueError(f"a request costs {self.cost} but the pool holds only {self.capacity}")


DOCUMENTED_SPECS: Final[Mapping[Pool, PoolSpec]] = {
    Pool.NON_MATCHING: PoolSpec(capacity=50_000, refill_per_second=10_000, cost=500),
    # The smallest tier: 5 requests a second, 20 at once.
    Pool.MATCHING: PoolSpec(capacity=20, refill_per_second=5, cost=1),
    # No numbers are published for it, so it starts as the smallest matching tier until the account's own limits are
    # known.
    Pool.CANCEL_ALL: PoolSpec(capacity=20, refill_per_second=5, cost=1),
    Pool.SUBSCRIBE: PoolSpec(capacity=30_000, refill_per_second=10_000, cost=3_000),
    Pool.GET_INSTRUMENTS: PoolSpec(capacity=500_000, refill_per_second=10_000, cost=10_000),
}


@frozen(kw_only=True)
class Bucket:
    """Credit of a pool in thousandths, as of `at_millis`."""

    spec: PoolSpec
    thousandths: int
    at_millis: int

    @staticmethod
    def full(spec: PoolSpec, now_millis: int) -> "Bucket":
        """A bucket that nobody has drawn from."""
        return Bucket(spec=spec, thousandths=spec.capacity * _SCALE, at_millis=now_millis)

    @property
    def credits(self) -> int:
        """Whole credits."""
        return self.thousandths // _SCALE


def refilled(bucket: Bucket, now_millis: int) -> Bucket:
    """The bucket at `now_millis`. A clock that went back mints nothing, and neither does its way forward again."""
    elapsed = now_millis - bucket.at_millis
    if elapsed <= 0:
        return bucket
    gained = bucket.thousandths + elapsed * bucket.spec.refill_per_second
    return evolve(bucket, thousandths=min(gained, bucket.spec.capacity * _SCALE), at_millis=now_millis)


def draw(bucket: Bucket, requests: int, now_millis: int) -> tuple[Bucket, int]:
    """Take credit for `requests` requests: the new bucket and 0, or the bucket and the milliseconds until there is
    enough.

    Raises:
        ValueError: `requests` is not positive, or more than the pool can ever hold.
    """
    price = _price(bucket.spec, requests)
    current = refilled(bucket, now_millis)
    missing = price - current.thousandths
    if missing <= 0:
        return evolve(current, thousandths=current.thousandths - price), 0
    wait = -(-missing // bucket.spec.refill_per_second)
    # After a step back the bucket gains nothing until its own time has come again.
    return current, wait + max(0, current.at_millis - now_millis)


def refund(bucket: Bucket, requests: int, now_millis: int) -> Bucket:
    """Give back credit of requests that were never sent; the bucket never holds more than its capacity."""
    current = refilled(bucket, now_millis)
    limit = bucket.spec.capacity * _SCALE
    return evolve(current, thousandths=min(current.thousandths + _price(bucket.spec, requests), limit))


def resized(bucket: Bucket, spec: PoolSpec, now_millis: int) -> Bucket:
    """The bucket under new limits; requests that were possible before stay possible, up to the new capacity."""
    current = refilled(bucket, now_millis)
    kept = current.thousandths * spec.cost // current.spec.cost
    return Bucket(spec=spec, thousandths=min(kept, spec.capacity * _SCALE), at_millis=current.at_millis)


def specs_from_account(limits: AccountLimits) -> dict[Pool, PoolSpec]:
    """Pools as the account's own limits describe them (in requests); a pool that is not named keeps what it has."""
    named = {
        Pool.NON_MATCHING: limits.non_matching_engine,
        Pool.MATCHING: limits.matching_engine,
        Pool.CANCEL_ALL: limits.cancel_all,
    }
    return {pool: _per_request(limit) for pool, limit in named.items() if limit is not None and _usable(limit)}


def _usable(limit: RateLimit) -> bool:
    return limit.rate > 0 and limit.burst > 0


def _per_request(limit: RateLimit) -> PoolSpec:
    return PoolSpec(capacity=limit.burst, refill_per_second=limit.rate, cost=1)


def _price(spec: PoolSpec, requests: int) -> int:
    if requests <= 0:
        raise ValueError(f"the number of requests must be positive, not {requests}")
    price = spec.cost * requests
    if price > spec.capacity:
        raise ValueError(f"{requests} requests cost {price} credits, the pool holds {spec.capacity}: split them")
    return price * _SCALE
