"""One thread that hands actions over when they are due. It waits on a condition and never runs an action."""

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from typing import TypeAlias, final

Action: TypeAlias = Callable[[], None]


@final
class Timers:
    """Due times on the monotonic clock; `deliver` is called on the timer thread and must not block."""

    def __init__(self, deliver: Callable[[Action], None]) -> None:
        self._deliver = deliver
        self._condition = threading.Condition()
        self._heap: list[tuple[float, int, Action]] = []
        self._order = itertools.count()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="deribit-ws-timers", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def after(self, millis: int, action: Action) -> None:
        """Deliver `action` in `millis` milliseconds."""
        with self._condition:
            heapq.heappush(self._heap, (time.monotonic() + millis / 1_000, next(self._order), action))
            self._condition.notify()

    def stop(self) -> None:
        """End the thread; what is not due yet is never delivered."""
        with self._condition:
            self._stopped = True
            self._heap.clear()
            self._condition.notify()

    def _run(self) -> None:
        while True:
            with self._condition:
                if self._stopped:
                    return
                wait = self._heap[0][0] - time.monotonic() if self._heap else None
                if wait is None or wait > 0:
                    self._condition.wait(wait)
                    continue
                action = heapq.heappop(self._heap)[2]
            self._deliver(action)
