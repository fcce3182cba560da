"""Pruning goes on past what is damaged, and says so."""

from saga_choreography import NoticeKind
from saga_choreography.errors import StoreDamaged
from saga_choreography.events import ParticipantEvent
from saga_choreography.helpers.signals import PruneDue
from saga_choreography.helpers.upkeep import prune
from saga_choreography.storage import InMemoryEnvironment, InMemoryJournal
from saga_choreography.storage.journal import Journal
from tests.helpers.alone import Alone


class Damaged(InMemoryJournal[ParticipantEvent]):  # type: ignore[misc]  # final, but for this test
    """The row of one ended saga is unreadable; there is a full batch of tombstones to forget."""

    def prune(self, before_millis: int, limit: int) -> int:
        raise StoreDamaged("store 'me'", "how one saga ended is unreadable", "restore it from a backup")

    def prune_tombstones(self, before_millis: int, limit: int) -> int:
        return limit


def test_damage_is_reported_and_the_rest_is_pruned() -> None:
    journal: Journal[ParticipantEvent] = Damaged(InMemoryEnvironment())
    around = Alone()
    prune(journal, PruneDue(1_000), around)
    assert around.notices == [NoticeKind.RECORD_UNREADABLE]
    assert around.armed == [(around.clock.now_millis(), PruneDue(1_000))], "there may be more to forget"
