"""The dedupe store: which (saga, key) was already acted on.

A mark outlives the journal records of its saga, so a late duplicate of a trigger never runs a step twice.
"""

from typing import Protocol

from saga_choreography.types import SagaId


class ParticipantDedupeStore(Protocol):
    """Marks of one participant. Writes join the open transaction of the journal beside it."""

    def check_and_mark(self, saga_id: SagaId, key: str, at_millis: int) -> bool:
        """True when (saga_id, key) was not marked yet; it is now, once the transaction commits."""
        ...

    def seen(self, saga_id: SagaId, key: str) -> bool:
        """True when (saga_id, key) is marked. Any thread may call it."""
        ...

    def prune(self, saga_id: SagaId) -> None:
        """Forget all marks of one saga."""
        ...
