"""What every store keeps to. One contract class, inherited by the memory and the LMDB backend."""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

import pytest
from typing_extensions import override

from saga_choreography.errors import SagaError, StoreMisused
from saga_choreography.events import OutcomeKind, SagaUnparked, TimestampedEvent
from saga_choreography.storage import (
    Durability,
    InitiatorJournal,
    InMemoryDedupe,
    InMemoryEnvironment,
    InMemoryJournal,
    LmdbDedupe,
    LmdbEnvironment,
    LmdbJournal,
    ParticipantDedupeStore,
    ParticipantJournal,
    Tombstone,
)
from saga_choreography.types import new_saga_id
from tests.storage.samples import GONE, finish, initiator_events, participant_events, started, write

Stores: TypeAlias = tuple[ParticipantJournal, InitiatorJournal, ParticipantDedupeStore]


def error_in_thread(work: Callable[[], object]) -> SagaError | None:
    caught: list[SagaError] = []

    def run() -> None:
        try:
            work()
        except SagaError as error:
            caught.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()
    return caught[0] if caught else None


class StoreContract:
    """Subclasses give `stores` and `reopened`, which drops everything but what was committed."""

    journal: ParticipantJournal
    initiator: InitiatorJournal
    dedupe: ParticipantDedupeStore

    def reopened(self) -> Stores:
        raise NotImplementedError

    def reopen(self) -> None:
        self.journal, self.initiator, self.dedupe = self.reopened()

    def test_a_saga_nobody_wrote_is_empty_and_not_live(self) -> None:
        assert self.journal.read(new_saga_id()) == ()
        assert list(self.journal.live_sagas()) == []

    def test_every_participant_record_comes_back_as_it_was(self) -> None:
        saga = new_saga_id()
        records = [TimestampedEvent(at, 100 + at, event) for at, event in enumerate(participant_events(saga), 1)]
        with self.journal.transaction():
            for record in records:
                self.journal.append(saga, record)
        self.reopen()
        assert list(self.journal.read(saga)) == records

    def test_every_initiator_record_comes_back_as_it_was(self) -> None:
        saga = new_saga_id()
        records = [TimestampedEvent(at, 100 + at, event) for at, event in enumerate(initiator_events(saga), 1)]
        with self.initiator.transaction():
            for record in records:
                self.initiator.append(saga, record)
        self.reopen()
        assert list(self.initiator.read(saga)) == records
        assert self.journal.read(saga) == (), "the two roles of an actor are apart"

    def test_reads_see_nothing_before_the_commit(self) -> None:
        saga = new_saga_id()
        with self.journal.transaction():
            self.journal.append(saga, started(1))
            assert self.journal.read(saga) == ()
            assert list(self.journal.live_sagas()) == []
        assert len(self.journal.read(saga)) == 1

    def test_an_exception_commits_nothing(self) -> None:
        saga = new_saga_id()

        def fail_after_writing() -> None:
            with self.journal.transaction():
                self.journal.append(saga, started(1))
                self.initiator.append(saga, TimestampedEvent(1, 1, SagaUnparked()))
                self.dedupe.check_and_mark(saga, "go", 1)
                raise KeyError

        with pytest.raises(KeyError):
            fail_after_writing()
        assert self.journal.read(saga) == ()
        assert self.initiator.read(saga) == ()
        assert not self.dedupe.seen(saga, "go")
        assert list(self.journal.live_sagas()) == []
        write(self.journal, saga, 1, 1)

    def test_a_nested_transaction_commits_with_the_outer_one(self) -> None:
        saga = new_saga_id()

        def fail_after_nested() -> None:
            with self.journal.transaction():
                write(self.journal, saga, 1, 2)
                raise KeyError

        with pytest.raises(KeyError):
            fail_after_nested()
        assert self.journal.read(saga) == ()

    def test_a_swallowed_failure_inside_dooms_the_outer_transaction(self) -> None:
        saga = new_saga_id()

        def swallow() -> None:
            with self.journal.transaction():
                self.journal.append(saga, started(1))
                with suppress(KeyError), self.journal.transaction():
                    raise KeyError

        with pytest.raises(StoreMisused, match="swallowed"):
            swallow()
        assert self.journal.read(saga) == ()

    @pytest.mark.parametrize("sequence", [0, 1, 2, 4])
    def test_a_record_that_does_not_follow_is_refused_and_nothing_is_committed(self, sequence: int) -> None:
        saga, other = new_saga_id(), new_saga_id()
        write(self.journal, saga, 1, 2)

        def write_both() -> None:
            with self.journal.transaction():
                self.journal.append(other, started(1))
                self.journal.append(saga, started(sequence))

        with pytest.raises(StoreMisused, match=f"{saga} has 2 .*record {sequence}"):
            write_both()
        assert self.journal.read(other) == ()
        assert len(self.journal.read(saga)) == 2

    def test_a_record_cannot_be_appended_twice_in_one_transaction(self) -> None:
        saga = new_saga_id()

        def write_twice() -> None:
            with self.journal.transaction():
                self.journal.append(saga, started(1))
                self.journal.append(saga, started(1))

        with pytest.raises(StoreMisused):
            write_twice()
        assert self.journal.read(saga) == ()

    def test_writing_needs_a_transaction(self) -> None:
        with pytest.raises(StoreMisused, match="without a transaction"):
            self.journal.append(new_saga_id(), started(1))
        with pytest.raises(StoreMisused, match="without a transaction"):
            self.dedupe.check_and_mark(new_saga_id(), "go", 1)

    def test_sagas_are_live_from_their_first_record_to_their_end(self) -> None:
        first, second = sorted([new_saga_id(), new_saga_id()])
        write(self.journal, second, 1, 1)
        write(self.journal, first, 1, 1)
        assert list(self.journal.live_sagas()) == [first, second]
        finish(self.journal, first, 10)
        self.reopen()
        assert list(self.journal.live_sagas()) == [second]
        assert len(self.journal.read(first)) == 1, "records stay until pruned"
        assert self.journal.tombstone(first) is None

    def test_a_saga_may_begin_and_end_in_one_transaction_in_either_order(self) -> None:
        saga = new_saga_id()
        with self.journal.transaction():
            self.journal.append(saga, started(1))
            self.journal.end(saga, 10, GONE)
            self.journal.append(saga, started(2))
        write(self.journal, saga, 3, 3)
        assert list(self.journal.live_sagas()) == []
        assert len(self.journal.read(saga)) == 3

    def test_a_second_end_changes_nothing(self) -> None:
        saga = new_saga_id()
        write(self.journal, saga, 1, 1)
        finish(self.journal, saga, 10)
        finish(self.journal, saga, 99, Tombstone(outcome=OutcomeKind.FAILED, digest=b"x"))
        assert self.journal.prune(11, 10) == 1
        finish(self.journal, saga, 99, Tombstone(outcome=OutcomeKind.FAILED, digest=b"x"))
        assert self.journal.tombstone(saga) == GONE
        assert self.journal.prune(1_000, 10) == 0

    def test_pruning_leaves_tombstones_and_marks_of_the_oldest_sagas(self) -> None:
        sagas = [new_saga_id() for _ in range(5)]
        tombstone = Tombstone(outcome=OutcomeKind.FAILED, digest=b"digest")
        for at, saga in enumerate(sagas):
            write(self.journal, saga, 1, 3)
            with self.journal.transaction():
                self.dedupe.check_and_mark(saga, "go", 1)
                self.journal.end(saga, 100 + at, tombstone)
        assert self.journal.prune(before_millis=104, limit=3) == 3
        assert self.journal.prune(before_millis=104, limit=3) == 1
        assert self.journal.prune(before_millis=104, limit=3) == 0
        self.reopen()
        assert [self.journal.tombstone(saga) for saga in sagas] == [tombstone] * 4 + [None]
        assert [len(self.journal.read(saga)) for saga in sagas] == [0, 0, 0, 0, 3]
        assert all(self.dedupe.seen(saga, "go") for saga in sagas)
        with pytest.raises(StoreMisused, match="has 0"):
            write(self.journal, sagas[0], 4, 4)

    def test_pruning_tombstones_forgets_the_saga_and_its_marks(self) -> None:
        sagas = [new_saga_id() for _ in range(3)]
        for at, saga in enumerate(sagas):
            write(self.journal, saga, 1, 1)
            with self.journal.transaction():
                self.dedupe.check_and_mark(saga, "go", 1)
            finish(self.journal, saga, 100 + at)
        self.journal.prune(1_000, 10)
        assert self.journal.prune_tombstones(before_millis=102, limit=1) == 1
        assert self.journal.prune_tombstones(before_millis=102, limit=9) == 1
        assert self.journal.prune_tombstones(before_millis=102, limit=9) == 0
        assert [self.journal.tombstone(saga) for saga in sagas] == [None, None, GONE]
        assert [self.dedupe.seen(saga, "go") for saga in sagas] == [False, False, True]

    def test_many_sagas_are_pruned_in_batches(self) -> None:
        sagas = [new_saga_id() for _ in range(300)]
        with self.journal.transaction():
            for saga in sagas:
                for sequence in (1, 2, 3):
                    self.journal.append(saga, started(sequence))
                self.journal.end(saga, 10, GONE)
        assert self.journal.prune(11, 1_000) == 300
        assert self.journal.prune_tombstones(11, 1_000) == 300
        assert all(self.journal.tombstone(saga) is None for saga in sagas)

    def test_pruning_inside_a_transaction_is_refused(self) -> None:
        with pytest.raises(StoreMisused, match="prune inside"), self.journal.transaction():
            self.journal.prune(1, 1)

    def test_a_mark_is_made_once_and_stays(self) -> None:
        saga = new_saga_id()
        long_key = "k" * 2_000
        with self.journal.transaction():
            assert self.dedupe.check_and_mark(saga, "go", 1)
            assert not self.dedupe.check_and_mark(saga, "go", 2)
            assert self.dedupe.check_and_mark(saga, long_key, 1)
            assert not self.dedupe.seen(saga, "go"), "not committed yet"
        self.reopen()
        with self.journal.transaction():
            assert not self.dedupe.check_and_mark(saga, "go", 3)
            assert not self.dedupe.check_and_mark(saga, long_key, 3)
            assert self.dedupe.check_and_mark(new_saga_id(), "go", 3)
        assert self.dedupe.seen(saga, "go")
        assert self.dedupe.seen(saga, long_key)
        assert not self.dedupe.seen(saga, "k" * 1_999)

    def test_pruned_marks_can_be_made_again_also_in_the_same_transaction(self) -> None:
        saga, other = new_saga_id(), new_saga_id()
        with self.journal.transaction():
            self.dedupe.check_and_mark(saga, "old", 1)
            self.dedupe.check_and_mark(other, "old", 1)
        with self.journal.transaction():
            self.dedupe.check_and_mark(saga, "new", 1)
            self.dedupe.prune(saga)
            assert self.dedupe.check_and_mark(saga, "old", 1)
        assert self.dedupe.seen(saga, "old")
        assert not self.dedupe.seen(saga, "new")
        self.dedupe.prune(saga)
        assert not self.dedupe.seen(saga, "old")
        assert self.dedupe.seen(other, "old")

    def test_another_thread_may_read_but_not_write(self) -> None:
        saga = new_saga_id()
        write(self.journal, saga, 1, 1)
        assert error_in_thread(lambda: self.journal.read(saga)) is None
        assert error_in_thread(lambda: list(self.journal.live_sagas())) is None
        assert error_in_thread(lambda: self.journal.tombstone(saga)) is None
        assert error_in_thread(lambda: self.dedupe.seen(saga, "go")) is None
        assert isinstance(error_in_thread(lambda: write(self.journal, saga, 2, 2)), StoreMisused)
        with self.journal.transaction():
            assert isinstance(error_in_thread(lambda: self.journal.append(saga, started(2))), StoreMisused)
            self.journal.append(saga, started(2))
        assert len(self.journal.read(saga)) == 2

    def test_a_thread_that_ended_is_followed_by_the_next_writer(self) -> None:
        saga = new_saga_id()
        self.reopen()
        assert error_in_thread(lambda: write(self.journal, saga, 1, 1)) is None
        write(self.journal, saga, 2, 2)
        assert len(self.journal.read(saga)) == 2

    def test_closing_twice_is_fine(self) -> None:
        self.journal.close()
        self.journal.close()


