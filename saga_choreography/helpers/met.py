"""Which sagas a participant cannot have met before, so that it need not look for them in its store."""

from typing import Final, final

from saga_choreography.types import next_birth

MOST: Final = 4096
"""Births of ended sagas kept at hand. Beyond, the older half is forgotten, and older sagas are looked up again."""


@final
class Met:
    """Made once the store is open: it holds nothing of what is born later, but what came through its own engine."""

    def __init__(self) -> None:
        self._since = next_birth()
        self._ended: set[int] = set()

    def is_new(self, birth: int) -> bool:
        """Whether a saga that is not in memory is surely new; False: look into the store."""
        return birth > self._since and birth not in self._ended

    def forget(self, birth: int) -> None:
        """A saga has ended and leaves the memory; its mark stays in the store."""
        if birth == 0:
            # Its initiator may have told of it before as of a newborn, and restarted: that event may still come.
            self._since = next_birth()
            self._ended.clear()
            return
        if birth <= self._since:
            return
        self._ended.add(birth)
        if len(self._ended) > MOST:
            self._since = sorted(self._ended)[MOST // 2]
            self._ended = {known for known in self._ended if known > self._since}
