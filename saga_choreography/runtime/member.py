"""`Member`: one actor of a system (one shard of it) through all its incarnations.

The supervisor's rule: an actor that ends while the system runs is started again with a growing delay, recovers from its
stores and joins anew; after too many deaths in a row it is given up and reported. Pykka itself restarts nothing.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Final, Protocol, final

import pykka
from attrs import frozen

from saga_choreography.errors import ActorStartError, NoReply, StoreError
from saga_choreography.helpers.engine import Engine
from saga_choreography.helpers.fault_points import FaultPointHook
from saga_choreography.helpers.host import HasEngines
from saga_choreography.helpers.ports import Clock
from saga_choreography.helpers.signals import Attach, Detach, SagaEvent
from saga_choreography.observability import NoticeKind, SagaNotice
from saga_choreography.runtime.connection import Connection, tell
from saga_choreography.runtime.event_stream import Left, Ref
from saga_choreography.runtime.replies import answered
from saga_choreography.runtime.timers import Timers
from saga_choreography.types import PeerId

READY_SECONDS: Final = 60.0
RESTART_DELAYS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Seconds before each restart in a row; after the last one the actor is given up."""
READ_SECONDS: Final = 30.0
"""How long a reader waits for an actor that is being replaced."""
HEALTHY_SECONDS: Final = 60.0
"""An actor that lived this long has its deaths forgiven."""


def tell_stop(ref: Ref) -> None:
    """Ask an actor to end, without waiting for it."""
    with suppress(pykka.ActorDeadError):
        _ = ref.stop(block=False)


@final
@frozen(kw_only=True)
class Shared:
    """What all members of a system share."""

    stream: Ref
    timers: Timers
    clock: Clock
    stopping: threading.Event
    fault_points: FaultPointHook
    tell_observers: Callable[[SagaNotice], None]
    is_observed: bool
    """Whether anybody hears events that no actor acts on."""


class Attacher(Protocol):
    """Opens an actor's stores and roles, on the actor's own thread; returns its engines."""

    def __call__(self, actor: HasEngines, connection: Connection) -> tuple[Engine, ...]: ...


