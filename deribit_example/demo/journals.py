"""Reads the journals of a data directory, beside the program that writes them or after its end. Changes nothing."""

import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar, final
from uuid import UUID

from attrs import field, frozen

from deribit_example.saga.types import (
    MONITOR_ORDER,
    ORDER,
    PLACE_ORDER,
    PREPARE_ORDER,
    FilledOrder,
    OrderIntent,
    PlacedOrder,
)
from saga_choreography import SagaId, TimestampedEvent
from saga_choreography.codec import payload_codec
from saga_choreography.events import (
    CompensationExecutionStarted,
    FenceRecorded,
    InitiatorEvent,
    OutcomeKind,
    ParticipantEvent,
    SagaAccepted,
    SagaParked,
    SagaResolved,
    SagaUnparked,
    StepExecutionCompleted,
    StepExecutionStarted,
    StepTriggered,
)
from saga_choreography.storage import INITIATOR, PARTICIPANT, DataDirectory, LmdbEnvironment, LmdbJournal
from saga_choreography.storage.directory import MANIFEST_NAME
from saga_choreography.types import SagaOrigin

STEPS: Final = (PREPARE_ORDER.name, PLACE_ORDER.name, MONITOR_ORDER.name)
_SAGA_BYTES: Final = 16
_LAST: Final = b"\xff" * (_SAGA_BYTES + 1)

T = TypeVar("T")


@final
@frozen(kw_only=True)
class SagaRecords:
    """Everything the journals hold of one saga: the initiator's records, and those of each step."""

    origin: SagaOrigin
    intent: OrderIntent
    initiator: tuple[TimestampedEvent[InitiatorEvent], ...]
    steps: Mapping[str, tuple[TimestampedEvent[ParticipantEvent], ...]] = field(factory=dict)

    @property
    def saga_id(self) -> SagaId:
        return self.origin.saga_id

    @property
    def outcome(self) -> OutcomeKind | None:
        """The one outcome, or None while there is none."""
        last = self.initiator[-1].event
        return last.outcome if isinstance(last, SagaResolved) else None

    @property
    def is_parked(self) -> bool:
        """True while it waits for an operator."""
        parked = False
        for record in self.initiator:
            match record.event:
                case SagaParked():
                    parked = True
                case SagaUnparked():
                    parked = False
                case _:
                    continue
        return parked and self.outcome is None

    @property
    def duration_millis(self) -> int:
        """From the start to the newest record of the initiator, in milliseconds."""
        return self.initiator[-1].at_millis - self.initiator[0].at_millis

    @property
    def attempts(self) -> Mapping[str, int]:
        """How often each step, and each undo ("undo NAME"), was run."""
        counts: dict[str, int] = {}
        for name, records in self.steps.items():
            for record in records:
                match record.event:
                    case StepExecutionStarted(attempt=attempt):
                        counts[name] = max(counts.get(name, 0), attempt)
                    case CompensationExecutionStarted(attempt=attempt):
                        counts[f"undo {name}"] = max(counts.get(f"undo {name}", 0), attempt)
                    case _:
                        continue
        return counts

    @property
    def placed(self) -> PlacedOrder | None:
        """What place_order journaled as its output."""
        return self._output(PLACE_ORDER.name, PlacedOrder)

    @property
    def filled(self) -> FilledOrder | None:
        """What monitor_order journaled as its output."""
        return self._output(MONITOR_ORDER.name, FilledOrder)

    def _output(self, step: str, kind: type[T]) -> T | None:
        for record in self.steps.get(step, ()):
            if isinstance(record.event, StepExecutionCompleted):
                return payload_codec(kind).decode(record.event.output, f"output of {step}")
        return None


@final
@frozen
class _Store:
    """One environment with both journals it may hold; they are costly to make, so they are made once."""

    environment: LmdbEnvironment
    initiator: LmdbJournal[InitiatorEvent]
    participant: LmdbJournal[ParticipantEvent]

    @classmethod
    def open(cls, path: Path) -> "_Store":
        environment = LmdbEnvironment.open_readonly(path)
        return cls(environment, LmdbJournal.initiator(environment), LmdbJournal.participant(environment))


@final
class JournalReader:
    """Opens the stores of a data directory for reading, as they come into being. Any thread may read.

    Raises:
        StoreError: a store is damaged, or of another version.
    """

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._stores: dict[Path, _Store] = {}
        self._guard = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._guard:
            for store in self._stores.values():
                store.environment.close()
            self._stores.clear()

    def sagas(self) -> tuple[SagaRecords, ...]:
        """Every order saga, oldest first."""
        found: dict[SagaId, SagaRecords] = {}
        for store in self._open():
            for key, _ in store.environment.rows(INITIATOR.records, b"", _LAST):
                saga_id = SagaId(UUID(bytes=key[:_SAGA_BYTES]))
                if saga_id not in found:
                    records = self.saga(saga_id)
                    if records is not None:
                        found[saga_id] = records
        return tuple(sorted(found.values(), key=lambda records: records.origin.started_at_millis))

    def saga(self, saga_id: SagaId) -> SagaRecords | None:
        """The records of one saga, or None when no initiator has any."""
        # Effects before causes: whoever sees the outcome then also sees every record that led to it.
        initiator: tuple[TimestampedEvent[InitiatorEvent], ...] = ()
        steps: dict[str, tuple[TimestampedEvent[ParticipantEvent], ...]] = {}
        stores = self._open()
        for store in stores:
            initiator = initiator or store.initiator.read(saga_id)
        for store in reversed(stores):
            records = store.participant.read(saga_id)
            if records and isinstance(records[0].event, StepTriggered | FenceRecorded):
                steps[records[0].event.step_name] = records
        first = initiator[0].event if initiator else None
        if not isinstance(first, SagaAccepted) or first.origin.saga_type != ORDER.name:
            return None
        intent = payload_codec(OrderIntent).decode(first.payload, f"payload of saga {saga_id}")
        ordered = {name: steps[name] for name in STEPS if name in steps}
        return SagaRecords(origin=first.origin, intent=intent, initiator=initiator, steps=ordered)

    def orphans(self) -> tuple[SagaId, ...]:
        """Sagas that participants have records of, but no initiator."""
        started: set[bytes] = set()
        known: set[bytes] = set()
        for store in self._open():
            started |= {key[:_SAGA_BYTES] for key, _ in store.environment.rows(INITIATOR.records, b"", _LAST)}
            known |= {key[:_SAGA_BYTES] for key, _ in store.environment.rows(PARTICIPANT.records, b"", _LAST)}
        return tuple(SagaId(UUID(bytes=saga)) for saga in sorted(known - started))

    def _open(self) -> list[_Store]:
        with self._guard:
            if not (self._data_dir / MANIFEST_NAME).exists():
                return []
            directory = DataDirectory.open_readonly(self._data_dir)
            for name, shards in directory.actors.items():
                for shard in range(shards):
                    path = directory.env_path(name, shard)
                    if path not in self._stores and directory.is_ready(name, shard):
                        self._stores[path] = _Store.open(path)
            return list(self._stores.values())
