"""Pruning: what ended before the retention time becomes a tombstone, and a tombstone of twice that age is forgotten."""

from typing import Final

from typing_extensions import TypeVar

from saga_choreography.helpers.ports import Surroundings
from saga_choreography.helpers.signals import PruneDue
from saga_choreography.storage import Journal

R = TypeVar("R")

PRUNE_BATCH: Final = 256
"""Sagas pruned in one go; live sagas get their turn between two batches."""


def prune(journal: Journal[R], due: PruneDue, surroundings: Surroundings) -> None:
    """Prune one batch; ask for another turn while there is more."""
    now_millis = surroundings.clock.now_millis()
    before = now_millis - due.retention_millis
    pruned = journal.prune(before, PRUNE_BATCH)
    forgotten = journal.prune_tombstones(before - due.retention_millis, PRUNE_BATCH)
    if PRUNE_BATCH in (pruned, forgotten):
        surroundings.arm(now_millis, due)
