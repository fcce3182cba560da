"""Admission: at most `limit` sagas of one initiator in flight. Whoever starts one more waits, or is turned away."""

import threading
from collections.abc import Iterable
from typing import final

from saga_choreography.errors import SagaBackpressure
from saga_choreography.types import SagaId


@final
class Admission:
    """Places by saga id (limit None: no limit), so that taking or giving back twice changes nothing. Thread-safe."""

    def __init__(self, initiator: str, limit: int | None) -> None:
        if limit is not None and limit < 1:
            raise ValueError(f"max_in_flight is {limit}, it must be at least 1 or None")
        self._initiator = initiator
        self._limit = limit
        self._in_flight: set[SagaId] = set()
        self._released = threading.Condition()

    @property
    def in_flight(self) -> int:
        return len(self._in_flight)

    def taken(self) -> set[SagaId]:
        """Sagas that have a place."""
        with self._released:
            return set(self._in_flight)

    def enter(self, saga_id: SagaId, timeout: float) -> None:
        """Take a place, waiting at most `timeout` seconds. A saga that has one keeps it.

        Raises:
            SagaBackpressure: no place came free.
        """
        with self._released:
            if saga_id in self._in_flight or self._limit is None:
                self._in_flight.add(saga_id)
                return
            limit = self._limit
            if not self._released.wait_for(lambda: len(self._in_flight) < limit, timeout):
                raise SagaBackpressure(self._initiator, limit, int(timeout * 1000))
            self._in_flight.add(saga_id)

    def recovered(self, saga_ids: Iterable[SagaId]) -> None:
        """Places of sagas that are live already; they may exceed the limit."""
        with self._released:
            self._in_flight.update(saga_ids)

    def leave(self, saga_id: SagaId) -> None:
        """Give a place back."""
        with self._released:
            self._in_flight.discard(saga_id)
            self._released.notify()
