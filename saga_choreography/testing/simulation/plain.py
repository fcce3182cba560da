"""A store of plain objects: the rules of a commit, and no bytes.

Most schedules use it, because encoding takes a fifth of the time; in the others the real journal encodes, checks and
decodes every record, as it does on LMDB.
"""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Generic, final

from typing_extensions import TypeVar, override

from saga_choreography.errors import StoreMisused
from saga_choreography.events import TimestampedEvent
from saga_choreography.storage.journal import Tombstone
from saga_choreography.types import SagaId

R = TypeVar("R")


@final
class PlainStore(AbstractContextManager[None], Generic[R]):
    """Journal and marks of one role. It is its own transaction: everything staged is applied at once, or forgotten."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._records: dict[SagaId, list[TimestampedEvent[R]]] = {}
        self._live: set[SagaId] = set()
        self._ended: dict[SagaId, Tombstone] = {}
        self._tombstones: dict[SagaId, Tombstone] = {}
        self.marks: set[tuple[SagaId, str]] = set()
        self._new_records: list[tuple[SagaId, TimestampedEvent[R]]] = []
        self._new_ends: list[tuple[SagaId, Tombstone]] = []
        self.new_marks: list[tuple[SagaId, str]] = []

    def transaction(self) -> AbstractContextManager[None]:
        return self

    @override
    def __enter__(self) -> None:
        """Nothing is staged before the first write."""

    @override
    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._apply()
        self.crash()

    def _apply(self) -> None:
        for saga_id, record in self._new_records:
            records = self._records.setdefault(saga_id, [])
            if record.sequence != len(records) + 1:
                what = f"saga {saga_id} has {len(records)} record(s), record {record.sequence} does not follow"
                raise StoreMisused(self._name, what, "decide again from what is stored")
            records.append(record)
            if saga_id not in self._ended:
                self._live.add(saga_id)
        self.marks.update(self.new_marks)
        for saga_id, tombstone in self._new_ends:
            self._live.discard(saga_id)
            self._ended.setdefault(saga_id, tombstone)

    def crash(self) -> None:
        """What is staged and not committed is forgotten."""
        self._new_records, self._new_ends, self.new_marks = [], [], []

    # ---------------------------------------------------------------- journal

    def append(self, saga_id: SagaId, record: TimestampedEvent[R]) -> None:
        self._new_records.append((saga_id, record))

    def append_all(self, records: Iterable[tuple[SagaId, TimestampedEvent[R]]]) -> None:
        self._new_records.extend(records)

    def end(self, saga_id: SagaId, at_millis: int, tombstone: Tombstone) -> None:
        self._new_ends.append((saga_id, tombstone))

    def read(self, saga_id: SagaId) -> tuple[TimestampedEvent[R], ...]:
        return tuple(self._records.get(saga_id, ()))

    def live_sagas(self) -> Iterator[SagaId]:
        return iter(sorted(self._live))

    def tombstone(self, saga_id: SagaId) -> Tombstone | None:
        return self._tombstones.get(saga_id)

    def prune(self, before_millis: int, limit: int) -> int:
        """Replace all ended sagas by tombstones, whenever they ended."""
        for saga_id, tombstone in self._ended.items():
            self._records.pop(saga_id, None)
            self._tombstones[saga_id] = tombstone
        count = len(self._ended)
        self._ended = {}
        return count

    def prune_tombstones(self, before_millis: int, limit: int) -> int:
        """A schedule is too short for that."""
        return 0

    def close(self) -> None:
        """Nothing to release."""


@final
class PlainMarks(Generic[R]):
    """The marks beside a plain store, in its transactions."""

    def __init__(self, store: PlainStore[R]) -> None:
        self._store = store

    def check_and_mark(self, saga_id: SagaId, key: str, at_millis: int) -> bool:
        self._store.new_marks.append((saga_id, key))
        return (saga_id, key) not in self._store.marks

    def seen(self, saga_id: SagaId, key: str) -> bool:
        return (saga_id, key) in self._store.marks

    def prune(self, saga_id: SagaId) -> None:
        """Forget the marks of one saga."""
        self._store.marks -= {mark for mark in self._store.marks if mark[0] == saga_id}
