"""The actor that keeps the credit pools of one account. It answers at once: whoever is denied decides how to wait."""

import logging
import queue
import time
from collections.abc import Callable, Mapping
from concurrent.futures import InvalidStateError
from typing import ClassVar, assert_never, final

import pykka
from pykka._envelope import Envelope

from deribit_example.actors.rate_limiter import business
from deribit_example.actors.rate_limiter.business import DOCUMENTED_SPECS, Bucket, Pool, PoolSpec
from deribit_example.actors.rate_limiter.messaging import (
    Acquire,
    Decision,
    Denied,
    Granted,
    PoolState,
    RateLimiterCommand,
    Refund,
    Snapshot,
    UpdateLimits,
)

logger = logging.getLogger(__name__)


def monotonic_millis() -> int:
    """A clock that does not follow the wall clock, in milliseconds."""
    return time.monotonic_ns() // 1_000_000


@final
class RateLimiter(pykka.ThreadingActor):
    """Grants or denies; `now_millis` is read once per command."""

    use_daemon_thread: ClassVar[bool] = True

    @staticmethod
    def _create_actor_inbox() -> queue.SimpleQueue[Envelope[object]]:
        return queue.SimpleQueue()

    def __init__(
        self, specs: Mapping[Pool, PoolSpec] = DOCUMENTED_SPECS, now_millis: Callable[[], int] = monotonic_millis
    ) -> None:
        super().__init__()
        self._now_millis = now_millis
        complete = {**DOCUMENTED_SPECS, **specs}
        self._buckets = {pool: Bucket.full(spec, now_millis()) for pool, spec in complete.items()}

    def on_receive(self, message: RateLimiterCommand) -> None:
        """Handle one command; nothing escapes, because an exception would kill the actor."""
        try:
            self._handle(message)
        except Exception as error:
            if isinstance(message, Acquire | Snapshot):
                self._fail(message, error)
            else:
                logger.exception("handling %s failed", type(message).__name__)

    def _handle(self, message: RateLimiterCommand) -> None:
        now_millis = self._now_millis()
        match message:
            case Acquire(pool=pool, cost_in_requests=requests):
                self._buckets[pool], wait = business.draw(self._buckets[pool], requests, now_millis)
                decision: Decision = Denied(retry_after_millis=wait) if wait else Granted()
                try:
                    message.reply.set_result(decision)
                except InvalidStateError:
                    # The caller gave up before it was told: it will not send, so the credit is not used.
                    if wait == 0:
                        self._buckets[pool] = business.refund(self._buckets[pool], requests, now_millis)
            case Refund(pool=pool, cost_in_requests=requests):
                self._buckets[pool] = business.refund(self._buckets[pool], requests, now_millis)
            case UpdateLimits(specs=specs):
                for pool, spec in specs.items():
                    self._buckets[pool] = business.resized(self._buckets[pool], spec, now_millis)
            case Snapshot():
                message.reply.set_result(
                    {pool: self._state(bucket, now_millis) for pool, bucket in self._buckets.items()}
                )
            case _:
                assert_never(message)

    @staticmethod
    def _state(bucket: Bucket, now_millis: int) -> PoolState:
        current = business.refilled(bucket, now_millis)
        return PoolState(credits=current.credits, requests=current.credits // current.spec.cost, spec=current.spec)

    @staticmethod
    def _fail(command: Acquire | Snapshot, error: Exception) -> None:
        try:
            command.reply.set_exception(error)
        except InvalidStateError:
            logger.debug("%s was given up before it was answered", type(command).__name__)