class TestInMemoryStores(StoreContract):
    @pytest.fixture(autouse=True)
    def stores(self) -> None:
        self.environment = InMemoryEnvironment()
        self.reopen()

    @override
    def reopened(self) -> Stores:
        self.environment.crash()
        journal = InMemoryJournal(self.environment)
        return journal, InMemoryJournal.initiator(self.environment), InMemoryDedupe(journal)

    def test_without_arguments_each_stands_alone(self) -> None:
        journal: ParticipantJournal = InMemoryJournal()
        initiator: InitiatorJournal = InMemoryJournal.initiator()
        dedupe: ParticipantDedupeStore = InMemoryDedupe()
        saga = new_saga_id()
        write(journal, saga, 1, 1)
        assert initiator.read(saga) == ()
        assert dedupe.check_and_mark(saga, "go", 1)
        assert not dedupe.check_and_mark(saga, "go", 1)

    def test_a_crash_inside_a_transaction_loses_it(self) -> None:
        saga = new_saga_id()
        self.journal.transaction().__enter__()
        self.journal.append(saga, started(1))
        self.reopen()
        assert self.journal.read(saga) == ()
        write(self.journal, saga, 1, 1)


class TestLmdbStores(StoreContract):
    @pytest.fixture(autouse=True)
    def stores(self, tmp_path: Path) -> Iterator[None]:
        self.path = tmp_path / "store"
        self.environment = LmdbEnvironment.open(self.path, owner="desk", durability=Durability.PROCESS)
        self.reopen()
        yield
        self.environment.close()

    @override
    def reopened(self) -> Stores:
        self.environment.close()
        self.environment = LmdbEnvironment.open(self.path, owner="desk", durability=Durability.PROCESS)
        journal = LmdbJournal.participant(self.environment)
        return journal, LmdbJournal.initiator(self.environment), LmdbDedupe(journal)

    def test_the_owner_can_hand_over_to_another_thread(self) -> None:
        saga = new_saga_id()
        write(self.journal, saga, 1, 1)
        self.environment.hand_over()
        assert error_in_thread(lambda: write(self.journal, saga, 2, 2)) is None

        def hand_over_inside() -> None:
            with self.journal.transaction():
                self.environment.hand_over()

        with pytest.raises(StoreMisused, match="hand over inside"):
            hand_over_inside()

    def test_closing_inside_a_transaction_is_refused(self) -> None:
        def close_inside() -> None:
            with self.journal.transaction():
                self.environment.close()

        with pytest.raises(StoreMisused, match="close inside"):
            close_inside()

    def test_a_journal_can_open_an_environment_of_its_own(self, tmp_path: Path) -> None:
        journal: ParticipantJournal = LmdbJournal.open(tmp_path / "own", owner="desk")
        saga = new_saga_id()
        write(journal, saga, 1, 2)
        journal.close()
        journal.close()
        with pytest.raises(StoreMisused, match="closed"):
            journal.read(saga)
        again = LmdbJournal.open(tmp_path / "own", owner="desk")
        assert len(again.read(saga)) == 2
        assert not LmdbDedupe(again).seen(saga, "go")
        again.close()
