"""A node: what is on its disk survives, everything else is lost when it is killed."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic, final

from attrs import define, field
from typing_extensions import TypeVar

from saga_choreography.events import InitiatorEvent, ParticipantEvent, TimestampedEvent
from saga_choreography.types import SagaId
from tests.simulation.ports import Action, Host, Outgoing, Signal
from tests.simulation.violation import Violation

R = TypeVar("R", bound=ParticipantEvent | InitiatorEvent)


@final
@define(eq=False)
class Disk(Generic[R]):
    """Committed journals, the live index and the marks of one node. A write happens as a whole or not at all."""

    journals: dict[SagaId, list[TimestampedEvent[R]]] = field(factory=dict)
    live: dict[SagaId, None] = field(factory=dict)
    marks: set[SagaId] = field(factory=set)
    pruned: dict[SagaId, list[TimestampedEvent[R]]] = field(factory=dict)

    def write(
        self, records: Sequence[tuple[SagaId, TimestampedEvent[R]]], marks: Sequence[SagaId], ends: Sequence[SagaId]
    ) -> None:
        for saga_id, record in records:
            journal = self.journals.setdefault(saga_id, [])
            if record.sequence != len(journal) + 1:
                raise Violation("I10", f"record {record.sequence} follows {len(journal)} records", saga_id)
            journal.append(record)
            if record.sequence == 1:
                self.live[saga_id] = None
        self.marks.update(marks)
        for saga_id in ends:
            self.live.pop(saga_id, None)

    def prune(self, saga_id: SagaId) -> None:
        """Take the records of an ended saga away, as retention does; marks stay."""
        if saga_id in self.journals and saga_id not in self.live:
            self.pruned[saga_id] = self.journals.pop(saga_id)

    def all_of(self, saga_id: SagaId) -> Sequence[TimestampedEvent[R]]:
        """The records of a saga, pruned or not: for checks only."""
        return self.journals[saga_id] if saga_id in self.journals else self.pruned.get(saga_id, ())


class Node(ABC, Generic[R]):
    """Turns: take what arrived, act, commit, and only then tell."""

    def __init__(self, name: str, host: Host) -> None:
        self.name = name
        self.host = host
        self.disk: Disk[R] = Disk()
        self.is_up = True
        self.incarnation = 0
        self.mailbox: list[Signal] = []
        self._records: list[tuple[SagaId, TimestampedEvent[R]]] = []
        self._marks: list[SagaId] = []
        self._ends: list[SagaId] = []
        self._outbox: list[Outgoing] = []
        self._after: list[Action] = []

    def turn(self, signals: Sequence[Signal]) -> None:
        """Act on some signals."""
        self.host.point()
        now = self.host.now_millis()
        for signal in signals:
            self.take(signal, now)
        self.work(now)
        self.commit()

    def kill(self) -> None:
        """Lose everything that is not on disk."""
        self.check_replay()
        self.is_up = False
        self.incarnation += 1
        self.mailbox = []
        self._records, self._marks, self._ends, self._outbox, self._after = [], [], [], [], []
        self.forget_all()

    def start(self) -> None:
        """Recover from the disk - twice, which is as good as once - then join and go on."""
        self.is_up = True
        self.recover()
        found = self.snapshot()
        self.recover()
        if self.snapshot() != found:
            raise Violation("I10", f"{self.name} recovered twice differs from once")
        self.host.point()
        self.host.joined(self.name)
        self.join(self.host.now_millis())
        self.commit()

    def write(self) -> None:
        """Make everything staged durable."""
        if self._records or self._ends:
            self.host.point()
            records = self._records
            self.disk.write(records, self._marks, self._ends)
            self._records, self._marks, self._ends = [], [], []
            for saga_id, record in records:
                self.host.note(self.name, saga_id, "commits", record)
                self.committed(saga_id, record)
            self.host.point()

    def tell(self) -> None:
        """Publish what the records justify."""
        outbox, self._outbox = self._outbox, []
        after, self._after = self._after, []
        for out in outbox:
            self.check_told(out)
            self.host.publish(out)
            self.host.point()
        for action in after:
            action()

    def commit(self) -> None:
        self.write()
        self.tell()

    @abstractmethod
    def take(self, signal: Signal, now: int) -> None: ...

    @abstractmethod
    def recover(self) -> None: ...

    @abstractmethod
    def join(self, now: int) -> None: ...

    @abstractmethod
    def forget_all(self) -> None: ...

    @abstractmethod
    def snapshot(self) -> object: ...

    @abstractmethod
    def remembered(self) -> Sequence[SagaId]:
        """Sagas in memory."""

    @abstractmethod
    def check_told(self, out: Outgoing) -> None:
        """I8.

        Raises:
            Violation: no committed record justifies it.
        """

    @abstractmethod
    def check_replay(self) -> None:
        """I10: what is in memory is the replay of what is journaled or about to be.

        Raises:
            Violation: it is not.
        """

    def all_records(self, saga_id: SagaId) -> Sequence[TimestampedEvent[R]]:
        """What is on disk of a live saga, and what is staged."""
        staged = [record for about, record in self._records if about == saga_id]
        return [*self.disk.journals.get(saga_id, ()), *staged]

    def committed(self, saga_id: SagaId, record: TimestampedEvent[R]) -> None:
        """A record became durable."""

    def work(self, now: int) -> None:
        """Run what is due."""

    def has_work(self) -> bool:
        return False
