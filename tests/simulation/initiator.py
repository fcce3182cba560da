"""The initiator: the real resolver, with a disk and a mailbox around it."""

from collections.abc import Sequence
from functools import partial
from typing import assert_never, final

from saga_choreography.events import InitiatorEvent, OutcomeKind, SagaResolved, StepEvent, TimestampedEvent
from saga_choreography.protocol import resolver_commands as c
from saga_choreography.protocol.resolver import accept, resolve, saga_facts
from saga_choreography.protocol.routing import addressees
from saga_choreography.types import SAGA_START, SagaId, SagaOrigin
from tests.simulation import invariants
from tests.simulation.ledger import output_of
from tests.simulation.node import Node
from tests.simulation.ports import (
    INITIATOR,
    CancelRequest,
    DeadlineFired,
    Host,
    Outgoing,
    PeerJoined,
    Signal,
    StartRequest,
)
from tests.simulation.violation import Violation


@final
class Initiator(Node[InitiatorEvent]):
    """Starts sagas and finds their outcomes."""

    def __init__(self, host: Host) -> None:
        super().__init__(INITIATOR, host)
        self.sagas: dict[SagaId, c.SagaMemory] = {}

    def take(self, signal: Signal, now: int) -> None:
        match signal:
            case StartRequest(origin):
                self._start(origin)
            case CancelRequest(saga_id):
                self._feed(saga_id, c.CancelRequested("nobody wants it"), now)
            case DeadlineFired(saga_id, stimulus):
                self._feed(saga_id, stimulus, now)
            case PeerJoined(name):
                self._tell_facts(name)
            case _:
                if isinstance(signal, StepEvent) and not self._feed(signal.saga_id, signal, now):
                    self._hear_of_ended(signal, now)

    def _start(self, origin: SagaOrigin) -> None:
        saga_id = origin.saga_id
        if saga_id not in self.sagas and not self.disk.all_of(saga_id):
            self._apply(saga_id, accept(origin, output_of(saga_id, SAGA_START), b"digest"))
        self._after.append(partial(self.host.acknowledge, saga_id))

    def _feed(self, saga_id: SagaId, stimulus: c.ResolverStimulus, now: int) -> bool:
        memory = self.sagas.get(saga_id)
        if memory is None:
            return False
        self.host.note(self.name, saga_id, "hears", stimulus)
        self._apply(saga_id, resolve(memory, stimulus, now))
        return True

    def _hear_of_ended(self, event: StepEvent, now: int) -> None:
        if self.is_ending(event.saga_id):
            return
        entry = invariants.replay_saga(self.disk.all_of(event.saga_id))
        if entry is not None:
            self.host.note(self.name, event.saga_id, "hears late", event)
            self._apply(event.saga_id, resolve(c.SagaMemory(entry=entry, progress_at_millis=0), event, now))

    def is_ending(self, saga_id: SagaId) -> bool:
        """Whether the outcome is decided in this turn: it is not on disk yet, and everybody is about to be told."""
        return saga_id in self._ends

    def _apply(self, saga_id: SagaId, resolution: c.Resolution) -> None:
        if resolution.memory.entry.outcome is None:
            self.sagas[saga_id] = resolution.memory
        else:
            self.sagas.pop(saga_id, None)
        self._records += [(saga_id, record) for record in resolution.records]
        for command in resolution.commands:
            match command:
                case c.Tell(event):
                    self._outbox.append(event)
                case c.TellStep():
                    self._outbox.append(command)
                case c.ArmDeadline(at_millis, stimulus):
                    self._after.append(partial(self.host.arm, self.name, at_millis, DeadlineFired(saga_id, stimulus)))
                case c.Ended():
                    self._ends.append(saga_id)
                case c.Parked() | c.Unparked():
                    pass
                case _:
                    assert_never(command)

    def committed(self, saga_id: SagaId, record: TimestampedEvent[InitiatorEvent]) -> None:
        if isinstance(record.event, SagaResolved):
            invariants.check_resolved_once(self.disk, saga_id)
            entry = invariants.replay_saga(self.disk.all_of(saga_id))
            if entry is not None:
                self.host.ended(entry.origin, completed=record.event.outcome is OutcomeKind.COMPLETED)

    def recover(self) -> None:
        for saga_id in self.disk.live:
            self.host.point()
            entry = invariants.replay_saga(self.disk.journals[saga_id])
            if saga_id not in self.sagas and entry is not None:
                self.sagas[saga_id] = c.SagaMemory(entry=entry, progress_at_millis=entry.updated_at_millis)

    def join(self, now: int) -> None:
        for saga_id, memory in list(self.sagas.items()):
            self._outbox += saga_facts(memory)
            self._feed(saga_id, c.ResolverRecovered(), now)

    def _tell_facts(self, name: str) -> None:
        self.commit()
        for memory in self.sagas.values():
            for fact in saga_facts(memory):
                if name in addressees(fact).steps:
                    self.host.tell(name, fact)

    def forget_all(self) -> None:
        self.sagas = {}

    def snapshot(self) -> object:
        return dict(self.sagas)

    def remembered(self) -> Sequence[SagaId]:
        return tuple(self.sagas)

    def check_told(self, out: Outgoing) -> None:
        invariants.check_saga_event(out, self.disk)

    def check_replay(self) -> None:
        for saga_id, memory in self.sagas.items():
            if invariants.replay_saga(self.all_records(saga_id)) != memory.entry:
                raise Violation("I10", "the initiator remembers what its journal does not say", saga_id)
