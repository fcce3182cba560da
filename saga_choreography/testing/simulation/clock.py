"""Virtual time: a real time that only goes on, a wall clock that jumps, and what is due when."""

import heapq
from collections.abc import Callable
from typing import Final, final

START_MILLIS: Final = 1_700_000_000_000
FAR_MILLIS: Final = 1_000_000_000
"""So far away that a saga which goes on never waits for it."""


@final
class VirtualClock:
    """All times in milliseconds. Timers run on real time, of which the wall clock is a jumping copy."""

    def __init__(self) -> None:
        self.real = 0
        self.skew = 0
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0

    def now_millis(self) -> int:
        """The wall clock, as Unix time."""
        return START_MILLIS + self.real + self.skew

    def monotonic_seconds(self) -> float:
        """The time that never goes back."""
        return self.real / 1000

    def on_moved(self, tell: Callable[[], None]) -> None:
        """Nobody sleeps here, so nobody needs to be woken."""

    def later(self, millis: int, action: Callable[[], None]) -> None:
        """Run an action after a while."""
        self._count += 1
        heapq.heappush(self._due, (self.real + millis, self._count, action))

    def run_due(self) -> None:
        """Run what is due by now."""
        due = self._due
        while due and due[0][0] <= self.real:
            heapq.heappop(due)[2]()

    def wait(self) -> int | None:
        """How long until something is due; None when nothing is."""
        return self._due[0][0] - self.real if self._due else None
