"""The program that is killed: every saga type at once, cancels at random, an operator."""

import itertools
import os
import queue
import signal
import threading
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import final

from attrs import frozen

from saga_choreography import (
    Durability,
    NoticeKind,
    PeerId,
    SagaChoreographyEvent,
    SagaId,
    SagaNotice,
    SagaSystem,
)
from saga_choreography.helpers.fault_points import FaultPoint, FaultPointHook, nothing_happens
from tests.crash.broker import Broker
from tests.crash.fates import fate
from tests.crash.ledger_lines import Op, Request
from tests.crash.odd_actors import Deferrer, Keeper
from tests.crash.operating import Operator
from tests.crash.outside import Outside, RemoteLedger, die_loudly
from tests.crash.plain_actors import Fifth, Fourth, Join, Left, Opener, Pricer, Right, Shipper, Slow
from tests.crash.tokens import Order, saga_id_of, workflow_of

IN_FLIGHT = 40
LANES = 2
SHARDS = 2
ACTORS = (Opener, Slow, Left, Right, Fourth, Fifth, Join, Pricer, Deferrer, Keeper, Broker)
EXPECTED_NOTICES = frozenset({NoticeKind.SUBSCRIBER_DROPPED})


@final
@frozen
class FatalPoint:
    """The program kills itself when a fault point is reached for the `at`-th time; `at_work`: once it is ready."""

    point: FaultPoint
    at: int
    at_work: bool = False

    def hook(self, ready: threading.Event) -> FaultPointHook:
        counter = itertools.count(1)

        def deadly(point: FaultPoint, peer_id: PeerId) -> None:
            if point is self.point and (ready.is_set() or not self.at_work) and next(counter) == self.at:
                os.kill(os.getpid(), signal.SIGKILL)

        return deadly


@final
@frozen(kw_only=True)
class Incarnation:
    """One run of the program."""

    path: Path
    port: int
    run: int
    durability: Durability = Durability.PROCESS
    fatal: FatalPoint | None = None


class Reporter:
    """Notes in the ledger whatever an operator would have to look at."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    def on_event(self, event: SagaChoreographyEvent) -> None:
        """The journals tell them all."""

    def on_notice(self, notice: SagaNotice) -> None:
        if notice.kind not in EXPECTED_NOTICES:
            saga = notice.saga_id.int if notice.saga_id is not None else 0
            text = f"{notice.peer}: {notice.kind.value}: {notice.detail}"
            self._outside.ask(Request(op=Op.NOTICE, saga=saga, note=text))


def open_system(path: Path, outside: Outside, durability: Durability, hook: FaultPointHook) -> SagaSystem:
    """A system with all participants, recovered and at work."""
    system = SagaSystem(
        path,
        durability=durability,
        max_in_flight=IN_FLIGHT,
        observers=(Reporter(outside),),
        fault_points=hook,
    )
    try:
        for actor in ACTORS:
            system.start_actor(actor, outside)
        system.start_actor(Shipper, outside, shards=SHARDS)
    except BaseException:
        system.stop()
        raise
    return system


def lane_name(lane: int) -> str:
    return f"lane {lane}"


def number_in_lane(lane: int, position: int) -> int:
    """The number of the saga at a position of a lane."""
    return position * LANES + lane


def _start(system: SagaSystem, number: int) -> SagaId:
    workflow = workflow_of(number)
    saga_id = saga_id_of(workflow.saga.name, number)
    system.start_saga(workflow, Order(number), saga_id=saga_id)
    return saga_id


def start_in_lane(
    system: SagaSystem, outside: Outside, lane: int, then: Callable[[SagaId], None], up_to: int | None = None
) -> None:
    """Start the sagas of a lane, from the first that was not acknowledged; note each one when it is."""
    position = outside.ask(Request(op=Op.NEXT, step=lane_name(lane))).count
    while up_to is None or position < up_to:
        saga_id = _start(system, number_in_lane(lane, position))
        outside.ask(Request(op=Op.ACK, saga=saga_id.int, step=lane_name(lane)))
        then(saga_id)
        position += 1


def _loudly(work: Callable[[], None]) -> None:
    try:
        work()
    except BaseException:
        die_loudly()


def _cancel(system: SagaSystem, outside: Outside, started: "queue.SimpleQueue[SagaId]") -> None:
    while True:
        try:
            saga_id = started.get(timeout=1)
        except queue.Empty:
            continue
        if fate("cancel saga", saga_id) < 70:
            outside.ask(Request(op=Op.PROBE, hold=fate("cancel when", saga_id) // 30))
            system.cancel_saga(saga_id, "the customer thought better of it")


def run_until_killed(incarnation: Incarnation, ready: Connection) -> None:
    """The process: start sagas without end, until SIGKILL."""
    outside = RemoteLedger(incarnation.port, incarnation.run)
    is_ready = threading.Event()
    hook = incarnation.fatal.hook(is_ready) if incarnation.fatal is not None else nothing_happens
    with open_system(incarnation.path, outside, incarnation.durability, hook) as system:
        ready.send("ready")
        is_ready.set()
        Operator(system, outside).start()
        started: queue.SimpleQueue[SagaId] = queue.SimpleQueue()
        jobs = [partial(start_in_lane, system, outside, lane, started.put) for lane in range(LANES)]
        for job in (*jobs, partial(_cancel, system, outside, started)):
            threading.Thread(target=_loudly, args=(job,), daemon=True).start()
        threading.Event().wait(600)
