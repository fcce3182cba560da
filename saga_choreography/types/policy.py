"""How often and how fast something is tried again, and what happens when its outcome is unknown."""

from enum import Enum
from typing import Final

from attrs import field, frozen, validators

LONGEST_MILLIS: Final = 10 * 365 * 24 * 60 * 60 * 1000
"""Ten years: the longest time any policy or timeout may name."""


class InDoubt(Enum):
    """What to do with a step that was started, whose outcome is unknown and that cannot be probed."""

    RETRY = "retry"
    """Run it again under the same idempotency key (bounded)."""
    QUARANTINE = "quarantine"
    """Park it for an operator."""


@frozen(kw_only=True)
class RetryPolicy:
    """Exponential backoff. Delays are in milliseconds; `max_attempts` counts the first run too.

    Raises:
        ValueError: a field is out of range.
    """

    max_attempts: int = field(default=3, validator=validators.ge(1))
    initial_delay_millis: int = field(default=100, validator=[validators.ge(0), validators.le(LONGEST_MILLIS)])
    max_delay_millis: int = field(default=10_000, validator=[validators.ge(0), validators.le(LONGEST_MILLIS)])
    backoff_multiplier: float = field(default=2.0, validator=[validators.ge(1.0), validators.le(1000.0)])
    jitter: float = field(default=0.1, validator=[validators.ge(0.0), validators.le(1.0)])
    """Share of the delay by which it may be shortened, so that many sagas do not retry in step (M. Brooker,
    "Exponential Backoff And Jitter", AWS, 2015)."""

    def delay_millis(self, attempt: int, spread: float = 0.0) -> int:
        """Milliseconds to wait after failed attempt number `attempt` (from 1); `spread` in [0, 1) picks the jitter."""
        exponent = min(attempt - 1, 64)
        full = min(self.initial_delay_millis * self.backoff_multiplier**exponent, float(self.max_delay_millis))
        return int(full * (1.0 - self.jitter * spread))