@final
class Member:
    """Starts an actor, watches over it, and stops it."""

    def __init__(self, peer_id: PeerId, start: Callable[[], Ref], attach: Attacher, shared: Shared) -> None:
        self.peer_id = peer_id
        self._start_actor = start
        self._attach = attach
        self._shared = shared
        self._engines: tuple[Engine, ...] = ()
        self._roles: tuple[type[Engine], ...] = ()
        self._ref: Ref | None = None
        self._deaths = 0
        self._watcher: threading.Thread | None = None
        self._changed = threading.Condition()
        self._is_being_replaced = False
        self._was_given_up = False
        self._attaching: int | None = None

    @property
    def ref(self) -> Ref:
        """The present incarnation."""
        assert self._ref is not None, "the member was not started"
        return self._ref

    @property
    def is_over(self) -> bool:
        """Whether no other incarnation will come: it was given up, or the system stops."""
        return self._was_given_up or self._shared.stopping.is_set()

    def tell(self, message: object) -> None:
        """Tell the present incarnation, if there is one yet."""
        ref = self._ref
        if ref is not None:
            tell(ref, message)

    def await_successor(self, ended: Ref, timeout: float) -> None:
        """Return when another incarnation than `ended` is there, or after `timeout` seconds.

        Raises:
            NoReply: none will come.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._ref is not ended or self.is_over, timeout)
            if self._ref is ended and self.is_over:
                why = "has ended for good, and what it was asked may or may not have happened"
                raise NoReply(f"actor {self.peer_id!r} {why}; ask again after a restart, with the same saga id")

    @property
    def engines(self) -> tuple[Engine, ...]:
        return self._engines

    def ready_engines(self, kind: type[Engine]) -> tuple[Engine, ...]:
        """The engines, if one is of this kind. While the actor is being replaced, its successor's are waited for.

        The successor itself does not wait: its hooks may look things up while it joins.
        """
        with self._changed:
            if not any(issubclass(role, kind) for role in self._roles):
                return ()
            if self._attaching != threading.get_ident():
                self._changed.wait_for(lambda: not self._is_being_replaced or self.is_over, READ_SECONDS)
            return self._engines

    def start(self) -> Ref:
        """Start the actor and wait until it has recovered and joined.

        Raises:
            StoreError: its store cannot be opened.
            ActorStartError: it was not ready in time.
        """
        ref = self._bring_up()
        self._watcher = threading.Thread(target=self._watch, name=f"saga-watch-{self.peer_id}", daemon=True)
        self._watcher.start()
        return ref

    def stop(self, timeout: float) -> bool:
        """Close the stores on the actor's thread, behind the message it works on; True if it ended in time."""
        self._tell_waiting()
        ref = self._ref
        if ref is None or not ref.is_alive():
            self._close_engines()
            return True
        done: Future[None] = Future()
        tell(ref, SagaEvent(Detach(done)))
        if answered(ref, done, timeout):
            tell_stop(ref)
            return ref.actor_stopped.wait(timeout)
        if ref.is_alive():
            # A step that does not end: its daemon thread is left behind until it does, its saga resumes next time.
            tell_stop(ref)
            return False
        self._close_engines()
        return True

    def _bring_up(self) -> Ref:
        ref = self._start_actor()
        shared = self._shared
        connection = Connection(
            peer_id=self.peer_id,
            own_ref=ref,
            stream=shared.stream,
            timers=shared.timers,
            clock=shared.clock,
            stopping=shared.stopping,
            tell_observers=shared.tell_observers,
            fault_points=shared.fault_points,
            is_observed=shared.is_observed,
        )

        def attach(actor: HasEngines) -> None:
            self._attaching = threading.get_ident()
            try:
                self._engines = self._attach(actor, connection)
                self._roles = tuple(type(engine) for engine in self._engines)
            finally:
                self._attaching = None

        ready: Future[None] = Future()
        tell(ref, SagaEvent(Attach(attach, ready)))
        # Only now: a request that came before it is attached would be dropped, and whoever asked would wait in vain.
        self._ref = ref
        self._tell_waiting()
        try:
            if not answered(ref, ready, READY_SECONDS):
                why = "it ended or was silent before it was ready"
                remedy = "does its on_receive pass SagaEvent on to handle_saga_event?"
                raise ActorStartError(f"actor {self.peer_id!r}: {why}; {remedy}")
        except BaseException:
            tell_stop(ref)
            raise
        return ref

    def _watch(self) -> None:
        """Wait for the end of each incarnation; start the next."""
        shared = self._shared
        while True:
            born = shared.clock.monotonic_seconds()
            self.ref.actor_stopped.wait()
            if shared.stopping.is_set():
                return
            tell(shared.stream, Left(self.peer_id))
            lived = shared.clock.monotonic_seconds() - born
            self._deaths = 1 if lived >= HEALTHY_SECONDS else self._deaths + 1
            if not self._restart():
                return

    def _restart(self) -> bool:
        while self._deaths <= len(RESTART_DELAYS):
            delay = RESTART_DELAYS[self._deaths - 1]
            if self._shared.stopping.wait(delay):
                return False
            self._is_being_replaced = True
            self._close_engines()
            try:
                self._bring_up()
            except Exception as error:
                self._deaths += 1
                self._notice(NoticeKind.STORE_FAILED, f"restart failed: {type(error).__name__}: {error}")
                continue
            self._is_being_replaced = False
            self._tell_waiting()
            if self._shared.stopping.is_set():  # the system was stopped while this one came up
                self.stop(READY_SECONDS)
                return False
            self._notice(NoticeKind.ACTOR_RESTARTED, f"restarted after {delay} s, death {self._deaths} in a row")
            return True
        self._was_given_up = True
        self._tell_waiting()
        self._notice(NoticeKind.ACTOR_GAVE_UP, "it died too often; its sagas wait until the program is started again")
        return False

    def _tell_waiting(self) -> None:
        """Something changed that somebody may wait for."""
        with self._changed:
            self._changed.notify_all()

    def _close_engines(self) -> None:
        engines, self._engines = self._engines, ()
        for engine in engines:
            try:
                engine.close()
            except StoreError as error:
                self._notice(NoticeKind.STORE_FAILED, f"closing: {error}")

    def _notice(self, kind: NoticeKind, detail: str) -> None:
        self._shared.tell_observers(SagaNotice(kind=kind, peer=self.peer_id, detail=detail))
