"""Time of the exchange: injected, so that half an hour can pass in a test within a microsecond."""

import threading
import time
from typing import Protocol, final


class Clock(Protocol):
    """Wall clock of the exchange."""

    def now_micros(self) -> int:
        """Microseconds since the epoch."""
        ...


@final
class SystemClock:
    """The clock of this machine."""

    def now_micros(self) -> int:
        """Microseconds since the epoch."""
        return time.time_ns() // 1_000


@final
class ManualClock:
    """A clock that stands still until it is moved; safe to share between threads."""

    def __init__(self, start_millis: int = 1_790_000_000_000) -> None:
        self._micros = start_millis * 1_000
        self._lock = threading.Lock()

    def now_micros(self) -> int:
        """Microseconds since the epoch."""
        with self._lock:
            return self._micros

    def advance_millis(self, millis: int) -> None:
        """Move the clock; a negative number moves it back."""
        with self._lock:
            self._micros += millis * 1_000
