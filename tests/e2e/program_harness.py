"""What all end-to-end tests share: the trading program with real actors in a data directory of its own.

Subclasses bring the connection: a mock, or a real one to the simulated exchange. Nothing here sleeps or polls.
"""

import os
import queue
import shutil
import tempfile
from abc import ABC, abstractmethod
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self

from deribit_example.actors.risk_manager import Accepted, Decision, RejectReason, RiskBook
from deribit_example.actors.ta_signal import Signal
from deribit_example.program import ProgramSettings, Ref, TradingProgram
from deribit_example.saga.types import PLACE_ORDER, PlacedOrder
from saga_choreography import (
    Durability,
    ParticipantStatsSnapshot,
    PeerId,
    SagaCompleted,
    SagaFailed,
    SagaHandle,
    SagaId,
    SagaQuarantined,
    SagaSystem,
)
from saga_choreography.testing import SagaEventCollector
from tests.e2e.mock_books import BTC, MARK_PRICES

WAIT_SECONDS: Final = 40.0
MEMORY: Final = "/dev/shm"
MEMORY_NEEDED: Final = 1 << 30
PLACER: Final = PeerId("OrderPlacer")
COORDINATOR: Final = PeerId("OrderCoordinator")
MONITOR: Final = PeerId("OrderMonitor")


def temporary_directory() -> "tempfile.TemporaryDirectory[str]":
    """A directory in memory where there is one: most of a short test is making five stores."""
    try:
        has_room = shutil.disk_usage(MEMORY).free > MEMORY_NEEDED and os.access(MEMORY, os.W_OK)
    except OSError:
        has_room = False
    return tempfile.TemporaryDirectory(prefix="saga-", dir=MEMORY if has_room else None)


class ProgramHarness(ABC):
    """One program after the other in one data directory; a context manager. `starts=False`: none before `restart`."""

    def __init__(self, settings: ProgramSettings, *, starts: bool = True) -> None:
        self.settings = settings
        self._starts = starts
        self.collector = SagaEventCollector()
        self._decisions: queue.SimpleQueue[Decision] = queue.SimpleQueue()
        self._stack = ExitStack()
        self._program: TradingProgram | None = None
        self._ws: Ref | None = None

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.data_dir = Path(stack.enter_context(temporary_directory()))
            self._prepare(stack)
            stack.callback(self._stop)
            if self._starts:
                self._start()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @abstractmethod
    def _prepare(self, stack: ExitStack) -> None:
        """Start what outlives programs."""

    @abstractmethod
    def _open_connection(self) -> Ref:
        """A connection actor for the next program."""

    @abstractmethod
    def net_position(self, instrument: str = BTC) -> Decimal:
        """What was bought minus what was sold, as the exchange's books say."""

    # ---------------------------------------------------------------- life of the program

    @property
    def program(self) -> TradingProgram:
        assert self._program is not None, "the harness is not running"
        return self._program

    @property
    def system(self) -> SagaSystem:
        return self.program.system

    def restart(self) -> None:
        """Stop the program in whatever it is doing, and start it again on the same directory."""
        self._stop()
        self._start()

    def _start(self) -> None:
        self._ws = ws = self._open_connection()
        self._program = TradingProgram(
            self.data_dir,
            ws=ws,
            settings=self.settings,
            observers=(self.collector,),
            durability=Durability.PROCESS,
            on_decision=self._decisions.put,
        )

    def _stop(self) -> None:
        program, self._program = self._program, None
        if program is not None:
            program.stop()
        ws, self._ws = self._ws, None
        if ws is not None:
            ws.stop(timeout=10)

    # ---------------------------------------------------------------- signals and outcomes

    def send_signal(
        self,
        instrument: str = BTC,
        side: Literal["buy", "sell"] = "buy",
        *,
        confidence: float = 0.9,
        price: Decimal | None = None,
    ) -> Decision:
        """Hand a signal to the risk manager; returns what it decided."""
        signal = Signal(
            instrument=instrument,
            side=side,
            confidence=confidence,
            price=MARK_PRICES[instrument] if price is None else price,
            at_millis=1_790_000_000_000,
            strategy="test",
        )
        self.program.signal(signal)
        return self.next_decision()

    def next_decision(self) -> Decision:
        """What the risk manager decides next, or has decided and nobody asked for yet."""
        return self._decisions.get(timeout=WAIT_SECONDS)

    def start_order(self, instrument: str = BTC, side: Literal["buy", "sell"] = "buy") -> SagaId:
        """A signal that must be let through; returns the saga's id."""
        decision = self.send_signal(instrument, side)
        assert isinstance(decision, Accepted), f"the risk manager refused: {decision}"
        return decision.saga_id

    def refusal(self, instrument: str = BTC, *, confidence: float = 0.9) -> RejectReason:
        """A signal that must be refused; returns why it was."""
        decision = self.send_signal(instrument, confidence=confidence)
        assert not isinstance(decision, Accepted), f"the risk manager let it through: {decision}"
        return decision.reason

    def handle(self, saga_id: SagaId) -> SagaHandle:
        return self.system.handle(saga_id)

    def wait_for_outcome(
        self, saga_id: SagaId, timeout: float = WAIT_SECONDS
    ) -> SagaCompleted | SagaFailed | SagaQuarantined:
        """Wait until the saga has ended or is parked."""
        return self.handle(saga_id).result(timeout)

    def completed(self, saga_id: SagaId) -> SagaCompleted:
        """Wait for the outcome, which must be the good one."""
        outcome = self.wait_for_outcome(saga_id)
        assert isinstance(outcome, SagaCompleted), self._story(saga_id, outcome)
        return outcome

    def failed(self, saga_id: SagaId) -> SagaFailed:
        """Wait for the outcome, which must be that all was undone."""
        outcome = self.wait_for_outcome(saga_id)
        assert isinstance(outcome, SagaFailed), self._story(saga_id, outcome)
        return outcome

    def quarantined(self, saga_id: SagaId) -> SagaQuarantined:
        """Wait for the saga to be parked."""
        outcome = self.wait_for_outcome(saga_id)
        assert isinstance(outcome, SagaQuarantined), self._story(saga_id, outcome)
        return outcome

    def _story(self, saga_id: SagaId, outcome: object) -> str:
        return "\n  ".join([f"{type(outcome).__name__}: {outcome}", *self.collector.transcript(saga_id)])

    # ---------------------------------------------------------------- evidence

    def placed_order(self, saga_id: SagaId) -> PlacedOrder:
        """What the coordinator's journal says of the order."""
        return self.handle(saga_id).output_of(PLACE_ORDER)

    def risk_book(self) -> RiskBook:
        """Holds, exposure and breaker."""
        return self.program.risk_state(WAIT_SECONDS)

    def stats(self, peer: PeerId) -> ParticipantStatsSnapshot:
        return self.system.stats()[peer]

    def assert_nothing_was_retold(self) -> None:
        """A run without faults needs no re-telling and meets nothing odd."""
        retold = {peer: stats.facts_retold for peer, stats in self.system.stats().items()}
        assert set(retold.values()) == {0}, retold
        odd = {peer: stats.anomalies for peer, stats in self.system.stats().items()}
        assert set(odd.values()) == {0}, odd
        assert self.collector.notices() == ()
