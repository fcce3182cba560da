"""Whether anything is left to do in a running system, without sleeping and without asking the actors' code.

Work lives in mailboxes, in the hands of an actor, in the event stream, or in a timer that is due. Every turn of an
engine reads the clock, so a clock that counts its readings counts turns. Messages that do nothing are sent through
all mailboxes (what an actor was doing is finished then), through stream and timers (what they held has been delivered
then), and through all mailboxes again. If no turn began all the while, nothing was left anywhere.

This is the one module of `testing` that looks inside a `SagaSystem`.
"""

import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Final, TypeAlias, final

import pykka
from pykka.messages import ProxyGetAttr

from saga_choreography.helpers.ports import Clock
from saga_choreography.helpers.watch import Verdict
from saga_choreography.observability import NoticeKind, SagaNotice
from saga_choreography.runtime.event_stream import EventStream, Ref
from saga_choreography.runtime.initiator import SagaInitiator
from saga_choreography.runtime.member import Member
from saga_choreography.runtime.system import SagaSystem
from saga_choreography.traits.participant import SagaParticipant
from saga_choreography.types import PeerId, SagaId

ROUNDS: Final = 8
"""Before and after the stream: the engine needs two (a message, and the flush it asks for); the others follow messages
of users' own actors."""

_LOOK_SECONDS: Final = 0.25
_STUCK: Final = "busy: in its step, or held at a fault point"
_RESTLESS: Final = "the actors keep each other busy"
_Named: TypeAlias = tuple[str, Ref]
_PASS_BY: Final = ProxyGetAttr(attr_path=("actor_urn",))
_NOBODY: Final = PeerId("testing")
_OVERDUE: Final = -(2**62)


@final
class CountingClock:
    """Another clock, with its readings counted."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._guard = threading.Lock()
        self._deaf_to: set[int] = set()
        self.readings: int = 0

    def now_millis(self) -> int:
        with self._guard:
            if threading.get_ident() not in self._deaf_to:
                self.readings += 1
        return self._clock.now_millis()

    def monotonic_seconds(self) -> float:
        return self._clock.monotonic_seconds()

    def on_moved(self, tell: Callable[[], None]) -> None:
        self._clock.on_moved(tell)

    @contextmanager
    def uncounted(self) -> Generator[None, None, None]:
        """Readings of this thread do not count."""
        with self._guard:
            self._deaf_to.add(threading.get_ident())
        try:
            yield
        finally:
            with self._guard:
                self._deaf_to.discard(threading.get_ident())


@final
class Marks:
    """Marks in the news of an observer: once one has come through, all news before it have."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._sent: list[SagaNotice] = []

    def is_mark(self, notice: SagaNotice) -> bool:
        """Whether a notice is a mark, which nobody else shall see."""
        if notice.peer is not _NOBODY:
            return False
        with self._changed:
            self._sent = [mark for mark in self._sent if mark is not notice]
            self._changed.notify_all()
        return True

    def pass_through(self, system: SagaSystem, timeout: float) -> bool:
        """Wait at most `timeout` seconds until the first observer has seen all news; False if it has not."""
        mark = SagaNotice(kind=NoticeKind.ANOMALY, peer=_NOBODY, detail="a mark, never shown")
        with self._changed:
            self._sent.append(mark)
        system._observers[0].tell([mark])
        with self._changed:
            return self._changed.wait_for(lambda: all(sent is not mark for sent in self._sent), timeout)


def committed_verdict(system: SagaSystem, saga_id: SagaId) -> Verdict | None:
    """How a saga stands, from the journal of its initiator; None while it moves, or is not known."""
    found = system._registry.verdict(saga_id)
    return None if found is None else found[1]


def members_of(system: SagaSystem, name: str) -> list[Member]:
    """The members of a started actor class, one a shard."""
    return system._registry.members_of(name)


def wait_until_idle(system: SagaSystem, clock: CountingClock, marks: Marks, timeout: float) -> str | None:
    """Wait at most `timeout` seconds until nothing is left to do; None then, or who was still busy."""
    deadline = time.monotonic() + timeout
    with clock.uncounted():
        while True:
            busy = _busy(system, clock, deadline)
            if busy is None and marks.pass_through(system, max(0.0, deadline - time.monotonic())):
                return None
            if time.monotonic() >= deadline:
                return busy or "the observer has not seen all news"


def _busy(system: SagaSystem, clock: CountingClock, deadline: float) -> str | None:
    present = [(member, member.ref) for member in system._registry.members()]
    members = [(member, ref) for member, ref in present if ref.is_alive() or not member.is_over]
    for member, ref in members:
        if not ref.is_alive():
            member.await_successor(ref, min(_LOOK_SECONDS, max(0.0, deadline - time.monotonic())))
            return f"{member.peer_id} has ended and was not restarted yet"
    actors: list[_Named] = [(member.peer_id, ref) for member, ref in members]
    actors += _other_actors()
    before = clock.readings
    busy = _pass_by(actors, deadline) or _deliver(system, deadline) or _pass_by(actors, deadline)
    if busy is not None:
        return busy
    if clock.readings != before:
        return _RESTLESS
    for member, ref in members:
        if member.ref is not ref or not ref.is_alive() or not member.engines:
            return f"{member.peer_id} is being restarted"
    return None


def _other_actors() -> list[_Named]:
    """Actors of the test's own, that play no part in any system."""
    parts = (SagaParticipant, SagaInitiator, EventStream)
    refs: list[Ref] = [ref for ref in pykka.ActorRegistry.get_all() if not issubclass(ref.actor_class, parts)]
    return [(ref.actor_class.__name__, ref) for ref in refs]


def _pass_by(actors: Sequence[_Named], deadline: float) -> str | None:
    for _ in range(ROUNDS):
        for name, ref, passed in [(name, ref, ref.ask(_PASS_BY, block=False)) for name, ref in actors]:
            busy = _pass(name, ref, passed, deadline)
            if busy is not None:
                return busy
    return None


def _pass(name: str, ref: Ref, passed: "pykka.Future[str]", deadline: float) -> str | None:
    """Wait until a message has come through a mailbox; or say why it has not."""
    began = time.monotonic()
    while True:
        try:
            passed.get(timeout=min(_LOOK_SECONDS, max(0.0, deadline - time.monotonic())))
        except pykka.Timeout:
            if not ref.is_alive():
                return f"{name} has ended"
            now = time.monotonic()
            if now >= deadline:
                return f"{name} is {_STUCK}" if now - began >= _LOOK_SECONDS else _RESTLESS
        except pykka.ActorDeadError:
            return f"{name} has ended"
        else:
            return None


def _deliver(system: SagaSystem, deadline: float) -> str | None:
    """What the stream and the timers hold at this moment is in the mailboxes when this returns None."""
    delivered = threading.Event()
    system._timers.arm(_OVERDUE, delivered.set)  # behind everything else that is due
    if not delivered.wait(max(0.0, deadline - time.monotonic())):
        return "the timer thread is busy"
    stream: Ref = system._stream
    return _pass("the event stream", stream, stream.ask(_PASS_BY, block=False), deadline)
