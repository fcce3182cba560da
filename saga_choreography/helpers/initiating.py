"""The initiator's engine: commits starts, hears facts, commits the one outcome.

It feeds the pure resolver and journals what it decides; it never tells a participant what to do next.
"""

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager
from functools import partial
from typing import assert_never, final

from saga_choreography.errors import PayloadError, SagaIdConflict, UnknownSaga
from saga_choreography.events import (
    STEP_EVENTS,
    InitiatorEvent,
    OutcomeKind,
    SagaChoreographyEvent,
    SagaCompleted,
    SagaFailed,
    SagaOutcome,
    StepEvent,
    TimestampedEvent,
)
from saga_choreography.helpers.admission import Admission
from saga_choreography.helpers.engine import Engine
from saga_choreography.helpers.fault_points import FaultPoint
from saga_choreography.helpers.peer import Directed, Peer, concerns
from saga_choreography.helpers.ports import Surroundings
from saga_choreography.helpers.recovery import UNREADABLE
from saga_choreography.helpers.signals import (
    CancelRequest,
    DeadlineFired,
    Events,
    PeerJoined,
    PruneDue,
    SagaSignal,
    StartRequest,
)
from saga_choreography.helpers.upkeep import prune
from saga_choreography.helpers.watch import Verdict, Watches
from saga_choreography.observability import NoticeKind
from saga_choreography.protocol import resolver_commands as c
from saga_choreography.protocol.resolver import accept, outcome_event, quarantined_event, resolve, saga_facts
from saga_choreography.protocol.resolver_fold import fold_saga
from saga_choreography.storage.journal import InitiatorJournal, Tombstone
from saga_choreography.types import FailureCause, FailureKind, SagaId, SagaOrigin, SagaPlan


def start_digest(plan: SagaPlan, payload: bytes) -> bytes:
    """Identifies what was started (16 bytes): the same saga type and payload give the same digest."""
    name = plan.saga_type.encode("utf-8", "surrogatepass")
    key = name if len(name) <= hashlib.blake2b.MAX_KEY_SIZE else hashlib.blake2b(name).digest()
    return hashlib.blake2b(payload, digest_size=16, key=key).digest()


def replay_saga(journal: InitiatorJournal, saga_id: SagaId) -> c.SagaEntry | None:
    """The entry of one saga from its records, or None when there are none. Any thread.

    Raises:
        StoreDamaged, StoreVersionError: the records cannot be read.
    """
    entry: c.SagaEntry | None = None
    for record in journal.read(saga_id):
        entry = fold_saga(entry, record)
    return entry


def _is_same_start(entry: c.SagaEntry, request: StartRequest) -> bool:
    """Whether a request asks for what was started: the same saga type, and the same payload in the eyes of today's
    class. A class that has changed since may store the same payload as other bytes."""
    if entry.digest == start_digest(request.plan, request.payload):
        return True
    if request.renewed is None or entry.origin.saga_type != request.plan.saga_type:
        return False
    try:
        return request.renewed(entry.payload) == request.payload
    except PayloadError:
        return False


def verdict_of(entry: c.SagaEntry) -> Verdict | None:
    """How a saga stands, or None while it moves."""
    if entry.outcome is not None:
        return outcome_event(entry)
    return quarantined_event(entry) if entry.parked else None


