"""One thread for all timers: retries, pending timeouts, deadlines. Durable timers are re-armed from the journals.

A deadline is a Unix time; how long it still is, is computed once, when it is armed, and waited for on the monotonic
clock: a wall clock that jumps afterwards neither fires a timer early nor un-expires it.
"""

import heapq
import itertools
import threading
from collections.abc import Callable
from typing import final

from saga_choreography.helpers.ports import Clock


@final
class Timers:
    """Calls back at the given times, on its own thread; callbacks must be short and must not raise."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="saga-timers", daemon=True)
        clock.on_moved(self.wake)

    def start(self) -> None:
        self._thread.start()

    def arm(self, at_millis: int, callback: Callable[[], None]) -> None:
        """Call back at a Unix time in milliseconds; at once if it has passed."""
        delay_seconds = max(0, at_millis - self._clock.now_millis()) / 1000
        due = self._clock.monotonic_seconds() + delay_seconds
        with self._changed:
            heapq.heappush(self._heap, (due, next(self._order), callback))
            if self._heap[0][0] == due:
                self._changed.notify()

    def wake(self) -> None:
        """The clock was moved by hand: look again."""
        with self._changed:
            self._changed.notify()

    def stop(self) -> None:
        """Forget all timers and end the thread."""
        with self._changed:
            self._stopped = True
            self._heap.clear()
            self._changed.notify()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(timeout=5)

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._stopped:
                    return
                now = self._clock.monotonic_seconds()
                if not self._heap or self._heap[0][0] > now:
                    self._changed.wait(self._heap[0][0] - now if self._heap else None)
                    continue
                _, _, callback = heapq.heappop(self._heap)
            callback()
