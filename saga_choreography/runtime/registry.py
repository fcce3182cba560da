"""Who plays what in a system, and what can be read from their journals by any thread."""

import threading
from collections.abc import Iterator
from typing import final

from saga_choreography.events import QuarantineResolved, ResolutionKind, StepExecutionCompleted
from saga_choreography.helpers.initiating import InitiatorEngine, replay_saga, verdict_of
from saga_choreography.helpers.participant import ParticipantEngine
from saga_choreography.helpers.watch import Verdict
from saga_choreography.observability import ParticipantStatsSnapshot
from saga_choreography.runtime.member import Member
from saga_choreography.runtime.quarantine import QuarantinedRecord, quarantined_in
from saga_choreography.traits.subscription import StepToken
from saga_choreography.types import PeerId, SagaId


@final
class Registry:
    """The members of a system. Thread-safe; reads committed records only."""

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
        for member, engine in self.initiators():
            entry = replay_saga(engine.journal, saga_id)
            if entry is not None:
                return member, verdict_of(entry)
        return None

    def owner_of(self, saga_id: SagaId, step_name: str) -> Member | None:
        """The member that has records of a step of a saga."""
        for member, engine in self.participants():
            if any(name == step_name for _, name in engine.steps):
                entry = engine.committed(saga_id)
                if entry is not None and entry.step_name == step_name:
                    return member
        return None

    def encoded_output(self, saga_id: SagaId, step: StepToken) -> bytes | None:
        """What a step gave, whatever became of it later."""
        wanted = {(saga_type, step.name) for saga_type in step.sagas()}
        for _, engine in self.participants():
            if wanted & engine.steps:
                output = _output(engine, saga_id)
                if output is not None:
                    return output
        return None

    def quarantined(self) -> list[QuarantinedRecord]:
        return [record for _, engine in self.participants() for record in quarantined_in(engine)]

    def stats(self) -> dict[PeerId, ParticipantStatsSnapshot]:
        return {member.peer_id: engine.stats.snapshot() for member, engine in self.participants()}


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