@final
class InitiatorEngine(Engine):
    """One initiator's part in the sagas it started."""

    def __init__(
        self,
        journal: InitiatorJournal,
        surroundings: Surroundings,
        *,
        admission: Admission,
        watches: Watches,
        on_verdict: Callable[[Verdict], None] | None,
    ) -> None:
        super().__init__(surroundings)
        self.journal = journal
        self._admission = admission
        self._watches = watches
        self._on_verdict = on_verdict
        self._sagas: dict[SagaId, c.SagaMemory] = {}
        self._records: list[tuple[SagaId, TimestampedEvent[InitiatorEvent]]] = []
        self._ends: dict[SagaId, c.SagaEntry] = {}

    def start_now(self, request: StartRequest) -> None:
        """Start a saga from the actor's own thread: committed and told when this returns; `reply` has the answer."""
        self._start(request, self.surroundings.clock.now_millis())
        self.commit()

    def live(self) -> Iterator[c.SagaEntry]:
        """Entries of live sagas; the actor's thread only."""
        return (memory.entry for memory in self._sagas.values())

    # ---------------------------------------------------------------- signals

    def take(self, signal: SagaSignal, now_millis: int) -> None:
        match signal:
            case Events(events):
                for event in events:
                    self._hear(event, now_millis)
            case StartRequest():
                self._start(signal, now_millis)
            case CancelRequest():
                self._cancel(signal, now_millis)
            case DeadlineFired(saga_id, stimulus):
                self._feed(saga_id, stimulus, now_millis)
            case PeerJoined(peer):
                self._tell_facts(peer)
            case PruneDue():
                prune(self.journal, signal, self.surroundings)
            case _:
                if isinstance(signal, SagaChoreographyEvent):
                    self._hear(signal, now_millis)

    def _hear(self, event: SagaChoreographyEvent, now_millis: int) -> None:
        if not isinstance(event, STEP_EVENTS) or event.origin.initiator != self.surroundings.peer_id:
            return
        if not self._feed(event.saga_id, event, now_millis):
            self._hear_of_unknown(event, now_millis)

    def _feed(self, saga_id: SagaId, stimulus: c.ResolverStimulus, now_millis: int) -> bool:
        memory = self._sagas.get(saga_id)
        if memory is None:
            return False
        self._apply(saga_id, resolve(memory, stimulus, now_millis))
        return True

    def _hear_of_unknown(self, event: StepEvent, now_millis: int) -> None:
        """A fact of a saga that is not live: its teller missed the outcome, or this store has forgotten the saga."""
        if event.saga_id in self._ends:
            return  # the outcome is decided in this very turn, and told to everybody once it is committed
        try:
            entry = replay_saga(self.journal, event.saga_id)
        except UNREADABLE as error:
            self._report_unreadable(event.saga_id, error)
            return
        if entry is not None:
            self._apply(event.saga_id, resolve(c.SagaMemory(entry=entry, progress_at_millis=0), event, now_millis))
            return
        tombstone = self.journal.tombstone(event.saga_id)
        if tombstone is None:
            detail = f"step {event.step_name!r} told a fact of saga {event.saga_id}, of which there is no record here"
            self.surroundings.notice(NoticeKind.UNKNOWN_SAGA, detail, event.saga_id)
            return
        outcome = _outcome_of_pruned(event.origin, tombstone, now_millis)
        self.publish_after_commit(Directed(event.step_name, outcome))

    def _apply(self, saga_id: SagaId, resolution: c.Resolution) -> None:
        entry = resolution.memory.entry
        if entry.outcome is None:
            self._sagas[saga_id] = resolution.memory
        else:
            self._sagas.pop(saga_id, None)
        self._records += [(saga_id, record) for record in resolution.records]
        for command in resolution.commands:
            self._obey(entry, command)

    def _obey(self, entry: c.SagaEntry, command: c.ResolverCommand) -> None:
        saga_id = entry.origin.saga_id
        match command:
            case c.Tell(event):
                self.publish_after_commit(event)
            case c.TellStep():
                self.publish_after_commit(Directed(command.step_name, command.event))
            case c.ArmDeadline(at_millis, stimulus):
                self.after_commit(partial(self.surroundings.arm, at_millis, DeadlineFired(saga_id, stimulus)))
            case c.Ended(outcome):
                self._ends[saga_id] = entry
                self.after_commit(partial(self._admission.leave, saga_id))
                self.after_commit(partial(self._watches.set, saga_id, outcome))
                self._hook(outcome)
            case c.Parked(event):
                self.after_commit(partial(self._watches.set, saga_id, event))
                self._hook(event)
            case c.Unparked():
                self.after_commit(partial(self._watches.set, saga_id, None))
            case _:
                assert_never(command)

    def _hook(self, verdict: Verdict) -> None:
        hook = self._on_verdict
        if hook is not None:
            self.after_commit(partial(self.isolate, "the outcome hook", partial(hook, verdict)))

    def _start(self, request: StartRequest, now_millis: int) -> None:
        """Accept a saga, or recognise one that was accepted before. Whoever asked has taken a place for it."""
        try:
            is_new = self._is_new(request)
        except (SagaIdConflict, *UNREADABLE) as error:
            self._give_place_back(request.saga_id)
            request.reply.set_exception(error)
            return
        if not is_new:
            self._give_place_back(request.saga_id)
            self._inform_who_asks_again(request.saga_id)
        else:
            origin = SagaOrigin(
                saga_id=request.saga_id,
                initiator=self.surroundings.peer_id,
                started_at_millis=now_millis,
                plan=request.plan,
                birth=request.birth,
            )
            digest = start_digest(request.plan, request.payload)
            self._apply(request.saga_id, accept(origin, request.payload, digest))
        self.after_commit(partial(_reply, request.reply))

    def _give_place_back(self, saga_id: SagaId) -> None:
        if saga_id not in self._sagas:
            self._admission.leave(saga_id)

    def _inform_who_asks_again(self, saga_id: SagaId) -> None:
        """What was decided before the handle existed, perhaps by an earlier run of the program."""
        entry = self._entry_of(saga_id)
        verdict = verdict_of(entry) if entry is not None else None
        if verdict is not None:
            self.after_commit(partial(self._watches.set_if_unknown, saga_id, verdict))

    def _is_new(self, request: StartRequest) -> bool:
        memory = self._sagas.get(request.saga_id)
        if memory is None and request.birth:
            return True
        entry = memory.entry if memory is not None else replay_saga(self.journal, request.saga_id)
        if entry is not None:
            if not _is_same_start(entry, request):
                raise SagaIdConflict(request.saga_id, "with another saga type or payload")
            return False
        tombstone = self.journal.tombstone(request.saga_id)
        if tombstone is not None:
            raise SagaIdConflict(request.saga_id, f"it {tombstone.outcome.value} and its records are pruned")
        return True

    def _cancel(self, request: CancelRequest, now_millis: int) -> None:
        try:
            known = self._feed(request.saga_id, c.CancelRequested(request.reason), now_millis)
            if not known and replay_saga(self.journal, request.saga_id) is None:
                raise UnknownSaga(request.saga_id, f"initiator {self.surroundings.peer_id!r}")
        except (UnknownSaga, *UNREADABLE) as error:
            request.reply.set_exception(error)
            return
        self.after_commit(partial(_reply, request.reply))

    # ---------------------------------------------------------------- store

    def staged(self) -> bool:
        return bool(self._records)

    def transaction(self) -> AbstractContextManager[None]:
        return self.journal.transaction()

    def write(self) -> None:
        self.journal.append_all(self._records)
        for entry in self._ends.values():
            if entry.outcome is not None:
                tombstone = Tombstone(outcome=entry.outcome, digest=entry.digest)
                self.journal.end(entry.origin.saga_id, entry.updated_at_millis, tombstone)

    def written(self) -> None:
        self._records, self._ends = [], {}

    def close(self) -> None:
        self.journal.close()

    # ---------------------------------------------------------------- restart, peers

    def recover(self) -> list[SagaId]:
        """Rebuild the entries of live sagas from the journal. Repeating it changes nothing."""
        for saga_id in self.journal.live_sagas():
            if saga_id in self._sagas:
                continue
            self.surroundings.reach(FaultPoint.RECOVERING)
            try:
                entry = replay_saga(self.journal, saga_id)
            except UNREADABLE as error:
                self._report_unreadable(saga_id, error)
                continue
            if entry is not None:
                self._sagas[saga_id] = c.SagaMemory(entry=entry, progress_at_millis=entry.updated_at_millis)
        self._admission.recovered(self._sagas)
        return list(self._sagas)

    def _report_unreadable(self, saga_id: SagaId, error: Exception) -> None:
        """One saga's records are damaged: it stays as it is, with its evidence, and the others go on."""
        detail = f"saga {saga_id} is not resumed, its records are kept as they are: {error}"
        self.surroundings.notice(NoticeKind.RECORD_UNREADABLE, detail, saga_id)

    def join(self) -> None:
        self._inform_who_waits()
        now_millis = self.surroundings.clock.now_millis()
        for saga_id in list(self._sagas):
            for fact in saga_facts(self._sagas[saga_id]):
                self.publish_after_commit(fact)
            self._feed(saga_id, c.ResolverRecovered(), now_millis)
        self.commit()

    def _inform_who_waits(self) -> None:
        """The actor may have died between a commit and what follows from it: handles and places live on without it."""
        for saga_id in self._watches.ids() | self._admission.taken():
            entry = self._entry_of(saga_id)
            if entry is None:
                continue  # its start is still under way
            self._watches.set(saga_id, verdict_of(entry))
            if entry.outcome is not None:
                self._admission.leave(saga_id)

    def _entry_of(self, saga_id: SagaId) -> c.SagaEntry | None:
        memory = self._sagas.get(saga_id)
        if memory is not None:
            return memory.entry
        try:
            return replay_saga(self.journal, saga_id)
        except UNREADABLE as error:
            self._report_unreadable(saga_id, error)
            return None

    def _tell_facts(self, peer: Peer) -> None:
        """Tell a peer that joined what it must know of live sagas."""
        self.commit()
        told = [fact for memory in self._sagas.values() for fact in saga_facts(memory) if concerns(fact, peer)]
        if told:
            peer.tell(told)


def _outcome_of_pruned(origin: SagaOrigin, tombstone: Tombstone, now_millis: int) -> SagaOutcome:
    if tombstone.outcome is OutcomeKind.COMPLETED:
        return SagaCompleted(origin=origin, at_millis=now_millis)
    cause = FailureCause(kind=FailureKind.STEP_FAILED, reason="the records of the cause are pruned")
    return SagaFailed(origin=origin, at_millis=now_millis, cause=cause)


def _reply(reply: "Future[None]") -> None:
    if reply.set_running_or_notify_cancel():
        reply.set_result(None)
