"""`SagaTestWorld`: a real `SagaSystem`, with threads and stores, made for tests: it waits, restarts, kills, moves time.

Nothing in here sleeps. What a test waits for and does not get is an error that shows the transcript.
"""

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self, final, overload

import pykka
from typing_extensions import TypeVar

from saga_choreography.errors import StoreMisused
from saga_choreography.events import (
    SagaCompleted,
    SagaFailed,
    SagaQuarantined,
)
from saga_choreography.helpers.watch import Verdict
from saga_choreography.observability import NoticeKind
from saga_choreography.runtime.clock import SystemClock
from saga_choreography.runtime.handle import SagaHandle
from saga_choreography.runtime.system import SagaSystem
from saga_choreography.storage import Durability
from saga_choreography.testing.clock import ManualClock
from saga_choreography.testing.collector import WAIT_SECONDS, NotSeen
from saga_choreography.testing.faults import ActorName, FaultPoints, name_of
from saga_choreography.testing.idle import CountingClock, committed_verdict, members_of, wait_until_idle
from saga_choreography.testing.told import ToldNews
from saga_choreography.traits.workflow import AnyWorkflow, SagaWorkflow
from saga_choreography.types import SagaId

Payload = TypeVar("Payload")
A = TypeVar("A", bound=pykka.Actor)

_TURNING_POINTS: Final = (SagaCompleted, SagaFailed, SagaQuarantined)


