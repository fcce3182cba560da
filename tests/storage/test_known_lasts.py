"""Last sequences that are kept at hand: those of the sagas at work, never more than twice as many as wanted."""

from uuid import UUID

import pytest

from saga_choreography import InMemoryJournal, SagaId, StoreMisused
from saga_choreography.events import OutcomeKind, SagaEnded, StepExecutionStarted, TimestampedEvent
from saga_choreography.storage import InMemoryEnvironment, Tombstone, staging
from saga_choreography.storage.layout import PARTICIPANT


def saga(number: int) -> SagaId:
    return SagaId(UUID(int=number))


def started(sequence: int) -> TimestampedEvent[StepExecutionStarted]:
    return TimestampedEvent(sequence, 5, StepExecutionStarted(attempt=sequence))


def test_the_oldest_are_forgotten_half_at_once_and_looked_up_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "_MOST_KNOWN", 4)
    environment = InMemoryEnvironment()
    journal = InMemoryJournal.participant(environment)
    known = environment.known_lasts(PARTICIPANT.name)
    sizes = []
    for number in range(30):
        with journal.transaction():
            journal.append(saga(number), started(1))
        sizes.append(len(known))
    assert max(sizes) == 8
    assert list(known)[-4:] == [saga(number).bytes for number in range(26, 30)]
    assert saga(0).bytes not in known
    with journal.transaction():
        journal.append(saga(0), started(2))
    assert [record.sequence for record in journal.read(saga(0))] == [1, 2]
    with pytest.raises(StoreMisused, match="record 4 does not follow"), journal.transaction():
        journal.append(saga(1), started(4))


def test_a_saga_that_has_ended_is_not_kept() -> None:
    environment = InMemoryEnvironment()
    journal = InMemoryJournal.participant(environment)
    with journal.transaction():
        journal.append(saga(1), started(1))
        journal.append(saga(1), TimestampedEvent(2, 6, SagaEnded(outcome=OutcomeKind.COMPLETED)))
        journal.end(saga(1), 6, Tombstone(outcome=OutcomeKind.COMPLETED, digest=b""))
    assert not environment.known_lasts(PARTICIPANT.name)
