"""Keeps a number of sagas in flight and measures them, whatever runs them."""

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final, TypeAlias, final

from attrs import frozen

CLIENTS: Final = 8
"""Threads that start sagas; each keeps its share of them in flight."""

Wait: TypeAlias = Callable[[], None]
Start: TypeAlias = Callable[[int], Wait]
"""Start saga number n, durably; what it returns waits for its outcome."""
Clock: TypeAlias = Callable[[], float]
"""Seconds so far."""


@final
@frozen(kw_only=True)
class Measured:
    """One run. Times in seconds; `latencies` in milliseconds, from the call that starts a saga to its outcome."""

    sagas: int
    seconds: float
    cpu_seconds: float
    latencies: tuple[float, ...]

    @property
    def per_second(self) -> float:
        return self.sagas / self.seconds

    @property
    def cpu_millis(self) -> float:
        """Processor time of one saga, all threads and the kernel together."""
        return 1000 * self.cpu_seconds / self.sagas


def measured_of(values: dict[str, Any]) -> Measured:
    """A measurement that came from another process, as JSON has it."""
    return Measured(**{**values, "latencies": tuple(values["latencies"])})


def drive(
    start: Start, sagas: int, in_flight: int, *, first: int = 0, cpu_clock: Clock = time.process_time
) -> Measured:
    """Run so many sagas with so many in flight."""
    numbers = itertools.count(first)
    clients = min(CLIENTS, in_flight)
    latencies: list[float] = []
    failures: list[BaseException] = []

    def client(window: int) -> None:
        waiting: deque[tuple[float, Wait]] = deque()

        def finish() -> None:
            began, wait = waiting.popleft()
            wait()
            latencies.append(1000 * (time.perf_counter() - began))

        try:
            while (number := next(numbers)) < first + sagas:
                if len(waiting) == window:
                    finish()
                began = time.perf_counter()
                waiting.append((began, start(number)))
            while waiting:
                finish()
        except BaseException as error:
            failures.append(error)

    threads = [
        threading.Thread(target=client, args=(in_flight // clients + (at < in_flight % clients),))
        for at in range(clients)
    ]
    cpu, wall = cpu_clock(), time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds, cpu_seconds = time.perf_counter() - wall, cpu_clock() - cpu
    if failures:
        raise failures[0]
    return Measured(sagas=sagas, seconds=seconds, cpu_seconds=cpu_seconds, latencies=tuple(latencies))
