"""Everything that is known after the end: the journals of all stores, the ledger, and what the handles said."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, final
from uuid import UUID

from attrs import define, field

from saga_choreography import ParticipantEvent, SagaId, TimestampedEvent
from saga_choreography.events import (
    FenceRecorded,
    InitiatorEvent,
    OutcomeKind,
    SagaAccepted,
    SagaResolved,
    StepTriggered,
)
from saga_choreography.storage import INITIATOR, PARTICIPANT, DataDirectory, LmdbEnvironment, LmdbJournal
from saga_choreography.types import SagaPlan
from tests.crash.ledger_lines import Line, read_line

_SAGA_BYTES: Final = 16
_LAST: Final = b"\xff" * (_SAGA_BYTES + 1)

InitiatorRecords = tuple[TimestampedEvent[InitiatorEvent], ...]
StepRecords = tuple[TimestampedEvent[ParticipantEvent], ...]


@final
@define
class SagaStory:
    """One saga: what its journals hold, and the ledger's lines about it with their numbers."""

    saga_id: SagaId
    initiators: list[InitiatorRecords] = field(factory=list)
    """One entry for each store that has accepted it: there must be one."""
    steps: dict[str, list[StepRecords]] = field(factory=lambda: defaultdict(list))
    lines: list[tuple[int, Line]] = field(factory=list)
    acknowledged: bool = False
    told: str | None = None
    """The outcome by its handle."""

    @property
    def plan(self) -> SagaPlan | None:
        """The graph it ran under; None when no initiator knows it."""
        for records in self.initiators:
            first = records[0].event
            if isinstance(first, SagaAccepted):
                return first.origin.plan
        return None

    @property
    def outcomes(self) -> list[OutcomeKind]:
        """Every terminal record there is."""
        events = [record.event for records in self.initiators for record in records]
        return [event.outcome for event in events if isinstance(event, SagaResolved)]

    @property
    def saga_type(self) -> str:
        return self.plan.saga_type if self.plan is not None else "unknown"

    def told_in_full(self) -> str:
        """The whole story, for people."""
        text = [f"saga {self.saga_id} ({self.saga_type}), acknowledged: {self.acknowledged}, its handle: {self.told}"]
        for records in self.initiators:
            text += [f"  initiator {record.sequence}: {record.event!r}" for record in records[1:]]
        for step, stores in self.steps.items():
            text += [f"  {step} {record.sequence}: {_short(record)}" for records in stores for record in records]
        text += [f"  ledger {number}: {line}" for number, line in self.lines]
        return "\n".join(text)


def _short(record: TimestampedEvent[ParticipantEvent]) -> str:
    event = record.event
    at = f"at {record.at_millis % 10_000_000}"
    if isinstance(event, StepTriggered | FenceRecorded):
        return f"{type(event).__name__} {at}"
    return f"{event!r} {at}"


@final
@define(eq=False)
class _Store:
    name: str
    environment: LmdbEnvironment
    initiator: "LmdbJournal[InitiatorEvent]"
    participant: "LmdbJournal[ParticipantEvent]"

    def live(self) -> Iterator[tuple[str, SagaId]]:
        for journal in (self.initiator, self.participant):
            yield from ((self.name, saga_id) for saga_id in journal.live_sagas())


@final
class Evidence:
    """Reads the stores of a data directory that no system has open any more, story by story. A context manager.

    `told` is what the handles said, by id. Stories are made when they are asked for: there may be very many.
    """

    def __init__(
        self, stores: Path, lines: Sequence[Line], told: Mapping[str, str], acknowledged: Sequence[int]
    ) -> None:
        self.lines = lines
        self._told = told
        self._acknowledged = frozenset(acknowledged)
        self._stores: list[_Store] = []
        self._initiators: dict[SagaId, list[_Store]] = defaultdict(list)
        self._participants: dict[SagaId, list[_Store]] = defaultdict(list)
        self._lines: dict[SagaId, list[tuple[int, Line]]] = defaultdict(list)
        self._open(stores)
        for number, line in enumerate(lines):
            if line.saga:
                self._lines[SagaId(UUID(int=line.saga))].append((number, line))
        others = (int(text) for text in told)
        everybody = {SagaId(UUID(int=saga)) for saga in (*self._acknowledged, *others)}
        self.sagas = sorted({*everybody, *self._initiators, *self._participants, *self._lines})
        """Every saga that anybody knows of."""

    def __enter__(self) -> "Evidence":
        return self

    def __exit__(self, *_: object) -> None:
        for store in self._stores:
            store.environment.close()

    @property
    def live(self) -> list[tuple[str, SagaId]]:
        """What the stores still hold as live."""
        return [found for store in self._stores for found in store.live()]

    def story(self, saga_id: SagaId) -> SagaStory:
        """Everything about one saga."""
        story = SagaStory(saga_id)
        story.initiators = [store.initiator.read(saga_id) for store in self._initiators.get(saga_id, ())]
        for store in self._participants.get(saga_id, ()):
            records = store.participant.read(saga_id)
            first = records[0].event
            assert isinstance(first, StepTriggered | FenceRecorded), f"records of {saga_id} begin with {first!r}"
            story.steps[first.step_name].append(records)
        story.lines = self._lines.get(saga_id, [])
        story.acknowledged = saga_id.int in self._acknowledged
        story.told = self._told.get(str(saga_id.int))
        return story

    def stories(self) -> Iterator[SagaStory]:
        """Every story."""
        return map(self.story, self.sagas)

    def _open(self, stores: Path) -> None:
        directory = DataDirectory.open_readonly(stores)
        for name, shards in directory.actors.items():
            for shard in range(shards):
                environment = LmdbEnvironment.open_readonly(directory.env_path(name, shard))
                journals = LmdbJournal.initiator(environment), LmdbJournal.participant(environment)
                store = _Store(f"{name}/{shard}", environment, *journals)
                self._stores.append(store)
                for saga_id in _ids(environment, INITIATOR.records):
                    self._initiators[saga_id].append(store)
                for saga_id in _ids(environment, PARTICIPANT.records):
                    self._participants[saga_id].append(store)


def _ids(environment: LmdbEnvironment, table: str) -> list[SagaId]:
    keys = {key[:_SAGA_BYTES] for key, _ in environment.rows(table, b"", _LAST)}
    return [SagaId(UUID(bytes=key)) for key in sorted(keys)]


def read_ledger(path: Path) -> list[Line]:
    """The ledger's file."""
    return [read_line(text) for text in path.read_text().splitlines()]
