"""One thread for everything that happens later: heartbeats, late replies, the steps of the market."""

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable
from typing import final

from attrs import define

logger = logging.getLogger(__name__)


@final
@define(eq=False)
class Timer:
    """A planned call; cancelling it is enough, there is nothing to join."""

    action: Callable[[], None]
    cancelled: bool = False

    def cancel(self) -> None:
        """Do not run it any more."""
        self.cancelled = True


@final
class Scheduler:
    """Runs actions at their time, in real time; a failing action is logged and harms no other."""

    def __init__(self) -> None:
        self._wake = threading.Condition()
        self._plan: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="exchange-scheduler", daemon=True)
        self._thread.start()

    def after(self, seconds: float, action: Callable[[], None]) -> Timer:
        """Run `action` once, that many seconds from now."""
        timer = Timer(action)
        with self._wake:
            heapq.heappush(self._plan, (time.monotonic() + seconds, next(self._order), timer))
            self._wake.notify()
        return timer

    def close(self) -> None:
        """Drop what is planned and end the thread."""
        with self._wake:
            self._closed = True
            self._plan.clear()
            self._wake.notify()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout=5)

    def _run(self) -> None:
        while (timer := self._next()) is not None:
            if timer.cancelled:
                continue
            try:
                timer.action()
            except Exception:
                logger.exception("a scheduled action failed")

    def _next(self) -> Timer | None:
        with self._wake:
            while not self._closed:
                wait = self._plan[0][0] - time.monotonic() if self._plan else 3_600.0
                if wait <= 0:
                    return heapq.heappop(self._plan)[2]
                self._wake.wait(wait)
        return None
