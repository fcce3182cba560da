"""`SagaEventCollector`: an observer that keeps every fact and lets a test wait for one: on events, it never sleeps."""

import threading
from collections.abc import Callable
from typing import Final, final

from typing_extensions import TypeVar

from saga_choreography.events import (
    CompensationStarted,
    SagaChoreographyEvent,
    SagaCompleted,
    SagaFailed,
    SagaOutcome,
    StepAck,
    StepEvent,
    StepStarted,
)
from saga_choreography.observability import NoticeKind, SagaNotice
from saga_choreography.types import SagaId

E = TypeVar("E", bound=SagaChoreographyEvent)

WAIT_SECONDS: Final = 30.0
SHOWN_LINES: Final = 60
"""How much of a transcript an error message shows."""


class NotSeen(AssertionError):
    """What a test waited for did not come; the message holds the transcript."""


@final
class SagaEventCollector:
    """Give it to `SagaSystem(observers=...)`; the same one may serve several systems one after the other. Any thread.

    Facts are those told after their commit, so a fact that was collected is durable. After a restart some are told
    again and are collected again.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._events: list[SagaChoreographyEvent] = []
        self._notices: list[SagaNotice] = []

    def on_event(self, event: SagaChoreographyEvent, /) -> None:
        """Keep a fact."""
        with self._changed:
            self._events.append(event)
            self._changed.notify_all()

    def on_notice(self, notice: SagaNotice, /) -> None:
        """Keep operational news."""
        with self._changed:
            self._notices.append(notice)
            self._changed.notify_all()

    def events(self, saga_id: SagaId | None = None) -> tuple[SagaChoreographyEvent, ...]:
        """All facts so far, of one saga or of all, in the order they were told."""
        with self._changed:
            return tuple(event for event in self._events if saga_id in (None, event.saga_id))

    def of(self, kind: type[E], *, saga_id: SagaId | None = None, step: str | None = None) -> tuple[E, ...]:
        """All facts of one kind so far, of one saga and step or of all."""
        return tuple(
            event
            for event in self.events(saga_id)
            if isinstance(event, kind) and (step is None or _step_of(event) == step)
        )

    def notices(self, kind: NoticeKind | None = None) -> tuple[SagaNotice, ...]:
        """All operational news so far, of one kind or of all."""
        with self._changed:
            return tuple(notice for notice in self._notices if kind in (None, notice.kind))

    def transcript(self, saga_id: SagaId | None = None) -> list[str]:
        """One line a fact, such as `StepStarted place_order #2`."""
        return [describe(event) for event in self.events(saga_id)]

    def wait_for(
        self,
        kind: type[E],
        *,
        saga_id: SagaId | None = None,
        step: str | None = None,
        where: Callable[[E], bool] | None = None,
        timeout: float = WAIT_SECONDS,
    ) -> E:
        """The first fact of this kind (seen already, or awaited at most `timeout` seconds).

        Raises:
            NotSeen: it did not come.
        """

        def found() -> E | None:
            candidates = self.of(kind, saga_id=saga_id, step=step)
            return next((event for event in candidates if where is None or where(event)), None)

        what = f"{kind.__name__}{'' if step is None else f' {step}'}"
        self.wait_until(lambda: found() is not None, what, saga_id=saga_id, timeout=timeout)
        event = found()
        assert event is not None  # facts are only ever added
        return event

    def wait_for_outcome(self, saga_id: SagaId, *, timeout: float = WAIT_SECONDS) -> SagaOutcome:
        """The terminal fact of a saga.

        Raises:
            NotSeen: it did not come within `timeout` seconds.
        """

        self.wait_until(lambda: self.outcome_of(saga_id) is not None, "the outcome", saga_id=saga_id, timeout=timeout)
        outcome = self.outcome_of(saga_id)
        assert outcome is not None  # facts are only ever added
        return outcome

    def outcome_of(self, saga_id: SagaId) -> SagaOutcome | None:
        """The terminal fact of a saga, if it was told already."""
        for event in self.events(saga_id):
            if isinstance(event, SagaCompleted | SagaFailed):
                return event
        return None

    def wait_for_notice(self, kind: NoticeKind, *, timeout: float = WAIT_SECONDS) -> SagaNotice:
        """The first news of this kind.

        Raises:
            NotSeen: it did not come within `timeout` seconds.
        """
        self.wait_until(lambda: bool(self.notices(kind)), str(kind), timeout=timeout)
        return self.notices(kind)[0]

    def wait_until(
        self,
        condition: Callable[[], bool],
        what: str,
        *,
        saga_id: SagaId | None = None,
        timeout: float = WAIT_SECONDS,
    ) -> None:
        """Wait at most `timeout` seconds until `condition` holds; it is asked again after every news.

        Raises:
            NotSeen: it does not hold; `what` and the transcript say more.
        """
        with self._changed:
            if self._changed.wait_for(condition, timeout):
                return
        of_whom = "" if saga_id is None else f" of saga {saga_id}"
        raise NotSeen(f"{what}{of_whom} was not told within {timeout:g} s; told was:{self.told(saga_id)}")

    def told(self, saga_id: SagaId | None = None) -> str:
        """The transcript for a message: indented lines, each begun by a line break; of a long one the end."""
        lines = self.transcript(saga_id)
        shown = [f"... {len(lines) - SHOWN_LINES} lines", *lines[-SHOWN_LINES:]] if len(lines) > SHOWN_LINES else lines
        return "".join(f"\n  {line}" for line in shown) or "\n  nothing"


def describe(event: SagaChoreographyEvent) -> str:
    """A fact in one line, without ids and times."""
    words = [type(event).__name__]
    if (step := _step_of(event)) is not None:
        words.append(step)
    if isinstance(event, StepStarted | CompensationStarted) and event.attempt > 1:
        words.append(f"#{event.attempt}")
    if isinstance(event, StepAck):
        words.append(event.status.value)
    return " ".join(words)


def _step_of(event: SagaChoreographyEvent) -> str | None:
    return event.step_name if isinstance(event, StepEvent) else None
