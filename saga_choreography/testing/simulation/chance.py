"""The dice of one schedule.

Three streams, so that taking one fault away leaves the shape of the schedule and most of its order as they were. Each
fault that strikes has a number; a run may be repeated `without` some of them, which is how a trace is made minimal.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from random import Random
from typing import final

from typing_extensions import TypeVar

T = TypeVar("T")


@final
class Chance:
    """Everything random of one schedule. The same seed (and `without`) gives the same schedule."""

    def __init__(self, seed: int, without: Collection[int] = ()) -> None:
        self.shape: Random = Random(seed * 4)
        """What the schedule is about: workflows, weather."""
        self.order: Random = Random(seed * 4 + 1)
        """Who moves next, and how long things take."""
        self._roll = self.order.random
        self._strike = Random(seed * 4 + 2).random
        self._without = frozenset(without)
        self.faults: Counter[str] = Counter()
        self.strikes_so_far: int = 0
        self.is_over = False
        """Faults have stopped: what was begun comes to its end."""

    def strikes(self, kind: str, probability: float) -> bool:
        """Whether a fault of this kind happens now."""
        if probability <= 0 or self.is_over or self._strike() >= probability:
            return False
        self.strikes_so_far += 1
        if self.strikes_so_far in self._without:
            return False
        self.faults[kind] += 1
        return True

    def anything(self, probability: float) -> bool:
        """Whether one of several rare things may happen now; which of them, `strikes` decides."""
        return not self.is_over and self._roll() < probability

    def pick(self, options: Sequence[T]) -> T:
        """One of some, in the order stream."""
        return options[int(self._roll() * len(options))]
