"""A participant: the real core, with a disk, business code and a mailbox around it."""

from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import assert_never, final

from saga_choreography.events import (
    FenceRecorded,
    ParticipantEvent,
    SagaChoreographyEvent,
    SagaOutcome,
    StepExecutionStarted,
)
from saga_choreography.protocol import commands as c
from saga_choreography.protocol.decide import decide
from saga_choreography.protocol.facts import fact_of
from saga_choreography.protocol.memory import StepMemory, unheard_of
from saga_choreography.protocol.routing import addressees
from saga_choreography.protocol.spec import ParticipantSpec
from saga_choreography.protocol.stimuli import Recovered, RunGranted, Stimulus
from saga_choreography.state import Compensating, Executing, ParticipantState, Quarantined, is_in
from saga_choreography.types import SagaId, context_for
from tests.simulation import invariants
from tests.simulation.node import Node
from tests.simulation.ports import (
    INITIATOR,
    Host,
    Outgoing,
    PeerJoined,
    PendingEnded,
    ResolveStep,
    Signal,
    TimerFired,
)
from tests.simulation.violation import Violation


@final
class Participant(Node[ParticipantEvent]):
    """Owns the step of its name in every saga type that has one."""

    def __init__(self, spec: ParticipantSpec, host: Host) -> None:
        super().__init__(spec.step_name, host)
        self.spec = spec
        self.memories: dict[SagaId, StepMemory] = {}
        self._awaiting: deque[SagaId] = deque()
        self._calls: deque[tuple[SagaId, c.Command]] = deque()

    # ---------------------------------------------------------------- signals

    def take(self, signal: Signal, now: int) -> None:
        match signal:
            case TimerFired(saga_id, stimulus):
                self._feed(saga_id, stimulus, now)
            case PeerJoined(name):
                self._tell_facts(name)
            case PendingEnded(saga_id):
                memory = self.memories.get(saga_id)
                if memory is not None and (result := self.host.world.pending_result(memory.entry.origin, self.name)):
                    self._decide(memory, result, now)
            case ResolveStep(saga_id):
                memory = self.memories.get(saga_id)
                if memory is not None:
                    self._resolve(memory, now)
            case _:
                if isinstance(signal, SagaChoreographyEvent):
                    self._hear(signal, now)

    def _resolve(self, memory: StepMemory, now: int) -> None:
        entry = memory.entry
        if is_in(entry, Quarantined):
            word = self.host.world.operator_word(entry.origin, self.name, entry.state)
            self._decide(memory, word, now)
        else:
            invariants.check_refused(memory, self.spec, now)

    def _hear(self, event: SagaChoreographyEvent, now: int) -> None:
        saga_id = event.saga_id
        if saga_id in self.memories:
            self._feed(saga_id, event, now)
        elif not isinstance(event, SagaOutcome) and saga_id not in self.disk.marks:
            self._decide(unheard_of(event.origin, self.name, now), event, now)

    def _feed(self, saga_id: SagaId, stimulus: Stimulus, now: int) -> None:
        memory = self.memories.get(saga_id)
        if memory is not None:
            self._decide(memory, stimulus, now)

    def _decide(self, memory: StepMemory, stimulus: Stimulus, now: int) -> None:
        saga_id = memory.entry.saga_id
        self.host.note(self.name, saga_id, "hears", stimulus)
        decision = decide(memory, stimulus, self.spec, now)
        if decision.memory is memory and not decision.commands:
            return
        self.memories[saga_id] = decision.memory
        for record in decision.records:
            self._records.append((saga_id, record))
            if record.sequence == 1:
                self.mark(saga_id)
        for command in decision.commands:
            self._obey(saga_id, command)

    def mark(self, saga_id: SagaId) -> None:
        """Remember for good that this saga was met."""
        self._marks.append(saga_id)

    def _obey(self, saga_id: SagaId, command: c.Command) -> None:
        match command:
            case c.Publish(event):
                self._outbox.append(event)
            case c.AwaitRun():
                self._awaiting.append(saga_id)
            case c.RunStep() | c.RunProbe() | c.RunCancel() | c.RunCompensation() | c.ResumePending():
                self._calls.append((saga_id, command))
            case c.ArmTimer(at_millis, stimulus):
                self._after.append(partial(self.host.arm, self.name, at_millis, TimerFired(saga_id, stimulus)))
            case c.Forget():
                if self.memories.pop(saga_id).entry.sequence:
                    self._ends.append(saga_id)
            case c.NotifyQuarantined():
                invariants.check_evidence(self.memories[saga_id].entry)
            case c.Refuse(why) | c.Anomaly(why):
                raise Violation("I7", f"{self.name}: {why}", saga_id)
            case _:
                assert_never(command)

    # ---------------------------------------------------------------- business code

    def has_work(self) -> bool:
        return bool(self._awaiting or self._calls)

    def work(self, now: int) -> None:
        room = 1 if self.host.fate.rng.random() < 0.5 else 4
        while self._awaiting and len(self._calls) < room:
            self._feed(self._awaiting.popleft(), RunGranted(), now)
        batch = [self._calls.popleft() for _ in range(min(room, len(self._calls)))]
        if any(self._is_committed_first(saga_id, command) for saga_id, command in batch):
            self.commit()
        for saga_id, command in batch:
            self.host.point()
            stimulus = self._call(saga_id, command)
            self.host.point()
            if stimulus is not None:
                self._feed(saga_id, stimulus, self.host.now_millis())

    def _is_committed_first(self, saga_id: SagaId, command: c.Command) -> bool:
        memory = self.memories.get(saga_id)
        if memory is None or not isinstance(command, c.RunStep):
            return True
        plan = memory.entry.origin.plan.step(self.name)
        return plan is None or not plan.pure

    def _call(self, saga_id: SagaId, command: c.Command) -> Stimulus | None:
        memory = self.memories.get(saga_id)
        if memory is None:
            return None
        entry = memory.entry
        self.host.note(self.name, saga_id, "runs", command)
        if is_in(entry, Executing):
            return self._call_forward(entry, command)
        if is_in(entry, Compensating) and isinstance(command, c.RunCompensation):
            context = context_for(entry.origin, self.name, entry.state.attempt, "undo")
            return self.host.world.compensate(entry.origin, context, entry.state.undo)
        return None

    def _call_forward(self, entry: ParticipantState[Executing], command: c.Command) -> Stimulus | None:
        origin, world = entry.origin, self.host.world
        context = context_for(origin, self.name, entry.state.attempt, "do")
        match command:
            case c.RunStep():
                self._check_attempt(entry)
                return world.execute(origin, context, entry.state.input, self.incarnation)
            case c.RunProbe() if self.spec.has_probe:
                return world.probe(origin, context, self.incarnation)
            case c.RunCancel() if self.spec.has_cancel:
                return world.cancel(origin, context)
            case c.ResumePending():
                world.resume(origin, context, self.incarnation)
                return None
            case _:
                raise Violation("I13", f"{self.name} has no hook for {type(command).__name__}", entry.saga_id)

    def _check_attempt(self, entry: ParticipantState[Executing]) -> None:
        """I4, and I8 for the attempt itself."""
        events = [record.event for record in self.disk.journals.get(entry.saga_id, ())]
        if entry.state.attempt == 1 and any(isinstance(event, FenceRecorded) for event in events):
            raise Violation("I4", f"{self.name} starts behind the fence", entry.saga_id)
        plan = entry.origin.plan.step(self.name)
        begun = any(isinstance(event, StepExecutionStarted) for event in events)
        if plan is not None and not plan.pure and not begun:
            raise Violation("I8", f"{self.name} runs before its attempt is committed", entry.saga_id)

    # ---------------------------------------------------------------- restart and peers

    def recover(self) -> None:
        for saga_id in self.disk.live:
            self.host.point()
            if saga_id not in self.memories:
                self.memories[saga_id] = StepMemory(entry=invariants.replay(self.disk.journals[saga_id]))

    def join(self, now: int) -> None:
        for saga_id, memory in list(self.memories.items()):
            fact = fact_of(memory.entry)
            if fact is not None:
                self._outbox.append(fact)
            self._feed(saga_id, Recovered(), now)

    def _tell_facts(self, name: str) -> None:
        self.commit()
        for memory in self.memories.values():
            fact = fact_of(memory.entry)
            if fact is None:
                continue
            to = addressees(fact)
            if name in to.steps or (to.initiator and name == INITIATOR):
                self.host.tell(name, fact)

    def forget_all(self) -> None:
        self.memories = {}
        self._awaiting.clear()
        self._calls.clear()

    def snapshot(self) -> object:
        return dict(self.memories)

    def remembered(self) -> Sequence[SagaId]:
        return tuple(self.memories)

    def check_told(self, out: Outgoing) -> None:
        invariants.check_step_event(out, self.disk)

    def check_replay(self) -> None:
        for saga_id, memory in self.memories.items():
            records = self.all_records(saga_id)
            if memory.entry.sequence != len(records) or (records and invariants.replay(records) != memory.entry):
                raise Violation("I10", f"{self.name} remembers what its journal does not say", saga_id)
