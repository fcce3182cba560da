"""Request credits: whoever sends an order or a cancel asks first, for the exchange ends sessions that overdraw."""

import pykka

from deribit_example.actors.rate_limiter import Denied, Pool, RateLimiterClient


def shortage(limiter: RateLimiterClient) -> str | None:
    """Take the credit of one order or cancel; returns why there is none."""
    try:
        decision = limiter.acquire(Pool.MATCHING)
    except (TimeoutError, pykka.ActorDeadError) as error:
        return f"the rate limiter does not answer ({type(error).__name__})"
    if isinstance(decision, Denied):
        return f"out of request credits for {decision.retry_after_millis} ms"
    return None


def give_back(limiter: RateLimiterClient) -> None:
    """The request was never sent."""
    try:
        limiter.refund(Pool.MATCHING)
    except pykka.ActorDeadError:
        return  # the program is being stopped, and its credits with it
