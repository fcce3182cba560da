"""The two programs of the measurement: one that starts errands and stops while all are live, one that ends them."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import final

from attrs import define, frozen

from saga_choreography import Durability, SagaCompleted, SagaSystem
from saga_choreography.codec import payload_codec
from tests.load.errands import (
    ERRANDS,
    Deliverer,
    Errand,
    Errands,
    Fetcher,
    Finish,
    errand,
    errand_id,
    live_by_actor,
    open_system,
)
from tests.load.memory import Memory, resident

PATIENCE_SECONDS = 3000.0
"""How long a phase may take before it counts as hanging."""


@final
@frozen(kw_only=True)
class Started:
    """What the first program saw."""

    sagas: int
    clients: int
    start_seconds: float
    live_seconds: float
    live: dict[str, int]
    grown: Memory
    payload_bytes: int
    stop_seconds: float


@final
@frozen(kw_only=True)
class Ended:
    """What the second program saw."""

    joined_seconds: float
    resumed_seconds: float
    end_seconds: float
    recovered: dict[str, int]
    grown: Memory
    completed: int
    left: dict[str, int]


@define
class Stopwatch:
    seconds: float = 0.0


@contextmanager
def timed() -> Iterator[Stopwatch]:
    watch = Stopwatch()
    began = time.perf_counter()
    try:
        yield watch
    finally:
        watch.seconds = time.perf_counter() - began


def start_errands(path: Path, sagas: int, clients: int, durability: Durability) -> Started:
    """Start errands from several threads, wait until every one of them pends, and stop."""
    errands = Errands()
    system = open_system(path, durability)
    system.start_actor(Fetcher, errands)
    system.start_actor(Deliverer, errands)
    before = resident()
    with timed() as until_live:
        with timed() as until_started, ThreadPoolExecutor(clients) as pool:
            for done in [pool.submit(_start_some, system, range(first, sagas, clients)) for first in range(clients)]:
                done.result(PATIENCE_SECONDS)
        errands.waiting.wait_for(sagas, PATIENCE_SECONDS, "fetched by somebody")
        live = live_by_actor(system)  # answered behind the commit of the last pending step
    grown = resident().less(before)
    with timed() as until_stopped:
        system.stop()
    return Started(
        sagas=sagas,
        clients=clients,
        start_seconds=until_started.seconds,
        live_seconds=until_live.seconds,
        live=live,
        grown=grown,
        payload_bytes=len(payload_codec(Errand).encode(errand(sagas), "an errand")),
        stop_seconds=until_stopped.seconds,
    )


def _start_some(system: SagaSystem, numbers: range) -> None:
    for number in numbers:
        system.start_saga(ERRANDS, errand(number), saga_id=errand_id(number), timeout=PATIENCE_SECONDS)


def end_errands(path: Path, sagas: int, durability: Durability) -> Ended:
    """Recover all errands, end them, and count how they ended."""
    errands = Errands()
    before = resident()
    with timed() as until_resumed:
        with timed() as until_joined:
            system = open_system(path, durability)
            system.start_actor(Fetcher, errands)
            system.start_actor(Deliverer, errands)
            recovered = live_by_actor(system)
        errands.waiting.wait_for(sagas, PATIENCE_SECONDS, "resumed")
    grown = resident().less(before)
    with timed() as until_ended:
        (fetcher,) = system.refs(Fetcher)
        for number in range(sagas):
            fetcher.tell(Finish(number))
        errands.fetched.wait_for(sagas, PATIENCE_SECONDS, "ended at the fetcher")
        errands.delivered.wait_for(sagas, PATIENCE_SECONDS, "ended at the deliverer")
    left = live_by_actor(system)
    outcomes = [system.handle(errand_id(number)).outcome() for number in range(sagas)]
    system.stop()
    return Ended(
        joined_seconds=until_joined.seconds,
        resumed_seconds=until_resumed.seconds,
        end_seconds=until_ended.seconds,
        recovered=recovered,
        grown=grown,
        completed=sum(isinstance(outcome, SagaCompleted) for outcome in outcomes),
        left=left,
    )