@final
class SagaTestWorld(ToldNews):
    """A context manager. Without `data_dir` it lives in a temporary directory that is removed at the end.

    With `clock=ManualClock()` time passes only when the test says so, otherwise it is real. `faults` are its own unless
    given. `max_in_flight`, `workflows` and `durability` are those of `SagaSystem`.

    Raises:
        StoreError: when it is entered: the directory is locked, damaged or of another version.
    """

    def __init__(
        self,
        data_dir: str | os.PathLike[str] | None = None,
        *,
        clock: ManualClock | None = None,
        max_in_flight: int | None = None,
        workflows: Sequence[AnyWorkflow] = (),
        durability: Durability = Durability.PROCESS,
        faults: FaultPoints | None = None,
    ) -> None:
        super().__init__()
        self.faults: Final = FaultPoints() if faults is None else faults
        self._data_dir = None if data_dir is None else Path(data_dir)
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._manual_clock = clock
        self._counting_clock = CountingClock(clock if clock is not None else SystemClock())
        self._max_in_flight = max_in_flight
        self._workflows = tuple(workflows)
        self._durability = durability
        self._system: SagaSystem | None = None
        self._start_again: list[Callable[[SagaSystem], object]] = []

    def __enter__(self) -> Self:
        self._start_again = []
        if self._data_dir is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="saga-test-world-")
        try:
            self._open()
        except BaseException:
            self._clean_up()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._system is not None:
                self._close(self._system)
        finally:
            self._clean_up()

    @property
    def system(self) -> SagaSystem:
        """The present system; after `restart` it is another one.

        Raises:
            RuntimeError: the world was not entered, or has ended.
        """
        if self._system is None:
            raise RuntimeError("this SagaTestWorld is not running: use `with SagaTestWorld() as world:`")
        return self._system

    @property
    def clock(self) -> ManualClock:
        """The clock that was given.

        Raises:
            RuntimeError: none was.
        """
        if self._manual_clock is None:
            raise RuntimeError("this SagaTestWorld runs in real time: make it with clock=ManualClock()")
        return self._manual_clock

    # ---------------------------------------------------------------- what a program does

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
        """Like `SagaSystem.start_actor`; `restart` starts it again with these very arguments."""

        def start(system: SagaSystem) -> pykka.ActorRef[A] | list[pykka.ActorRef[A]]:
            if shards is None:
                return system.start_actor(actor_class, *args, shards=None, **kwargs)
            return system.start_actor(actor_class, *args, shards=shards, **kwargs)

        started = start(self.system)
        self._start_again.append(start)
        return started

    def start_saga(
        self, workflow: SagaWorkflow[Payload], payload: Payload, *, saga_id: SagaId | None = None
    ) -> SagaHandle:
        """Like `SagaSystem.start_saga`."""
        return self.system.start_saga(workflow, payload, saga_id=saga_id)

    # ---------------------------------------------------------------- what happens to a program

    def restart(self) -> None:
        """Stop the system and start another one on the same directory, with the same actors, as a new process would.

        Held actors are released first. The transcript and the faults go on; handles and refs from before are stale.
        """
        self._close(self.system)
        self._open()
        for start in self._start_again:
            start(self.system)

    def kill_actor(self, actor: ActorName, *, timeout: float = WAIT_SECONDS) -> None:
        """End the thread of an actor (of each of its shards); returns when it was restarted and has recovered.

        It finishes the message it works on; what else is in its mailbox is lost. To end it in the middle of something
        use `faults.fail`.

        Raises:
            ValueError: no actor of this name was started.
            NotSeen: it was not restarted within `timeout` seconds.
        """
        members = members_of(self.system, name_of(actor))
        if not members:
            raise ValueError(f"no actor {name_of(actor)!r} was started in this SagaTestWorld")
        before = {member.peer_id: self._restarts_of(member.peer_id) for member in members}
        for member in members:
            _ = member.ref.stop(block=False)
        self._collector.wait_until(
            lambda: all(self._restarts_of(peer_id) > times for peer_id, times in before.items()),
            f"the restart of {' and '.join(before)}",
            timeout=timeout,
        )

    def wait_until_idle(self, timeout: float = WAIT_SECONDS) -> None:
        """Wait at most `timeout` seconds until nothing is left to do but to wait for time or the world outside.

        Then every retry, timeout and deadline is armed, and everything told is in the transcript. What threads of your
        own are about to do is not seen; messages between your own actors are followed for a few hops.

        Raises:
            NotSeen: something is still busy, such as an actor held at a fault point.
        """
        busy = wait_until_idle(self.system, self._counting_clock, self._marks, timeout)
        if busy is not None:
            raise NotSeen(f"not idle within {timeout:g} s: {busy}; told was:{self._collector.told()}")

    def advance(self, millis: float, *, timeout: float = WAIT_SECONDS) -> None:
        """Wait until idle, let time pass by `millis`, and wait until everything that became due is done.

        Raises:
            RuntimeError: the world runs in real time.
            NotSeen: it was not idle within `timeout` seconds, before or afterwards.
        """
        clock = self.clock
        self.wait_until_idle(timeout)
        clock.advance(millis)
        self.wait_until_idle(timeout)

    # ---------------------------------------------------------------- how a saga ends

    def wait_for_terminal(
        self, saga: SagaId | SagaHandle, *, timeout: float = WAIT_SECONDS
    ) -> SagaCompleted | SagaFailed:
        """The outcome of a saga, as it is journaled, waiting at most `timeout` seconds for it.

        Raises:
            NotSeen: it has none; it goes on, or is parked for an operator.
        """
        verdict = self._wait_for_verdict(saga, (SagaCompleted, SagaFailed), "the outcome", timeout)
        assert not isinstance(verdict, SagaQuarantined)  # not asked for
        return verdict

    def wait_for_quarantine(self, saga: SagaId | SagaHandle, *, timeout: float = WAIT_SECONDS) -> SagaQuarantined:
        """Wait at most `timeout` seconds until a saga is parked for an operator.

        `system.quarantined()` has the evidence.

        Raises:
            NotSeen: it is not; it goes on, or has ended.
        """
        verdict = self._wait_for_verdict(saga, (SagaQuarantined,), "SagaQuarantined", timeout)
        assert isinstance(verdict, SagaQuarantined)  # nothing else was asked for
        return verdict

    # ---------------------------------------------------------------- inside

    def _open(self) -> None:
        path = self._data_dir if self._temporary is None else Path(self._temporary.name) / "state"
        assert path is not None  # one or the other was given
        self._system = SagaSystem(
            path,
            workflows=self._workflows,
            durability=self._durability,
            observers=(self._observer,),
            max_in_flight=self._max_in_flight,
            clock=self._counting_clock,
            fault_points=self.faults,
        )

    def _clean_up(self) -> None:
        temporary, self._temporary = self._temporary, None
        if temporary is not None:
            temporary.cleanup()

    def _close(self, system: SagaSystem) -> None:
        self.faults.release_all()
        self._system = None
        system.stop()

    def _restarts_of(self, peer_id: str) -> int:
        return sum(notice.peer == peer_id for notice in self._collector.notices(NoticeKind.ACTOR_RESTARTED))

    def _wait_for_verdict(
        self, saga: SagaId | SagaHandle, wanted: tuple[type[Verdict], ...], what: str, timeout: float
    ) -> Verdict:
        """The journal has the answer; the news only say when to look again."""
        saga_id = saga.saga_id if isinstance(saga, SagaHandle) else saga
        deadline = time.monotonic() + timeout
        while True:
            known = self._turning_points(saga_id)
            verdict = self._committed_verdict(saga_id)
            if isinstance(verdict, wanted):
                return verdict
            left = max(0.0, deadline - time.monotonic())
            self._collector.wait_until(self._turned(saga_id, known), what, saga_id=saga_id, timeout=left)

    def _committed_verdict(self, saga_id: SagaId) -> Verdict | None:
        try:
            return committed_verdict(self.system, saga_id)
        except StoreMisused:
            return None  # its initiator ended while its journal was read; a restart will be news

    def _turned(self, saga_id: SagaId, known: int) -> Callable[[], bool]:
        return lambda: self._turning_points(saga_id) != known

    def _turning_points(self, saga_id: SagaId) -> int:
        ends = sum(isinstance(event, _TURNING_POINTS) for event in self._collector.events(saga_id))
        return ends + len(self._collector.notices(NoticeKind.ACTOR_RESTARTED))
