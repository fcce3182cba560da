"""The participant's engine: feeds the pure core, journals what it decides, runs the business code it asks for.

Before a step runs, the record of its attempt is committed: otherwise a crash right after the effect, followed by a
fence, would answer "never ran" and leak it. Only a pure step, which has no effect outside, skips that first commit.
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from typing import Final, Generic, assert_never, cast, final

from typing_extensions import TypeVar

from saga_choreography.errors import (
    PayloadError,
    ResolutionRefused,
    UnknownSaga,
)
from saga_choreography.events import (
    SAGA_OUTCOMES,
    OutcomeKind,
    ParticipantEvent,
    SagaChoreographyEvent,
    SagaCompleted,
    SagaOutcome,
    SagaStarted,
    StepCompleted,
    TimestampedEvent,
)
from saga_choreography.helpers.calls import call_business, must_be_committed_first
from saga_choreography.helpers.engine import Engine
from saga_choreography.helpers.execution import (
    BoundStep,
    bind,
)
from saga_choreography.helpers.fault_points import FaultPoint
from saga_choreography.helpers.host import StateHost
from saga_choreography.helpers.met import Met
from saga_choreography.helpers.pacing import Pacing
from saga_choreography.helpers.peer import Peer, concerns
from saga_choreography.helpers.ports import Surroundings
from saga_choreography.helpers.recovery import UNREADABLE, rebuild, replay, was_interrupted
from saga_choreography.helpers.signals import (
    Events,
    PeerJoined,
    PendingEnded,
    PruneDue,
    ResolveStep,
    SagaSignal,
    TimerFired,
)
from saga_choreography.helpers.stage import Stage
from saga_choreography.helpers.upkeep import prune
from saga_choreography.observability import NoticeKind, ParticipantStats
from saga_choreography.protocol import commands as c
from saga_choreography.protocol.decide import decide
from saga_choreography.protocol.facts import fact_of
from saga_choreography.protocol.memory import NOTHING_TOLD, Told
from saga_choreography.protocol.stimuli import (
    RUN_GRANTED,
    OperatorResolved,
    Recovered,
    StepRaised,
    StepReturned,
    Stimulus,
)
from saga_choreography.state import ParticipantState, Quarantined, SagaStateEntry, is_in
from saga_choreography.state.transitions import new
from saga_choreography.traits.outcomes import StepOutput
from saga_choreography.traits.participant import SagaParticipant, declared_steps, has_hook
from saga_choreography.types import SagaId, context_for

In = TypeVar("In")
Out = TypeVar("Out")
Undo = TypeVar("Undo")

_SOURCES: Final = (SagaStarted, StepCompleted)
"""What can trigger a step."""


@final
class ParticipantEngine(Engine, Generic[In, Out, Undo]):
    """One participant's part in all its sagas."""

    def __init__(
        self, participant: SagaParticipant[In, Out, Undo], state: StateHost, surroundings: Surroundings
    ) -> None:
        super().__init__(surroundings)
        self._participant = participant
        self._state = state
        self._states = state.saga_states
        self._stats = state.saga_stats
        self._steps: dict[str, BoundStep[In, Out, Undo]] = {
            saga: bind(participant, token, is_observed=surroundings.is_observed)
            for token in declared_steps(participant)
            for saga in token.sagas()
        }
        self._told: dict[SagaId, Told] = {}
        self._sources: list[SagaStarted | StepCompleted] = []
        self._awaiting: deque[SagaId] = deque()
        self._interrupted: deque[SagaId] = deque()
        self._calls: deque[tuple[SagaId, c.Command]] = deque()
        self._stage = Stage()
        self._pacing = Pacing(surroundings.clock)
        self._met = Met()
        self._hears_completed = has_hook(participant, "on_saga_completed")
        self._hears_failed = has_hook(participant, "on_saga_failed")

    @property
    def steps(self) -> frozenset[tuple[str, str]]:
        """(saga type, step name) of each step this participant owns."""
        return frozenset((saga_type, bound.token.name) for saga_type, bound in self._steps.items())

    def bound(self, saga_type: str) -> BoundStep[In, Out, Undo]:
        """The step this participant owns in a saga type."""
        return self._steps[saga_type]

    def committed(self, saga_id: SagaId) -> SagaStateEntry | None:
        """The entry of one saga as its journal says, live or ended; any thread. None: no records."""
        return replay(self._state.saga_journal, saga_id)

    def records(self, saga_id: SagaId) -> tuple[TimestampedEvent[ParticipantEvent], ...]:
        """The journal of one saga; any thread."""
        return self._state.saga_journal.read(saga_id)

    def quarantined(self) -> Iterator[ParticipantState[Quarantined]]:
        """Entries that wait for an operator, from the journal; any thread."""
        for saga_id in self._state.saga_journal.live_sagas():
            try:
                entry = self.committed(saga_id)
            except UNREADABLE:
                continue  # reported when it was not resumed; the others are still to be seen
            if entry is not None and is_in(entry, Quarantined) and entry.origin.saga_type in self._steps:
                yield entry

    @property
    def stats(self) -> ParticipantStats:
        return self._stats

    # ---------------------------------------------------------------- signals

    def take(self, signal: SagaSignal, now_millis: int) -> None:
        match signal:
            case Events(events):
                for event in events:
                    if isinstance(event, _SOURCES):
                        self._sources.append(event)
                    else:
                        self._hear(event, now_millis)
            case TimerFired(saga_id, stimulus):
                self._feed(saga_id, stimulus, now_millis)
            case PendingEnded(saga_id, ended):
                self._feed(saga_id, ended, now_millis)
            case PeerJoined(peer):
                self._tell_facts(peer)
            case ResolveStep():
                self._resolve(signal, now_millis)
            case PruneDue():
                prune(self._state.saga_journal, signal, self.surroundings)
            case _:
                if isinstance(signal, SagaChoreographyEvent):
                    self.take(Events((signal,)), now_millis)

    def finish_pending(self, saga_id: SagaId, stimulus: StepReturned | StepRaised) -> None:
        """A pending step has ended.

        Raises:
            UnknownSaga: no live saga of this id is known here.
            ResolutionRefused: the step is quarantined.
        """
        entry = self._states.get(saga_id)
        if entry is None:
            raise UnknownSaga(saga_id, f"participant {self.surroundings.peer_id!r}")
        if is_in(entry, Quarantined):
            why = "it is quarantined, and what became of it is for an operator to say: SagaSystem.resolve"
            raise ResolutionRefused(saga_id, entry.step_name, why)
        self.receive(PendingEnded(saga_id, stimulus))

    def encode_output(self, saga_id: SagaId, output: StepOutput[Out, Undo]) -> StepReturned:
        """The stimulus for a pending step that has its effect.

        Raises:
            UnknownSaga: no live saga of this id is known here.
            PayloadError: the output does not fit the step's declared classes.
        """
        entry = self._states.get(saga_id)
        if entry is None:
            raise UnknownSaga(saga_id, f"participant {self.surroundings.peer_id!r}")
        return self._steps[entry.origin.saga_type].encode(output)

    def _act_on_inbox(self) -> None:
        super()._act_on_inbox()
        self._hear_sources()

    def _hear_sources(self) -> None:
        """What may trigger a step is heard behind everything that came with it: a fence among it is seen first."""
        sources, self._sources = self._sources, []
        if not sources:
            return
        now_millis = self.surroundings.clock.now_millis()
        # Sagas that have waited longer run first, and those that were interrupted one at a time.
        is_closed = self._awaiting or self._interrupted or self.surroundings.is_stopping
        room = 0 if is_closed else self._pacing.room()
        for event in sources:
            self._hear(event, now_millis, may_run=len(self._calls) < room)

    def _hear(self, event: SagaChoreographyEvent, now_millis: int, *, may_run: bool = False) -> None:
        origin = event.origin
        entry = self._states.get(origin.saga_id)
        if entry is not None:
            self._decide(entry, event, now_millis, may_run=may_run)
            return
        bound = self._steps.get(origin.plan.saga_type)
        if bound is None or isinstance(event, SAGA_OUTCOMES):
            return
        name = bound.token.name
        is_new = self._met.is_new(origin.birth) or not self._state.saga_dedupe.seen(origin.saga_id, name)
        if not is_new or origin.plan.step(name) is None:
            self._stats.count("duplicates")
            return
        self._decide(new(origin, name, now_millis), event, now_millis, may_run=may_run)

    def _feed(self, saga_id: SagaId, stimulus: Stimulus, now_millis: int) -> None:
        entry = self._states.get(saga_id)
        if entry is not None:  # else it ended meanwhile: a late timer or result
            self._decide(entry, stimulus, now_millis)

    def _decide(self, entry: SagaStateEntry, stimulus: Stimulus, now_millis: int, *, may_run: bool = False) -> None:
        origin = entry.origin
        saga_id, bound = origin.saga_id, self._steps[origin.plan.saga_type]
        told = self._told.get(saga_id, NOTHING_TOLD) if self._told else NOTHING_TOLD  # hashing a UUID is slow
        decision = decide(entry, told, stimulus, bound.spec, now_millis, may_run=may_run)
        after = decision.entry
        if after is entry and decision.told is told and not decision.commands:
            self._stats.count("duplicates")
            return
        if after is not entry or not after.sequence:
            self._states[saga_id] = after
        if decision.told is not told:
            if decision.told:
                self._told[saga_id] = decision.told
            else:
                self._told.pop(saga_id, None)
        if decision.records:
            self._stage.add(saga_id, after.step_name, decision.records)
        for command in decision.commands:
            self._obey(saga_id, after, command, now_millis)

    def _obey(self, saga_id: SagaId, entry: SagaStateEntry, command: c.Command, now_millis: int) -> None:
        match command:  # what every saga asks for comes first
            case c.Publish(event):
                self.publish_after_commit(event)
            case c.RunStep() | c.RunProbe() | c.RunCancel() | c.RunCompensation() | c.ResumePending():
                self._calls.append((saga_id, command))
            case c.AwaitRun():
                self._awaiting.append(saga_id)
            case c.Forget(outcome):
                self._forget(entry, outcome, now_millis)
            case c.ArmTimer(at_millis, stimulus):
                self.after_commit(partial(self.surroundings.arm, at_millis, TimerFired(saga_id, stimulus)))
            case c.NotifyQuarantined(reason):
                attempt = getattr(entry.state, "attempts", 0)
                context = context_for(entry.origin, entry.step_name, attempt, "do")
                self._hook("on_quarantined", partial(self._participant.on_quarantined, context, reason))
            case c.Refuse():
                pass  # answered by whoever asked
            case c.Anomaly(what):
                self._stats.count("anomalies")
                self.surroundings.notice(NoticeKind.ANOMALY, what, saga_id)
            case _:
                assert_never(command)

    def _forget(self, entry: SagaStateEntry, outcome: SagaOutcome, now_millis: int) -> None:
        del self._states[entry.saga_id]
        if self._told:
            self._told.pop(entry.saga_id, None)
        if entry.sequence == 0:
            return
        self._met.forget(entry.origin.birth)
        if isinstance(outcome, SagaCompleted):
            self._stage.end(entry.saga_id, now_millis, OutcomeKind.COMPLETED)
            if self._hears_completed:
                context = context_for(entry.origin, entry.step_name, 1, "do")
                self._hook("on_saga_completed", partial(self._participant.on_saga_completed, context))
        else:
            self._stage.end(entry.saga_id, now_millis, OutcomeKind.FAILED)
            if self._hears_failed:
                context = context_for(entry.origin, entry.step_name, 1, "do")
                self._hook("on_saga_failed", partial(self._participant.on_saga_failed, context, outcome.reason))

    def _hook(self, name: str, call: "partial[None]") -> None:
        def run() -> None:
            self._isolated(name, call)

        self.after_commit(run)

    def _isolated(self, name: str, call: Callable[[], None]) -> bool:
        went_well = self.isolate(f"{type(self._participant).__name__}.{name}", call)
        if not went_well:
            self._stats.count("hooks_raised")
        return went_well

    # ---------------------------------------------------------------- running business code

    def has_work(self) -> bool:
        return bool(self._interrupted or self._awaiting or self._calls)

    def work(self) -> None:
        """Run what is granted and due, a bounded batch: messages that wait in the mailbox get their turn in between."""
        if not self.has_work():
            return
        room = self._pacing.room()
        clock = self.surroundings.clock
        now_millis = clock.now_millis()
        if self._interrupted and not self._calls:
            # One at a time: one of them may be what ended the program, and would use up an attempt of all others.
            room = 1
            self._feed(self._interrupted.popleft(), Recovered(), now_millis)
        while self._awaiting and len(self._calls) < room:
            self._feed(self._awaiting.popleft(), RUN_GRANTED, now_millis)
        batch = [self._calls.popleft() for _ in range(min(room, len(self._calls)))]
        if any(self._must_be_committed_first(saga_id, command) for saga_id, command in batch):
            self.commit()
        for saga_id, command in batch:
            entry = self._states.get(saga_id)
            if entry is None:
                continue
            started = self._pacing.start()
            bound = self._steps[entry.origin.plan.saga_type]
            self.surroundings.reach(FaultPoint.BEFORE_CALL)
            stimulus = call_business(self._participant, bound, entry, command, clock, self._isolated)
            self.surroundings.reach(FaultPoint.AFTER_CALL)
            slow = self._pacing.finished(started)
            if stimulus is not None:
                self._feed(saga_id, stimulus, clock.now_millis())
            if slow:
                self.commit()  # results are durable as soon as they exist; only fast ones share a commit

    def _must_be_committed_first(self, saga_id: SagaId, command: c.Command) -> bool:
        entry = self._states.get(saga_id)
        return entry is not None and must_be_committed_first(entry, command)

    # ---------------------------------------------------------------- store

    def staged(self) -> bool:
        return bool(self._stage)

    def transaction(self) -> AbstractContextManager[None]:
        return self._state.saga_journal.transaction()

    def write(self) -> None:
        self._stage.write(self._state.saga_journal, self._state.saga_dedupe)

    def written(self) -> None:
        self._stats.committed(self._stage.clear())

    def paused(self, detail: str) -> None:
        self._stats.count("store_pauses")
        super().paused(detail)

    def close(self) -> None:
        self._state.saga_journal.close()

    # ---------------------------------------------------------------- restart, peers, operator

    def recover(self) -> list[SagaId]:
        """Rebuild the entries of live sagas from the journal. Repeating it changes nothing."""
        return rebuild(self._state, self._steps.keys(), self.surroundings)

    def join(self) -> None:
        """Go on with every live saga, and tell its fact again: it may have been committed and never told."""
        now_millis = self.surroundings.clock.now_millis()
        for saga_id in list(self._states):
            entry = self._states[saga_id]
            self._retell(entry)
            if was_interrupted(entry):
                self._interrupted.append(saga_id)
            else:
                self._feed(saga_id, Recovered(), now_millis)
        self.commit()
        if self.has_work():
            self.wake_later()

    def _retell(self, entry: SagaStateEntry) -> None:
        fact = fact_of(entry)
        if fact is not None:
            self._stats.count("facts_retold")
            self.publish_after_commit(fact)

    def _tell_facts(self, peer: Peer) -> None:
        """Tell a peer that joined the facts that concern it: directed, so nobody else is bothered."""
        if peer.peer_id == self.surroundings.peer_id:
            return
        self.commit()  # what is staged is told to everybody anyway; what is told below must be durable
        told = [fact for entry in self._states.values() if (fact := fact_of(entry)) and concerns(fact, peer)]
        if told:
            self._stats.count("facts_retold", len(told))
            peer.tell(told)

    def _resolve(self, word: ResolveStep, now_millis: int) -> None:
        """Apply an operator's word; the answer is given once it is committed."""
        entry = self._states.get(word.saga_id)
        if entry is None:
            where = f"participant {self.surroundings.peer_id!r}"
            word.reply.set_exception(UnknownSaga(word.saga_id, where))
            return
        bound = self._steps[entry.origin.saga_type]
        stimulus = OperatorResolved(resolution=word.resolution, by=word.by, why=word.why)
        if word.completed is not None:
            try:
                stimulus = self._resolved_as_completed(bound, word, word.completed)
            except PayloadError as error:
                word.reply.set_exception(error)
                return
        told = self._told.get(word.saga_id, NOTHING_TOLD)
        decision = decide(entry, told, stimulus, bound.spec, now_millis)
        for command in decision.commands:
            if isinstance(command, c.Refuse):
                word.reply.set_exception(ResolutionRefused(word.saga_id, entry.step_name, command.why))
                return
        self._feed(word.saga_id, stimulus, now_millis)
        self.after_commit(partial(word.reply.set_result, None))

    def _resolved_as_completed(
        self, bound: BoundStep[In, Out, Undo], word: ResolveStep, completed: StepOutput[object, object]
    ) -> OperatorResolved:
        # An operator's value comes untyped; the codecs check it against the declared classes.
        encoded = bound.encode(cast("StepOutput[Out, Undo]", completed))
        return OperatorResolved(
            resolution=word.resolution, by=word.by, why=word.why, output=encoded.output, undo=encoded.undo
        )
