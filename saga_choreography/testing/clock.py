"""`ManualClock`: time that passes only when a test says so. Give it to `SagaSystem(clock=...)`."""

import math
import threading
from collections.abc import Callable
from typing import Final, final

START_MILLIS: Final = 1_700_000_000_000
"""Some moment in November 2023."""


@final
class ManualClock:
    """A wall clock and a monotonic clock. Retries, pending timeouts and deadlines follow them. Any thread."""

    def __init__(self, now_millis: int = START_MILLIS) -> None:
        self._guard = threading.Lock()
        self._wall_millis = float(now_millis)
        self._passed_seconds = 0.0
        self._listeners: list[Callable[[], None]] = []

    def now_millis(self) -> int:
        """The wall clock: Unix time in milliseconds."""
        return int(self._wall_millis)

    def monotonic_seconds(self) -> float:
        """Seconds passed since the clock was made; never goes back."""
        return self._passed_seconds

    def advance(self, millis: float) -> None:
        """Let time pass; whatever becomes due happens.

        Raises:
            ValueError: time does not pass backwards; `jump` sets the wall clock back.
        """
        if millis < 0:
            raise ValueError(f"time cannot pass by {millis} ms; jump({millis}) moves the wall clock alone")
        with self._guard:
            self._wall_millis += millis
            self._passed_seconds += millis / 1000
            # Sums of floats round: without this hair, time advanced by exactly a delay could fall short of it.
            self._passed_seconds += 4 * math.ulp(self._passed_seconds)
        self._tell()

    def jump(self, millis: int) -> None:
        """Set the wall clock forward or back, as an operator or a time server would. No time passes."""
        with self._guard:
            self._wall_millis += millis
        self._tell()

    def on_moved(self, tell: Callable[[], None]) -> None:
        """Call `tell` after every move, on the thread that moved it."""
        with self._guard:
            self._listeners.append(tell)

    def _tell(self) -> None:
        with self._guard:
            listeners = tuple(self._listeners)
        for tell in listeners:
            tell()
