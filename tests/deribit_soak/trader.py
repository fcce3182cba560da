"""The process that is killed: a trading program that sends itself signals, and cancels some of what comes of them."""

import itertools
import logging
import os
import queue
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from random import Random
from typing import Final, TypeAlias, final

from deribit_example.actors.deribit_ws import DeribitError
from deribit_example.actors.risk_manager import Accepted, Decision, Rejected
from deribit_example.actors.ta_signal import Signal
from deribit_example.demo.journals import JournalReader
from deribit_example.program import TradingProgram, start_deribit_ws
from deribit_example.saga.types import MONITOR_ORDER, PLACE_ORDER
from saga_choreography import (
    Durability,
    PeerId,
    SagaChoreographyEvent,
    SagaCompleted,
    SagaFailed,
    SagaNotice,
    SagaStarted,
    StepCompleted,
    StepStarted,
)
from saga_choreography.helpers.fault_points import FaultPoint, FaultPointHook, nothing_happens
from tests.deribit_soak.desk import NAMES, PRICES, SETTINGS, connection_to, side_of
from tests.deribit_soak.places import Notebook, Places
from tests.deribit_soak.plans import CyclePlan, KillPlan

BEGUN: Final = "begun"
TRADING: Final = "trading"
FINISH_SECONDS: Final = 180.0
READY_MILLIS: Final = 1_000
_CANCELLED_AT: Final[tuple[tuple[type[SagaStarted | StepStarted | StepCompleted], str], ...]] = (
    (SagaStarted, ""),
    (StepStarted, PLACE_ORDER.name),
    (StepCompleted, PLACE_ORDER.name),
    (StepCompleted, PLACE_ORDER.name),
    (StepStarted, MONITOR_ORDER.name),
)
_OUT_OF: Final = 16
"""So many sagas, and one for each of these moments is cancelled then."""

News: TypeAlias = Decision | SagaChoreographyEvent


@final
class Deadly:
    """A fault point hook that kills its own process when one actor reaches one point for the nth time."""

    def __init__(self, kill: KillPlan) -> None:
        self._kill = kill
        self._count = itertools.count(1)

    def __call__(self, point: FaultPoint, peer_id: PeerId) -> None:
        if point is self._kill.point and peer_id == self._kill.peer and next(self._count) == self._kill.nth:
            os.kill(os.getpid(), signal.SIGKILL)


@final
class Witness:
    """Notes every start that is acknowledged and every outcome that is told, at once; then passes the news on."""

    def __init__(self, places: Places, news: "queue.SimpleQueue[News]") -> None:
        self._acknowledged = Notebook(places.acknowledged)
        self._told = Notebook(places.told)
        self._news = news

    def on_decision(self, decision: Decision) -> None:
        """What became of a signal; runs on the risk manager's thread."""
        if isinstance(decision, Accepted):
            self._acknowledged.note(decision.saga_id.hex, decision.signal.strategy)
        self._news.put(decision)

    def on_event(self, event: SagaChoreographyEvent, /) -> None:
        """A fact; it is told after its commit."""
        match event:
            case SagaCompleted(origin=origin):
                self._told.note(origin.saga_id.hex, "completed")
            case SagaFailed(origin=origin):
                self._told.note(origin.saga_id.hex, "failed")
            case _:
                pass
        self._news.put(event)

    def on_notice(self, notice: SagaNotice, /) -> None:
        """The system logs them itself."""


def trade(places: Places, url: str, plan: CyclePlan, parent: Connection) -> None:
    """Send signals, one more for each saga that ends, until the process is killed."""
    _log_to(places)
    news: queue.SimpleQueue[News] = queue.SimpleQueue()
    parent.send(BEGUN)
    with _program(places, url, news, Deadly(plan.kill)) as program:
        _wait_for_session(program)
        trader = _Trader(program, plan, parent)
        trader.send(plan.at_once)
        while True:
            trader.hear(news.get())


def finish(places: Places, url: str) -> None:
    """The last process: no signal and no kill, every saga ends."""
    _log_to(places)
    # Before the program opens its stores: nobody may open a store twice in one process.
    with JournalReader(places.journals) as reader:
        live = [saga.saga_id for saga in reader.sagas() if saga.outcome is None]
    with _program(places, url, queue.SimpleQueue(), nothing_happens) as program:
        deadline = time.monotonic() + FINISH_SECONDS
        for saga_id in live:
            try:
                program.system.handle(saga_id).result(max(0.0, deadline - time.monotonic()))
            except TimeoutError as late:
                logging.getLogger(__name__).error("%s", late)  # the audit has the last word


@final
class _Trader:
    """Decides which signals and cancels come next. Used by one thread."""

    def __init__(self, program: TradingProgram, plan: CyclePlan, parent: Connection) -> None:
        self._program = program
        self._plan = plan
        self._chance = Random(plan.seed)
        self._numbers = iter(range(plan.signals))
        self._parent = parent
        self._has_said_so = False

    def send(self, count: int = 1) -> None:
        """So many more signals, if the plan has any left."""
        for number in itertools.islice(self._numbers, count):
            instrument = self._chance.choice(NAMES)
            self._program.signal(
                Signal(
                    instrument=instrument,
                    side=side_of(instrument),
                    confidence=0.9,
                    price=PRICES[instrument],
                    at_millis=1_790_000_000_000,
                    strategy=f"signal-{self._plan.number}-{number}",
                )
            )

    def hear(self, news: News) -> None:
        """A decision, or a fact."""
        match news:
            case Accepted():
                if not self._has_said_so:
                    self._has_said_so = True
                    self._parent.send(TRADING)
            case SagaCompleted() | SagaFailed():
                self.send()
            case Rejected():
                self.send()  # refused: its instrument is busy, another one is not
            case _ if _is_when_to_cancel(news):
                self._program.system.cancel_saga(news.origin.saga_id, "the desk closes")
            case _:
                return


def _is_when_to_cancel(event: SagaChoreographyEvent) -> bool:
    """Whether the saga is one of those that are cancelled, and this is its moment; no restart changes that."""
    number = Random(event.origin.saga_id.int).randrange(_OUT_OF)
    if number >= len(_CANCELLED_AT):
        return False
    kind, step = _CANCELLED_AT[number]
    return isinstance(event, kind) and (isinstance(event, SagaStarted) or event.step_name == step)


@contextmanager
def _program(
    places: Places, url: str, news: "queue.SimpleQueue[News]", hook: FaultPointHook
) -> Iterator[TradingProgram]:
    ws = start_deribit_ws(connection_to(url))
    witness = Witness(places, news)
    with TradingProgram(
        places.journals,
        ws=ws,
        settings=SETTINGS,
        observers=(witness,),
        durability=Durability.PROCESS,
        on_decision=witness.on_decision,
        fault_points=hook,
    ) as program:
        yield program
    ws.stop(timeout=10)


def _wait_for_session(program: TradingProgram) -> None:
    try:
        program.client.wait_until_ready(READY_MILLIS)
    except DeribitError as error:
        logging.getLogger(__name__).info("trading without a session: %s", error)


def _log_to(places: Places) -> None:
    logging.basicConfig(
        filename=places.log, level=logging.WARNING, format="%(asctime)s %(process)d %(threadName)s %(message)s"
    )
