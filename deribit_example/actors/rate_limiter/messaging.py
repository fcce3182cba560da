"""The messages of the rate limiter. Commands carry their own reply, so that nobody has to block on the actor."""

from collections.abc import Mapping
from concurrent.futures import Future
from typing import TypeAlias

from attrs import field, frozen

from deribit_example.actors.rate_limiter.business import Pool, PoolSpec


@frozen(kw_only=True)
class Granted:
    """The credit is taken: send now."""


@frozen(kw_only=True)
class Denied:
    """Nothing was taken; there is enough credit in `retry_after_millis` if nobody else takes it."""

    retry_after_millis: int


Decision: TypeAlias = Granted | Denied


@frozen(kw_only=True)
class PoolState:
    """Credits of a pool now, and how many requests they pay for."""

    credits: int
    requests: int
    spec: PoolSpec


@frozen(kw_only=True, eq=False)
class Acquire:
    """Take the credit of `cost_in_requests` requests; more than the pool can ever hold is answered with ValueError."""

    pool: Pool
    cost_in_requests: int = 1
    reply: "Future[Decision]" = field(factory=Future, repr=False)


@frozen(kw_only=True, eq=False)
class Refund:
    """Give back the credit of requests that were never sent."""

    pool: Pool
    cost_in_requests: int = 1


@frozen(kw_only=True, eq=False)
class UpdateLimits:
    """Limits of the account; pools that are not named keep theirs."""

    specs: Mapping[Pool, PoolSpec]


@frozen(kw_only=True, eq=False)
class Snapshot:
    """What is in the pools?"""

    reply: "Future[Mapping[Pool, PoolState]]" = field(factory=Future, repr=False)


RateLimiterCommand: TypeAlias = Acquire | Refund | UpdateLimits | Snapshot
