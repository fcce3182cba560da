"""The shell around the pure core: receive, stage, commit, and only then tell anybody.

An engine serves one role of one actor (participant or initiator) on that actor's thread. Group commit: what has
arrived is collected and acted on in one turn, so that all of it shares one transaction. Under load a turn grows by
itself; an idle engine acts at once.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager

from saga_choreography.errors import SagaError, StoreFull
from saga_choreography.helpers.execution import RAISED
from saga_choreography.helpers.fault_points import FaultPoint
from saga_choreography.helpers.peer import Outgoing
from saga_choreography.helpers.ports import Surroundings
from saga_choreography.helpers.signals import (
    CancelRequest,
    Events,
    Flush,
    PendingEnded,
    ResolveStep,
    SagaSignal,
    StartRequest,
)
from saga_choreography.observability import NoticeKind
from saga_choreography.types import SagaId

PAUSE_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)
"""How long a full store is left alone between two tries."""


class StoppingWhilePaused(Exception):
    """The system stops while the store is full: what is staged was never acknowledged and is given up."""


class Engine(ABC):
    """Receive signals, act on them in turns, commit each turn before anything of it is told."""

    def __init__(self, surroundings: Surroundings) -> None:
        self.surroundings = surroundings
        self._inbox: list[SagaSignal] = []
        self._flush_is_coming = False
        self._in_turn = False
        self._outbox: list[Outgoing] = []
        self._after_commit: list[Callable[[], object]] = []

    def receive(self, signal: SagaSignal) -> None:
        """Take a signal. Acts at once when nothing else waits in the mailbox, else when that has been received too."""
        if self.surroundings.is_stopping:
            self.receive_last(signal)
        elif isinstance(signal, Flush):
            # What arrived after the flush was sent waits for the next one: under load the mailbox is never empty.
            self._flush_is_coming = False
            self.turn()
        else:
            self._inbox.append(signal)
            if self._flush_is_coming:
                return
            # Business code that reports from within a turn is heard in the next one.
            if not self._in_turn and self.surroundings.mailbox_is_empty():
                self.turn()
            else:
                self.wake_later()

    def wake_later(self) -> None:
        """Have another turn, behind everything that is in the mailbox now."""
        if not self._flush_is_coming:
            self._flush_is_coming = True
            self.surroundings.wake_later()

    def receive_last(self, signal: SagaSignal) -> None:
        """The system stops: facts are still journaled, so that what has ended is not live at the next start; no step
        is begun any more."""
        if isinstance(signal, Events | PendingEnded):
            self._inbox.append(signal)
            self._act_on_inbox()
            self.commit()
        else:
            self.refuse(signal)

    def _act_on_inbox(self) -> None:
        signals, self._inbox = self._inbox, []
        now_millis = self.surroundings.clock.now_millis()
        for signal in signals:
            self.take(signal, now_millis)

    def refuse(self, signal: SagaSignal) -> None:
        """The system stops: whoever waits for an answer gets one. Everything else resumes at the next start."""
        # The other engine of an actor with two roles may have refused it already.
        if isinstance(signal, StartRequest | CancelRequest | ResolveStep) and not signal.reply.done():
            signal.reply.set_exception(SagaError("the SagaSystem is stopping; nothing was done"))

    def turn(self) -> None:
        """Act on everything received so far."""
        self._in_turn = True
        try:
            self._act_on_inbox()
            self.work()
            self.commit()
        finally:
            self._in_turn = False
        if self.has_work():
            self.wake_later()

    @abstractmethod
    def take(self, signal: SagaSignal, now_millis: int) -> None:
        """Stage what one signal asks for. Signals of other roles are ignored."""

    def work(self) -> None:  # noqa: B027  # a role without business code has nothing to run
        """Run what is due, committing before it where that is needed."""

    def has_work(self) -> bool:
        """Whether another turn has something to do without another signal."""
        return False

    @abstractmethod
    def recover(self) -> list[SagaId]:
        """Rebuild what was in flight from the journal; returns the live sagas. Repeating it changes nothing."""

    @abstractmethod
    def join(self) -> None:
        """The actor is known to the event stream now: tell the facts of live sagas again and go on with them."""

    @abstractmethod
    def staged(self) -> bool:
        """Whether there is something to commit."""

    @abstractmethod
    def transaction(self) -> AbstractContextManager[None]:
        """A transaction of the role's store."""

    @abstractmethod
    def write(self) -> None:
        """Write everything staged; called inside a transaction, and again in a new one if that fails."""

    @abstractmethod
    def written(self) -> None:
        """Everything staged is committed: forget the stage, count it."""

    def detach(self) -> None:
        """Act on the facts that were received, refuse the rest, and close."""
        inbox, self._inbox = self._inbox, []
        try:
            for signal in inbox:
                self.receive_last(signal)
        finally:
            self.close()

    @abstractmethod
    def close(self) -> None:
        """Close the role's store. Idempotent; any thread, once the actor's thread has ended."""

    def publish_after_commit(self, event: Outgoing) -> None:
        self._outbox.append(event)

    def after_commit(self, action: Callable[[], object]) -> None:
        """Run `action` once everything staged so far is committed."""
        self._after_commit.append(action)

    def commit(self) -> None:
        """Make everything staged durable, then tell it: facts first, then replies, timers and hooks.

        A full store pauses the actor (nothing is lost, nothing is told) until there is room.

        Raises:
            StoreError: the store is broken; the actor must be restarted from its journal.
            StoppingWhilePaused: the system stops while the store is full.
        """
        if self.staged():
            self.surroundings.reach(FaultPoint.BEFORE_COMMIT)
            self._write_when_there_is_room()
            self.written()
            self.surroundings.reach(FaultPoint.AFTER_COMMIT)
        outbox, self._outbox = self._outbox, []
        actions, self._after_commit = self._after_commit, []
        if outbox:
            self.surroundings.publish(outbox)
            self.surroundings.reach(FaultPoint.AFTER_PUBLISH)
        for action in actions:
            action()

    def _write_when_there_is_room(self) -> None:
        tries = 0
        while True:
            try:
                with self.transaction():
                    self.write()
            except StoreFull as full:
                if tries == 0:
                    self.paused(str(full))
                seconds = PAUSE_SECONDS[min(tries, len(PAUSE_SECONDS) - 1)]
                if not self.surroundings.pause(seconds):
                    raise StoppingWhilePaused from full
                tries += 1
            else:
                if tries:
                    self.surroundings.notice(NoticeKind.STORE_RESUMED, f"there is room again after {tries} tries")
                return

    def paused(self, detail: str) -> None:
        """The store is full: say so."""
        self.surroundings.notice(NoticeKind.STORE_PAUSED, detail)

    def isolate(self, what: str, call: Callable[[], None]) -> bool:
        """Call a hook of user code; what it raises is reported and harms nothing. True when it did not raise."""
        try:
            call()
        except RAISED as error:
            self.surroundings.notice(NoticeKind.HOOK_RAISED, f"{what} raised {type(error).__name__}: {error}")
            return False
        return True
