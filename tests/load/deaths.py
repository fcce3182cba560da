"""Deaths of actors at random moments: a fault-point hook that ends an actor as if its store had failed."""

import random
import threading
import time
from collections import Counter
from typing import Final, final

from saga_choreography import PeerId, SagaId, SagaSystem, StoreError
from saga_choreography.events import SagaOutcome
from saga_choreography.helpers.fault_points import FaultPoint

DEATHS_EACH: Final = 5
"""Deaths of one actor: all in a row they are fewer than the supervisor bears."""
PATIENCE_SECONDS: Final = 60.0


class Struck(StoreError):
    """The store of an actor fails, says the test."""


@final
class RandomDeaths:
    """Kills every actor (or `only` one) `each` times, at random fault points (or `at` one), once it is armed."""

    def __init__(
        self,
        seed: int,
        *,
        one_in: int,
        only: PeerId | None = None,
        at: FaultPoint | None = None,
        each: int = DEATHS_EACH,
    ) -> None:
        self._chance = random.Random(seed)
        self._each = each
        self._one_in = one_in
        self._only = only
        self._at = at
        self._changed = threading.Condition()
        self._armed = False
        self.deaths: Counter[PeerId] = Counter()

    def __call__(self, point: FaultPoint, peer_id: PeerId) -> None:
        with self._changed:
            if not self._armed or self._only not in (None, peer_id) or self._at not in (None, point):
                return
            if self.deaths[peer_id] >= self._each or self._chance.randrange(self._one_in):
                return
            self.deaths[peer_id] += 1
            self._changed.notify_all()
        raise Struck(peer_id, f"struck down at {point.value}", "recover from the journal")

    def arm(self) -> None:
        with self._changed:
            self._armed = True

    def wait_for(self, count: int) -> None:
        """Return when so many deaths were died."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.deaths.total() >= count, PATIENCE_SECONDS), self.deaths


def outcome_in_the_end(system: SagaSystem, saga_id: SagaId) -> SagaOutcome:
    """The outcome of a saga whose initiator may die: the journal is read again while nobody tells."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return system.handle(saga_id).wait_until_ended(0.5)
        except TimeoutError:
            assert time.monotonic() < deadline, f"saga {saga_id} does not end"
