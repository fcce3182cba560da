"""Observers, each on a thread of its own behind a bounded queue: what they do or fail to do harms nobody.

Facts and notices wait in one queue, in the order they were told. While an observer hangs, the oldest of both are
dropped and counted, the newest are kept; the count is logged at the end. Nothing depends on an observer: facts are in
the journals, and every notice is in the log before an observer is told.
"""

import logging
import threading
from collections import deque
from collections.abc import Sequence
from typing import Final, final

from saga_choreography.events import SagaChoreographyEvent
from saga_choreography.observability import SagaNotice, SagaObserver

QUEUE_LIMIT: Final = 100_000

_log = logging.getLogger("saga_choreography")


@final
class ObserverThread:
    """Feeds one observer."""

    def __init__(self, observer: SagaObserver) -> None:
        self._observer = observer
        self._queue: deque[SagaChoreographyEvent | SagaNotice] = deque()
        self._changed = threading.Condition()
        self._stopped = False
        self._busy = False
        self.dropped: int = 0
        self._thread = threading.Thread(target=self._run, name="saga-observer", daemon=True)
        self._thread.start()

    def tell(self, news: Sequence[SagaChoreographyEvent | SagaNotice]) -> None:
        """Queue news; the oldest are dropped when the observer does not keep up."""
        with self._changed:
            self._queue.extend(news)
            while len(self._queue) > QUEUE_LIMIT:
                self._queue.popleft()
                self.dropped += 1
            self._changed.notify_all()

    def stop(self, timeout: float) -> None:
        """Let the observer see what is queued, at most for `timeout` seconds, then end."""
        with self._changed:
            self._changed.wait_for(lambda: not self._queue and not self._busy, timeout)
            self._stopped = True
            self._changed.notify_all()
        if self.dropped:
            _log.warning("observer %s was too slow and missed %d events", type(self._observer).__name__, self.dropped)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._busy = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._stopped or bool(self._queue))
                if self._stopped:
                    return
                news = self._queue.popleft()
                self._busy = True
            try:
                if isinstance(news, SagaNotice):
                    self._observer.on_notice(news)
                else:
                    self._observer.on_event(news)
            except BaseException:  # also a SystemExit: it would end this thread only, and the observer in silence
                _log.exception("observer %s raised", type(self._observer).__name__)
