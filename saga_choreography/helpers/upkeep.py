"""Pruning: what ended before the retention time becomes a tombstone, and a tombstone of twice that age is forgotten."""

from collections.abc import Callable
from typing import Final

from typing_extensions import TypeVar

from saga_choreography.errors import StoreDamaged
from saga_choreography.helpers.ports import Surroundings
from saga_choreography.helpers.signals import PruneDue
from saga_choreography.observability import NoticeKind
from saga_choreography.storage import Journal

R = TypeVar("R")

PRUNE_BATCH: Final = 256
"""Sagas pruned in one go; live sagas get their turn between two batches."""


def prune(journal: Journal[R], due: PruneDue, surroundings: Surroundings) -> None:
    """Prune one batch; ask for another turn while there is more. What is damaged stays as it is, and is reported."""
    now_millis = surroundings.clock.now_millis()
    before = now_millis - due.retention_millis
    pruned = _reported(journal.prune, before, surroundings)
    forgotten = _reported(journal.prune_tombstones, before - due.retention_millis, surroundings)
    if PRUNE_BATCH in (pruned, forgotten):
        surroundings.arm(now_millis, due)


def _reported(prune_batch: Callable[[int, int], int], before_millis: int, surroundings: Surroundings) -> int:
    try:
        return prune_batch(before_millis, PRUNE_BATCH)
    except StoreDamaged as error:
        surroundings.notice(NoticeKind.RECORD_UNREADABLE, f"pruning left something as it is: {error}")
        return 0
