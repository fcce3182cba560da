"""Virtual time: a real clock that only goes on, a wall clock that jumps, and what is due when."""

import heapq
from typing import Final, final

from tests.simulation.ports import Action

START_MILLIS: Final = 1_700_000_000_000


@final
class VirtualClock:
    """All times in milliseconds. Timers run on real time, of which the wall clock is a jumping copy."""

    def __init__(self) -> None:
        self.real = 0
        self.skew = 0
        self._due: list[tuple[int, int, Action]] = []
        self._count = 0

    def now_millis(self) -> int:
        """The wall clock, as Unix time."""
        return START_MILLIS + self.real + self.skew

    def later(self, millis: int, action: Action) -> None:
        """Run an action after a while."""
        self._count += 1
        heapq.heappush(self._due, (self.real + millis, self._count, action))

    def run_due(self) -> None:
        """Run what is due by now."""
        while self._due and self._due[0][0] <= self.real:
            heapq.heappop(self._due)[2]()

    def wait(self) -> int | None:
        """How long until something is due; None when nothing is."""
        return self._due[0][0] - self.real if self._due else None
