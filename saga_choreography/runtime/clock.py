"""The real clock."""

import time
from collections.abc import Callable
from typing import final


@final
class SystemClock:
    """Wall time for deadlines that outlive the process, monotonic time for waiting."""

    def now_millis(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic_seconds(self) -> float:
        return time.monotonic()

    def on_moved(self, tell: Callable[[], None]) -> None:
        """Nobody moves the real time."""
