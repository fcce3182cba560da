"""`SagaSystem`: the actors of one program and the directory their stores live in."""

import atexit
import logging
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from datetime import timedelta
from functools import partial
from itertools import chain, repeat
from types import TracebackType
from typing import Final, Literal, Self, TypeAlias, final, overload

import pykka
from typing_extensions import TypeVar

from saga_choreography.codec import payload_codec
from saga_choreography.errors import ResolutionRefused, SagaError, StoreMisused, UnknownSaga, WorkflowError
from saga_choreography.events import ResolutionKind, SagaChoreographyEvent
from saga_choreography.helpers.fault_points import FaultPointHook, nothing_happens
from saga_choreography.helpers.handler import handle_saga_event
from saga_choreography.helpers.ports import Clock
from saga_choreography.helpers.signals import (
    CancelRequest,
    PruneDue,
    ResolveStep,
    SagaEvent,
    SagaSignal,
    StartRequest,
)
from saga_choreography.observability import SERIOUS, NoticeKind, ParticipantStatsSnapshot, SagaNotice, SagaObserver
from saga_choreography.runtime.attaching import Attaching, participant_tokens, roles_of
from saga_choreography.runtime.clock import SystemClock
from saga_choreography.runtime.connection import tell
from saga_choreography.runtime.event_stream import Barrier, EventStream, Observed
from saga_choreography.runtime.gate import StartGate
from saga_choreography.runtime.handle import SagaHandle
from saga_choreography.runtime.initiator import SagaInitiator
from saga_choreography.runtime.member import Member, Shared
from saga_choreography.runtime.observers import ObserverThread
from saga_choreography.runtime.quarantine import QuarantinedRecord
from saga_choreography.runtime.registry import Registry
from saga_choreography.runtime.replies import answered, ask_until_answered
from saga_choreography.runtime.resharding import refuse_while_live
from saga_choreography.runtime.seat import Seat
from saga_choreography.runtime.timers import Timers
from saga_choreography.storage import DataDirectory, Durability
from saga_choreography.traits.outcomes import StepOutput
from saga_choreography.traits.workflow import AnyWorkflow, SagaWorkflow
from saga_choreography.types import PeerId, SagaId, new_saga_id, next_birth

Payload = TypeVar("Payload")
A = TypeVar("A", bound=pykka.Actor)
Out = TypeVar("Out")
Undo = TypeVar("Undo")

_log = logging.getLogger("saga_choreography")

OperatorWord: TypeAlias = Literal["undone", "not_executed", "retry"] | StepOutput[Out, Undo]
"""How a quarantined step is resolved; a StepOutput means: completed, with this output and undo data."""

DEFAULT_INITIATOR: Final = "system"
REPLY_SECONDS: Final = 60.0
STOP_SECONDS: Final = 10.0
PRUNE_EVERY_MILLIS: Final = 10 * 60 * 1000


def _kind_of(resolution: OperatorWord[Out, Undo]) -> ResolutionKind | None:
    if isinstance(resolution, StepOutput):
        return ResolutionKind.COMPLETED
    words = {kind.value: kind for kind in ResolutionKind if kind is not ResolutionKind.COMPLETED}
    return words.get(resolution)


@final
class _DefaultInitiator(SagaInitiator, pykka.ThreadingActor):
    """Starts what `SagaSystem.start_saga` is asked to start."""

    def on_receive(self, message: SagaEvent) -> None:
        handle_saga_event(self, message.event)


