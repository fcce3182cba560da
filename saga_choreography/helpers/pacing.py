"""How many calls of business code one turn may hold.

A turn's attempts are committed together before they run, so a crash puts all of them in doubt. Fast steps may share a
commit by the hundred; of slow steps only as many are started as fit into the budget, in the extreme one.
"""

from typing import Final, final

from saga_choreography.helpers.ports import Clock

BUDGET_SECONDS: Final = 0.005
"""About what a turn of fast steps may take before its results are committed."""
MOST: Final = 256
_WEIGHT: Final = 0.3


@final
class Pacing:
    """Learns how long calls take, as an exponential moving average."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._average_seconds = BUDGET_SECONDS  # unknown code is taken for slow: the first turn runs one call
        self._uncommitted_seconds = 0.0

    def room(self) -> int:
        """Calls the next turn may hold."""
        self._uncommitted_seconds = 0.0
        return max(1, min(MOST, int(BUDGET_SECONDS / max(self._average_seconds, 1e-6))))

    def start(self) -> float:
        return self._clock.monotonic_seconds()

    def finished(self, started: float) -> bool:
        """Note a call; True when the results so far should be committed now."""
        seconds = self._clock.monotonic_seconds() - started
        self._average_seconds += _WEIGHT * (seconds - self._average_seconds)
        self._uncommitted_seconds += seconds
        if self._uncommitted_seconds < BUDGET_SECONDS:
            return False
        self._uncommitted_seconds = 0.0
        return True
