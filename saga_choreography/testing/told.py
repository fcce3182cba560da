"""What was told in a test world: facts and operational news, kept and waited for."""

from collections.abc import Callable
from typing import final

from typing_extensions import TypeVar

from saga_choreography.events import SagaChoreographyEvent
from saga_choreography.observability import NoticeKind, SagaNotice
from saga_choreography.testing.collector import WAIT_SECONDS, SagaEventCollector
from saga_choreography.testing.idle import Marks
from saga_choreography.types import SagaId

E = TypeVar("E", bound=SagaChoreographyEvent)


@final
class _Observer:
    """Hands all news to the collector, but no marks."""

    def __init__(self, collector: SagaEventCollector, marks: Marks) -> None:
        self._collector = collector
        self._marks = marks

    def on_event(self, event: SagaChoreographyEvent, /) -> None:
        self._collector.on_event(event)

    def on_notice(self, notice: SagaNotice, /) -> None:
        if not self._marks.is_mark(notice):
            self._collector.on_notice(notice)


class ToldNews:
    """The reading side of a `SagaTestWorld`; it goes on through all its restarts."""

    def __init__(self) -> None:
        self._collector = SagaEventCollector()
        self._marks = Marks()
        self._observer = _Observer(self._collector, self._marks)

    def transcript(self, saga_id: SagaId | None = None) -> list[str]:
        """One line for each fact so far, of one saga or of all, such as `StepStarted place_order #2`."""
        return self._collector.transcript(saga_id)

    def events(self, saga_id: SagaId | None = None) -> tuple[SagaChoreographyEvent, ...]:
        """All facts so far, of one saga or of all, in the order they were told."""
        return self._collector.events(saga_id)

    def notices(self, kind: NoticeKind | None = None) -> tuple[SagaNotice, ...]:
        """All operational news so far, of one kind or of all."""
        return self._collector.notices(kind)

    def wait_for_event(
        self,
        kind: type[E],
        *,
        saga_id: SagaId | None = None,
        step: str | None = None,
        where: Callable[[E], bool] | None = None,
        timeout: float = WAIT_SECONDS,
    ) -> E:
        """The first fact of this kind (told already, or awaited at most `timeout` seconds).

        Raises:
            NotSeen: it did not come.
        """
        return self._collector.wait_for(kind, saga_id=saga_id, step=step, where=where, timeout=timeout)

    def wait_for_notice(self, kind: NoticeKind, *, timeout: float = WAIT_SECONDS) -> SagaNotice:
        """The first operational news of this kind.

        Raises:
            NotSeen: it did not come within `timeout` seconds.
        """
        return self._collector.wait_for_notice(kind, timeout=timeout)
