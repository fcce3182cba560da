"""A disk: a journal, and beside it everything that was committed, already folded.

The folded copy lets the guarantees be checked at every commit without reading anything back; whatever the engine does
read back is held against it.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Final, Generic, final

from typing_extensions import TypeVar, override

from saga_choreography.errors import StoreFull
from saga_choreography.events import TimestampedEvent
from saga_choreography.storage.journal import Journal, Tombstone
from saga_choreography.testing.simulation.violation import Violation
from saga_choreography.types import SagaId

R = TypeVar("R")
E = TypeVar("E")

_FAR_FUTURE_MILLIS: Final = 1 << 50


@final
class Disk(Generic[R, E]):
    """The store of one role of one actor; it is a journal too. `entries[saga][n-1]` is the entry after record n."""

    def __init__(
        self,
        name: str,
        journal: Journal[R],
        fold: Callable[[E | None, TimestampedEvent[R]], E],
        *,
        crash: Callable[[], None],
        is_full: Callable[[], bool],
        on_commit: Callable[[SagaId, TimestampedEvent[R]], None],
    ) -> None:
        self.name = name
        self.journal = journal
        self._crash = crash
        self.records: dict[SagaId, list[TimestampedEvent[R]]] = {}
        self.entries: dict[SagaId, list[E]] = {}
        self._fold = fold
        self._is_full = is_full
        self._on_commit = on_commit
        self._staged: list[tuple[SagaId, TimestampedEvent[R]]] = []
        self._transaction = _Transaction(self)

    def last(self, saga_id: SagaId) -> E | None:
        """The entry of a saga as its committed records say, pruned or not; None when it has none."""
        entries = self.entries.get(saga_id)
        return entries[-1] if entries else None

    def crash(self) -> None:
        """The process ended: what was not committed is gone, and another one may open the store."""
        self._staged.clear()
        self._crash()

    def prune_ended(self) -> None:
        """Take the records of ended sagas away, as retention does; tombstones and marks stay."""
        self.journal.prune(_FAR_FUTURE_MILLIS, 1_000)

    def commit(self, real: AbstractContextManager[None]) -> None:
        """Commit the real transaction, then note what it held.

        Raises:
            StoreFull: the disk is full at this moment; nothing was written.
        """
        staged, self._staged = self._staged, []
        if self._is_full():
            full = StoreFull(self.name, "no space is left", "make room; it goes on by itself")
            real.__exit__(StoreFull, full, None)
            raise full
        real.__exit__(None, None, None)
        for saga_id, record in staged:
            entries = self.entries.setdefault(saga_id, [])
            entries.append(self._fold(entries[-1] if entries else None, record))
            self.records.setdefault(saga_id, []).append(record)
        for saga_id, record in staged:
            self._on_commit(saga_id, record)

    def rollback(self) -> None:
        self._staged.clear()

    # ---------------------------------------------------------------- as a journal

    def transaction(self) -> AbstractContextManager[None]:
        return self._transaction

    def append(self, saga_id: SagaId, record: TimestampedEvent[R]) -> None:
        self.append_all(((saga_id, record),))

    def append_all(self, records: Iterable[tuple[SagaId, TimestampedEvent[R]]]) -> None:
        records = tuple(records)
        self.journal.append_all(records)
        self._staged.extend(records)

    def end(self, saga_id: SagaId, at_millis: int, tombstone: Tombstone) -> None:
        self.journal.end(saga_id, at_millis, tombstone)

    def read(self, saga_id: SagaId) -> tuple[TimestampedEvent[R], ...]:
        found = self.journal.read(saga_id)
        if found and list(found) != self.records[saga_id]:
            raise Violation("I10", f"{self.name} reads back what it did not write", saga_id)
        return found

    def live_sagas(self) -> Iterator[SagaId]:
        return self.journal.live_sagas()

    def tombstone(self, saga_id: SagaId) -> Tombstone | None:
        return self.journal.tombstone(saga_id)

    def prune(self, before_millis: int, limit: int) -> int:
        return self.journal.prune(before_millis, limit)

    def prune_tombstones(self, before_millis: int, limit: int) -> int:
        return self.journal.prune_tombstones(before_millis, limit)

    def close(self) -> None:
        self.journal.close()


@final
class _Transaction(AbstractContextManager[None]):
    """Stateless, but for the real transaction it is around; engines never nest theirs."""

    def __init__(self, disk: "Disk[R, E]") -> None:
        self._commit = disk.commit
        self._rollback = disk.rollback
        self._real = disk.journal.transaction()

    @override
    def __enter__(self) -> None:
        self._real.__enter__()

    @override
    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        if failure is None:
            self._commit(self._real)
        else:
            self._rollback()
            self._real.__exit__(kind, failure, trace)