@final
class SagaSystem:
    """Owns a data directory and the actors whose stores live in it. A context manager.

    Live sagas of an earlier run resume by themselves as their participants are started. `max_in_flight` bounds the live
    sagas of each initiator (None: no bound); finished sagas are kept for `retention` and their ids for as long again.
    `clock` and `fault_points` are for tests: see `saga_choreography.testing`.

    Raises:
        StoreLocked: another process, or another system, owns the directory.
        StoreVersionError, StoreDamaged, StoreFull, StoreError: see there; nothing was changed.
    """

    def __init__(
        self,
        data_dir: str | os.PathLike[str],
        *,
        workflows: Sequence[AnyWorkflow] = (),
        durability: Durability = Durability.FSYNC,
        observers: Sequence[SagaObserver] = (),
        max_in_flight: int | None = None,
        retention: timedelta = timedelta(days=7),
        clock: Clock | None = None,
        fault_points: FaultPointHook = nothing_happens,
    ) -> None:
        self._durability = durability
        self._max_in_flight = max_in_flight
        self._retention_millis = int(retention.total_seconds() * 1000)
        self._workflows = tuple(workflows)
        self._gate = StartGate()
        self._registry = Registry()
        self._guard = threading.Lock()
        self._stopping = threading.Event()
        self._directory = DataDirectory.open(data_dir)
        self._clock: Clock = clock if clock is not None else SystemClock()
        self._timers = Timers(self._clock)
        self._observers = [ObserverThread(observer) for observer in observers]
        self._stream = EventStream.start(self._dropped)
        self._shared = Shared(
            stream=self._stream,
            timers=self._timers,
            clock=self._clock,
            stopping=self._stopping,
            tell_observers=self._notice,
            fault_points=fault_points,
            is_observed=bool(self._observers),
        )
        self._seats: dict[str, Seat] = {}
        try:
            self._timers.start()
            for observer in self._observers:
                self._stream.tell(Observed(observer.tell))
            self._start_members(_DefaultInitiator, DEFAULT_INITIATOR, 1, partial(_DefaultInitiator.start))
            self._prune_later()
        except BaseException:
            self.stop()
            raise
        # A program that ends without stop() loses nothing; this only lets the running step finish.
        atexit.register(self.stop)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # ---------------------------------------------------------------- actors

    @overload
    def start_actor(
        self, actor_class: type[A], /, *args: object, shards: int, **kwargs: object
    ) -> list[pykka.ActorRef[A]]: ...
    @overload
    def start_actor(
        self, actor_class: type[A], /, *args: object, shards: None = None, **kwargs: object
    ) -> pykka.ActorRef[A]: ...
    def start_actor(
        self, actor_class: type[A], /, *args: object, shards: int | None = None, **kwargs: object
    ) -> pykka.ActorRef[A] | list[pykka.ActorRef[A]]:
        """Start an actor class with its constructor arguments; returns when it has recovered and joined.

        `shards=N` starts N actors with a store each and returns their refs; a saga always goes to the same shard.

        Raises:
            WorkflowError: the class is no saga actor, or its steps are served already or declared otherwise.
            StoreError: its store is locked, damaged or full, or `shards` changed while sagas live.
            ActorStartError: it did not become ready.
        """
        self._refuse_when_stopped()
        name = actor_class.__name__
        count = 1 if shards is None else shards
        if count < 1:
            raise ValueError(f"shards is {count}, it must be at least 1")
        roles = roles_of(actor_class)
        if self._registry.has(name):
            raise WorkflowError(name, [f"an actor class named {name} is started already"])
        if roles.participant:
            tokens = participant_tokens(actor_class)
            self._gate.bind(name, tokens, self._workflows)
        try:
            refuse_while_live(self._directory, name, count, self._durability)
            self._start_members(actor_class, name, count, partial(actor_class.start, *args, **kwargs))
        except BaseException:
            self._gate.unbind(name)
            raise
        refs = self.refs(actor_class)
        return refs[0] if shards is None else refs

    def refs(self, actor_class: type[A]) -> list[pykka.ActorRef[A]]:
        """The present refs of a started actor class, one a shard. An actor that was restarted has a new ref."""
        return [member.ref for member in self._registry.members_of(actor_class.__name__)]

    def _start_members(self, actor_class: type, name: str, shards: int, start: Callable[[], object]) -> None:
        members: list[Member] = []
        for shard in range(shards):
            peer_id = PeerId(name if shards == 1 else f"{name}-{shard}")
            seat = Seat(peer_id, self._gate, self._registry, self._max_in_flight)
            if issubclass(actor_class, SagaInitiator):
                self._seats[peer_id] = seat
            members.append(self._member(peer_id, name, shard, shards, start, seat))
        self._registry.add(name, members)
        started: list[Member] = []
        try:
            for member in members:
                member.start()
                started.append(member)
        except BaseException:
            self._registry.remove(name)
            for member in started:
                member.stop(STOP_SECONDS)
            raise

    def _member(
        self, peer_id: PeerId, name: str, shard: int, shards: int, start: Callable[[], object], seat: Seat
    ) -> Member:
        def start_ref() -> "pykka.ActorRef[pykka.Actor]":
            ref = start()
            assert isinstance(ref, pykka.ActorRef)
            return ref

        attaching = Attaching(
            actor_name=name,
            shard=shard,
            shards=shards,
            directory=self._directory,
            directory_guard=self._guard,
            durability=self._durability,
            stream=self._stream,
            seat=seat,
            admission=seat.admission,
            watches=seat.watches,
        )
        return Member(peer_id, start_ref, attaching, self._shared)

    # ---------------------------------------------------------------- sagas

    def start_saga(
        self,
        workflow: SagaWorkflow[Payload],
        payload: Payload,
        *,
        saga_id: SagaId | None = None,
        timeout: float = 30.0,
    ) -> SagaHandle:
        """Start a saga. When this returns, the saga survives the end of the process and reaches exactly one outcome.

        The same id and payload again give a handle on the same saga, also when the payload's class has changed since:
        what was stored is compared as today's class reads it. With `max_in_flight` sagas live, this waits at
        most `timeout` seconds for one to end.

        Raises:
            WorkflowError: the workflow is not what the started participants declare; every fault is listed.
            PayloadError: the payload is not of the saga's class.
            SagaIdConflict: the id was used for something else.
            SagaBackpressure: no saga ended in time; nothing was started.
        """
        self._refuse_when_stopped()
        seat = self._seats[DEFAULT_INITIATOR]
        seat.check(workflow)
        codec = payload_codec(workflow.saga.gives)
        encoded = codec.encode(payload, f"payload of saga type {workflow.saga.name!r}")
        own_id = saga_id or new_saga_id()
        # Only the first request is the first that is heard of a new id: it is repeated when the actor dies meanwhile.
        births = chain(() if saga_id is not None else (next_birth(),), repeat(0))
        handle = seat.handle(own_id)
        seat.enter(own_id, timeout, self._stopping)
        initiator = self._registry.members_of(DEFAULT_INITIATOR)[0]
        plan, renewed = workflow.plan, codec.renewed
        self._ask(initiator, lambda reply: StartRequest(own_id, plan, encoded, reply, next(births), renewed))
        if saga_id is not None:
            with suppress(StoreMisused):  # stopped this very moment: the saga is started all the same
                self._inform(handle)
        return handle

    def handle(self, saga_id: SagaId) -> SagaHandle:
        """A handle on a saga, live or ended, whoever started it here.

        Raises:
            UnknownSaga: no initiator of this system has a record of it.
        """
        self._refuse_when_stopped()
        found = self._registry.verdict(saga_id)
        if found is None:
            raise UnknownSaga(saga_id, "this system")
        handle = self._seats[found[0].peer_id].handle(saga_id)
        self._inform(handle)
        return handle

    def cancel_saga(self, saga_id: SagaId, reason: str) -> None:
        """Undo a live saga; returns when the fence is committed. A saga that has ended, or is being undone, stays so.

        Raises:
            UnknownSaga: no initiator of this system has a record of it.
        """
        self._refuse_when_stopped()
        found = self._registry.verdict(saga_id)
        if found is None:
            raise UnknownSaga(saga_id, "this system")
        self._ask(found[0], lambda reply: CancelRequest(saga_id, reason, reply))

    def quarantined(self) -> list[QuarantinedRecord]:
        """Every quarantined step with its evidence."""
        self._refuse_when_stopped()
        return self._registry.quarantined()

    def resolve(
        self, saga_id: SagaId, step_name: str, resolution: OperatorWord[Out, Undo], *, by: str, why: str
    ) -> None:
        """Resolve a quarantined step; returns when who, when, how and why are committed.

        "undone": its effect is undone by hand. "not_executed": it had none. "retry": try once more under the same key.
        A StepOutput: the step in doubt did complete, with this output and undo data.

        Raises:
            UnknownSaga: no participant has records of this step of this saga.
            ResolutionRefused: the step is not quarantined, or the resolution does not fit.
            PayloadError: the given output or undo data is not of the step's classes.
        """
        self._refuse_when_stopped()
        if not by or not why:
            raise ResolutionRefused(saga_id, step_name, "say who resolves it (by) and on what grounds (why)")
        kind = _kind_of(resolution)
        if kind is None:
            why_not = f"{resolution!r} is no resolution; say 'undone', 'not_executed', 'retry', or give a StepOutput"
            raise ResolutionRefused(saga_id, step_name, why_not)
        member = self._registry.owner_of(saga_id, step_name)
        if member is None:
            raise UnknownSaga(saga_id, f"step {step_name!r}")
        completed = None
        if isinstance(resolution, StepOutput):
            completed = StepOutput[object, object](resolution.output, resolution.undo)
        self._ask(member, lambda reply: ResolveStep(saga_id, kind, completed, by, why, reply))

    def stats(self) -> dict[PeerId, ParticipantStatsSnapshot]:
        """Counters of every participant."""
        return self._registry.stats()

    # ---------------------------------------------------------------- end

    def stop(self, timeout: float = STOP_SECONDS) -> None:
        """Let running steps finish (at most `timeout` seconds each), commit, close. Idempotent.

        What is left resumes at the next start.
        """
        if self._stopping.is_set():
            return
        self._stopping.set()
        atexit.unregister(self.stop)
        self._timers.stop()
        # Initiators first: what they decided is delivered before the participants close.
        initiators = [member for member, _ in self._registry.initiators()]
        for member in initiators:
            member.stop(timeout)
        self._drain_stream(timeout)
        for member in self._registry.members():
            if member not in initiators:
                member.stop(timeout)
        self._stream.stop(block=True, timeout=timeout)
        for observer in self._observers:
            observer.stop(timeout=1.0)
        self._directory.close()

    def _ask(self, member: Member, request: Callable[["Future[None]"], SagaSignal]) -> None:
        ask_until_answered(member, lambda reply: SagaEvent(request(reply)), REPLY_SECONDS)

    def _drain_stream(self, timeout: float) -> None:
        delivered: Future[None] = Future()
        tell(self._stream, Barrier(delivered))
        answered(self._stream, delivered, timeout)

    def _inform(self, handle: SagaHandle) -> None:
        """Tell a fresh handle what was decided before it existed."""
        if handle.outcome() is None:
            found = self._registry.verdict(handle.saga_id)
            if found is not None and found[1] is not None:
                self._seats[found[0].peer_id].watches.set_if_unknown(handle.saga_id, found[1])

    def _prune_later(self) -> None:
        self._timers.arm(self._clock.now_millis() + PRUNE_EVERY_MILLIS, self._prune)

    def _prune(self) -> None:
        for member in self._registry.members():
            member.tell(SagaEvent(PruneDue(self._retention_millis)))
        self._prune_later()

    def _notice(self, notice: SagaNotice) -> None:
        """Operational news go to the log, and to the observers."""
        level = logging.ERROR if notice.kind in SERIOUS else logging.WARNING
        _log.log(level, "%s: %s: %s", notice.peer, notice.kind.value, notice.detail)
        news: Sequence[SagaChoreographyEvent | SagaNotice] = [notice]
        for observer in self._observers:
            observer.tell(news)

    def _dropped(self, peer_id: PeerId) -> None:
        if not self._stopping.is_set():
            detail = "it has ended and is told nothing more until it joins again"
            self._notice(SagaNotice(kind=NoticeKind.SUBSCRIBER_DROPPED, peer=peer_id, detail=detail))

    def _refuse_when_stopped(self) -> None:
        if self._stopping.is_set():
            raise SagaError("this SagaSystem was stopped; open a new one on the same directory")
