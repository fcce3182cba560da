"""Blocking calls on the rate limiter, for threads that are not its own. Timeouts are in milliseconds."""

from collections.abc import Mapping
from typing import Protocol, final

from deribit_example.actors.deribit_ws.records import AccountLimits
from deribit_example.actors.rate_limiter.business import Pool, specs_from_account
from deribit_example.actors.rate_limiter.messaging import (
    Acquire,
    Decision,
    PoolState,
    RateLimiterCommand,
    Refund,
    Snapshot,
    UpdateLimits,
)


class CommandTarget(Protocol):
    """What the client talks to: a pykka ActorRef of any actor that understands RateLimiterCommand."""

    def tell(self, message: RateLimiterCommand) -> None:
        """Deliver a command."""
        ...


@final
class RateLimiterClient:
    """Each method raises pykka.ActorDeadError if the actor is stopped, and TimeoutError if it does not answer."""

    def __init__(self, target: CommandTarget, timeout_millis: int = 5_000) -> None:
        self._target = target
        self._timeout = timeout_millis / 1_000

    def acquire(self, pool: Pool, cost_in_requests: int = 1) -> Decision:
        """Take credit, or learn how long to wait.

        Raises:
            ValueError: the pool can never hold that much.
        """
        command = Acquire(pool=pool, cost_in_requests=cost_in_requests)
        self._target.tell(command)
        try:
            return command.reply.result(timeout=self._timeout)
        except TimeoutError:
            # A cancelled reply gives the credit back, should the actor come to it later.
            if not command.reply.cancel():
                return command.reply.result(timeout=0)
            raise

    def refund(self, pool: Pool, cost_in_requests: int = 1) -> None:
        """Give back the credit of requests that were never sent."""
        self._target.tell(Refund(pool=pool, cost_in_requests=cost_in_requests))

    def update_limits(self, limits: AccountLimits) -> None:
        """Adopt the account's own limits."""
        self._target.tell(UpdateLimits(specs=specs_from_account(limits)))

    def snapshot(self) -> Mapping[Pool, PoolState]:
        """What is in the pools."""
        command = Snapshot()
        self._target.tell(command)
        return command.reply.result(timeout=self._timeout)
