"""Stores without a medium: the same rules, records encoded the same way, gone with the process.

An `InMemoryEnvironment` stands for the disk. Journals and dedupe stores made on the same environment share its
transactions; new ones made after a simulated crash see what was committed and nothing else.
"""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Callable
from threading import Lock
from typing import TypeAlias, cast, final, overload

from typing_extensions import TypeVar, override

from saga_choreography.errors import StoreMisused
from saga_choreography.events import InitiatorEvent, ParticipantEvent
from saga_choreography.storage.layout import INITIATOR, PARTICIPANT, Role
from saga_choreography.storage.staged_dedupe import StagedDedupe
from saga_choreography.storage.staged_journal import StagedJournal
from saga_choreography.storage.staging import Reads, Stage, StagedEnvironment
from saga_choreography.types import SagaId

R = TypeVar("R")
T = TypeVar("T")


@final
class _Table:
    """Rows that can be walked in order of their keys."""

    def __init__(self) -> None:
        self.values: dict[bytes, bytes] = {}
        self.order: list[bytes] = []

    def put(self, key: bytes, value: bytes) -> None:
        if key not in self.values:
            insort(self.order, key)
        self.values[key] = value

    def drop(self, key: bytes) -> None:
        if self.values.pop(key, None) is not None:
            del self.order[bisect_left(self.order, key)]


@final
class _Rows:
    """The rows of all tables, for whoever holds the lock."""

    def __init__(self, tables: defaultdict[str, _Table]) -> None:
        self._tables = tables

    def value(self, table: str, key: bytes) -> bytes | None:
        return self._tables[table].values.get(key)

    def rows(self, table: str, start: bytes, stop: bytes, limit: int | None = None) -> list[tuple[bytes, bytes]]:
        found = self._tables[table]
        first = bisect_left(found.order, start)
        last = bisect_left(found.order, stop)
        if limit is not None:
            last = min(last, first + limit)
        return [(key, found.values[key]) for key in found.order[first:last]]


@final
class InMemoryEnvironment(StagedEnvironment):
    """Tables in memory under one transaction."""

    def __init__(self, name: str = "memory") -> None:
        super().__init__(name)
        self._lock = Lock()
        self._tables: defaultdict[str, _Table] = defaultdict(_Table)

    def crash(self) -> None:
        """What is not committed is lost and the owning thread is forgotten, as if the process had died."""
        self._discard()
        self._ownership.hand_over()
        for known in self._known.values():
            known.clear()

    @override
    def consistent(self, look: Callable[[Reads], T]) -> T:
        with self._lock:
            return look(_Rows(self._tables))

    @override
    def value(self, table: str, key: bytes) -> bytes | None:
        with self._lock:
            return _Rows(self._tables).value(table, key)

    @override
    def rows(self, table: str, start: bytes, stop: bytes, limit: int | None = None) -> list[tuple[bytes, bytes]]:
        with self._lock:
            return _Rows(self._tables).rows(table, start, stop, limit)

    @override
    def close(self) -> None:
        """Nothing to release: what is committed stays for the next journal on this environment."""

    @override
    def _commit(self, stage: Stage) -> None:
        with self._lock:
            for name, inserts in stage.inserts.items():
                if not inserts.keys().isdisjoint(self._tables[name].values):
                    raise StoreMisused(self.store, f"a key of {name} is taken", "decide again from what is stored")
            for name, inserts in stage.inserts.items():
                for key, value in inserts.items():
                    self._tables[name].put(key, value)
            for name, writes in stage.writes.items():
                table = self._tables[name]
                for key, written in writes.items():
                    if written is None:
                        table.drop(key)
                    else:
                        table.put(key, written)


@final
class InMemoryJournal(StagedJournal[R]):
    """A journal in memory; without arguments the journal of a participant."""

    @overload
    def __init__(self: "InMemoryJournal[ParticipantEvent]", environment: InMemoryEnvironment | None = None) -> None: ...

    @overload
    def __init__(self, environment: InMemoryEnvironment | None, role: Role[R]) -> None: ...

    def __init__(self, environment: InMemoryEnvironment | None = None, role: Role[R] | None = None) -> None:
        self._memory = environment if environment is not None else InMemoryEnvironment()
        # The first overload says that R is ParticipantEvent when no role is given.
        super().__init__(self._memory, role if role is not None else cast("Role[R]", PARTICIPANT))

    @classmethod
    def participant(cls, environment: InMemoryEnvironment | None = None) -> "InMemoryJournal[ParticipantEvent]":
        """The journal of a participant, in an environment of its own or in the given one."""
        return InMemoryJournal(environment, PARTICIPANT)

    @classmethod
    def initiator(cls, environment: InMemoryEnvironment | None = None) -> "InMemoryJournal[InitiatorEvent]":
        """The journal of an initiator, in an environment of its own or in the given one."""
        return InMemoryJournal(environment, INITIATOR)

    @property
    def environment(self) -> InMemoryEnvironment:
        """What stands for the disk; give it to a new journal to see what was committed."""
        return self._memory

    def close(self) -> None:
        """Nothing to release. Idempotent."""


_Beside: TypeAlias = InMemoryJournal[ParticipantEvent] | InMemoryJournal[InitiatorEvent] | InMemoryEnvironment


@final
class InMemoryDedupe(StagedDedupe):
    """Marks in memory. Beside a journal, or in its environment, they join its transaction; alone each is committed."""

    def __init__(self, beside: _Beside | None = None) -> None:
        self._alone = beside is None
        match beside:
            case InMemoryJournal():
                super().__init__(beside.environment, beside.role.marks)
            case InMemoryEnvironment():
                super().__init__(beside, PARTICIPANT.marks)
            case None:
                super().__init__(InMemoryEnvironment("memory (marks)"), PARTICIPANT.marks)

    @override
    def check_and_mark(self, saga_id: SagaId, key: str, at_millis: int) -> bool:
        if not self._alone:
            return super().check_and_mark(saga_id, key, at_millis)
        with self.transaction():
            return super().check_and_mark(saga_id, key, at_millis)
