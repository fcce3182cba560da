"""Who plays what in a system, and what can be read from their journals by any thread."""

import threading
from collections.abc import Callable, Iterator
from typing import final

from typing_extensions import TypeVar

from saga_choreography.errors import StoreMisused
from saga_choreography.events import QuarantineResolved, ResolutionKind, StepExecutionCompleted
from saga_choreography.helpers.engine import Engine
from saga_choreography.helpers.initiating import InitiatorEngine, replay_saga, verdict_of
from saga_choreography.helpers.participant import ParticipantEngine
from saga_choreography.helpers.watch import Verdict
from saga_choreography.observability import ParticipantStatsSnapshot
from saga_choreography.runtime.member import Member
from saga_choreography.runtime.quarantine import QuarantinedRecord, quarantined_in
from saga_choreography.traits.subscription import StepToken
from saga_choreography.types import PeerId, SagaId

R = TypeVar("R")
E = TypeVar("E", bound=Engine)


@final
class Registry:
    """The members of a system. Thread-safe; reads committed records only, and waits for an actor being restarted."""

    def __init__(self) -> None:
        self._members: dict[str, list[Member]] = {}
        self._guard = threading.Lock()

    def add(self, actor_name: str, members: list[Member]) -> None:
        with self._guard:
            self._members[actor_name] = members

    def has(self, actor_name: str) -> bool:
        with self._guard:
            return actor_name in self._members

    def remove(self, actor_name: str) -> None:
        with self._guard:
            self._members.pop(actor_name, None)

    def members(self) -> list[Member]:
        """All members, in the order they were started."""
        with self._guard:
            return [member for members in self._members.values() for member in members]

    def members_of(self, actor_name: str) -> list[Member]:
        """The members of one actor, one a shard."""
        with self._guard:
            return list(self._members.get(actor_name, ()))

    def participants(self) -> Iterator[tuple[Member, ParticipantEngine[object, object, object]]]:
        for member in self.members():
            for engine in member.engines:
                if isinstance(engine, ParticipantEngine):
                    yield member, engine

    def initiators(self) -> Iterator[tuple[Member, InitiatorEngine]]:
        for member in self.members():
            for engine in member.engines:
                if isinstance(engine, InitiatorEngine):
                    yield member, engine

    def verdict(self, saga_id: SagaId) -> tuple[Member, Verdict | None] | None:
        """The initiator of a saga and how the saga stands; None when no initiator has a record of it."""
        found = self._find(InitiatorEngine, lambda engine: replay_saga(engine.journal, saga_id))
        for member, entry in found:
            return member, verdict_of(entry)
        return None

    def owner_of(self, saga_id: SagaId, step_name: str) -> Member | None:
        """The member that has records of a step of a saga."""

        def owns(engine: ParticipantEngine[object, object, object]) -> bool | None:
            if all(name != step_name for _, name in engine.steps):
                return None
            entry = engine.committed(saga_id)
            return True if entry is not None and entry.step_name == step_name else None

        return next((member for member, _ in self._find(ParticipantEngine, owns)), None)

    def encoded_output(self, saga_id: SagaId, step: StepToken) -> bytes | None:
        """What a step gave, whatever became of it later."""
        wanted = {(saga_type, step.name) for saga_type in step.sagas()}

        def output(engine: ParticipantEngine[object, object, object]) -> bytes | None:
            return _output(engine, saga_id) if wanted & engine.steps else None

        return next((found for _, found in self._find(ParticipantEngine, output)), None)

    def quarantined(self) -> list[QuarantinedRecord]:
        def records(engine: ParticipantEngine[object, object, object]) -> list[QuarantinedRecord]:
            return list(quarantined_in(engine))

        return [record for _, found in self._find(ParticipantEngine, records) for record in found]

    def _find(self, kind: type[E], read: Callable[[E], R | None]) -> Iterator[tuple[Member, R]]:
        """What `read` finds in the engines of a kind, member by member; None is nothing."""
        for member in self.members():
            found = _read(member, kind, read)
            if found is not None:
                yield member, found

    def stats(self) -> dict[PeerId, ParticipantStatsSnapshot]:
        return {member.peer_id: engine.stats.snapshot() for member, engine in self.participants()}


def _read(member: Member, kind: type[E], read: Callable[[E], R | None]) -> R | None:
    while True:
        engines = member.ready_engines(kind)
        try:
            return next((read(engine) for engine in engines if isinstance(engine, kind)), None)
        except StoreMisused:
            # The actor ended and its store was closed while it was read: its successor is asked.
            if member.is_over or member.engines is engines:
                raise


def _output(engine: ParticipantEngine[object, object, object], saga_id: SagaId) -> bytes | None:
    for record in engine.records(saga_id):
        match record.event:
            case StepExecutionCompleted(output=output):
                return output
            case QuarantineResolved(resolution=ResolutionKind.COMPLETED, output=output):
                return output
            case _:
                continue
    return None
