"""Admission: at most `limit` sagas of one initiator in flight. Whoever starts one more waits, or is turned away."""

import threading
from typing import final

from saga_choreography.errors import SagaBackpressure


@final
class Admission:
    """A counter with a limit (None: no limit). Thread-safe."""

    def __init__(self, initiator: str, limit: int | None) -> None:
        if limit is not None and limit < 1:
            raise ValueError(f"max_in_flight is {limit}, it must be at least 1 or None")
        self._initiator = initiator
        self._limit = limit
        self._in_flight = 0
        self._released = threading.Condition()

    @property
    def in_flight(self) -> int:
        return self._in_flight

    def enter(self, timeout: float) -> None:
        """Take a place, waiting at most `timeout` seconds.

        Raises:
            SagaBackpressure: no place came free.
        """
        with self._released:
            if self._limit is not None and not self._released.wait_for(self._has_room, timeout):
                raise SagaBackpressure(self._initiator, self._limit, int(timeout * 1000))
            self._in_flight += 1

    def recovered(self, count: int) -> None:
        """Places of sagas that were live when the program started; they may exceed the limit."""
        with self._released:
            self._in_flight += count

    def leave(self) -> None:
        """Give a place back."""
        with self._released:
            self._in_flight -= 1
            self._released.notify()

    def _has_room(self) -> bool:
        return self._limit is None or self._in_flight < self._limit
