"""Waiting for the outcome of a saga, from any thread."""

import threading
from collections.abc import Callable
from typing import TypeAlias, final
from weakref import WeakValueDictionary

from saga_choreography.events import SagaCompleted, SagaFailed, SagaOutcome, SagaQuarantined
from saga_choreography.types import SagaId

Verdict: TypeAlias = SagaCompleted | SagaFailed | SagaQuarantined
"""How a saga stands: ended, or parked for an operator."""


@final
class SagaWatch:
    """What is known of one saga's outcome; lives as long as somebody holds a handle."""

    __slots__ = ("__weakref__", "_changed", "_verdict", "saga_id")

    def __init__(self, saga_id: SagaId) -> None:
        self.saga_id: SagaId = saga_id
        self._verdict: Verdict | None = None
        self._changed: threading.Condition | None = None

    @property
    def verdict(self) -> Verdict | None:
        return self._verdict

    def set(self, verdict: Verdict | None) -> None:
        """A committed verdict; None: the saga goes on after an operator's word."""
        with _lock:
            self._verdict = verdict
            if self._changed is not None and verdict is not None:
                self._changed.notify_all()

    def wait(self, timeout: float | None) -> Verdict | None:
        """The verdict, waiting for it at most `timeout` seconds (None: for ever)."""
        return self._wait(timeout, lambda: self._verdict is not None)

    def wait_for_end(self, timeout: float | None) -> SagaOutcome | None:
        """The outcome, waiting for it at most `timeout` seconds (None: for ever), also while the saga is parked."""
        verdict = self._wait(timeout, lambda: isinstance(self._verdict, SagaOutcome))
        return verdict if isinstance(verdict, SagaOutcome) else None

    def _wait(self, timeout: float | None, enough: Callable[[], bool]) -> Verdict | None:
        with _lock:
            if self._changed is None:
                # Only who really waits pays for a condition; all of them share one lock.
                self._changed = threading.Condition(_lock)
            self._changed.wait_for(enough, timeout)
            return self._verdict


_lock = threading.Lock()


@final
class Watches:
    """All watches of one initiator."""

    def __init__(self) -> None:
        self._watches: WeakValueDictionary[SagaId, SagaWatch] = WeakValueDictionary()
        self._guard = threading.Lock()

    def of(self, saga_id: SagaId) -> SagaWatch:
        """The one watch of a saga."""
        with self._guard:
            watch = self._watches.get(saga_id)
            if watch is None:
                watch = SagaWatch(saga_id)
                self._watches[saga_id] = watch
            return watch

    def ids(self) -> set[SagaId]:
        """Sagas that somebody holds a handle on."""
        with self._guard:
            return set(self._watches)

    def set(self, saga_id: SagaId, verdict: Verdict | None) -> None:
        """Tell whoever watches; nobody may."""
        with self._guard:
            watch = self._watches.get(saga_id)
        if watch is not None:
            watch.set(verdict)

    def set_if_unknown(self, saga_id: SagaId, verdict: Verdict) -> None:
        """Tell whoever watches, unless something newer is known."""
        with self._guard:
            watch = self._watches.get(saga_id)
        if watch is not None and watch.verdict is None:
            watch.set(verdict)
