"""What the scenes act with: the exchange's control path, the life and death of the trading program, the board."""

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Final, final
from uuid import UUID

from deribit_example.demo.audit import Books, saga_of_label
from deribit_example.demo.board import Board, SagaView, Source
from deribit_example.demo.children import ProgramProcess
from deribit_example.demo.exits import ExchangeFailed, ProgramFailed, SceneFailed
from deribit_example.demo.journals import JournalReader
from deribit_example.demo.messages import Decided, FactSeen, Ready, Report
from deribit_example.exchange import ControlError, ExchangeControl, OrderSnapshot, Stats
from saga_choreography import SagaError, SagaId
from saga_choreography.events import OutcomeKind

WAIT_SECONDS: Final = 30.0
"""For what takes well under a second on an idle machine."""
WARM_UP_TICKS: Final = 12
_JUMP: Final = Decimal("0.01")
_TICKS_TO_CROSS: Final = 10
"""A jump that crosses does so at its first price; the others let the strength index forget it before the next jump."""
_JUMPS: Final = 8

Spawn = Callable[[Callable[[Report], None], Callable[[int, ProgramFailed], None]], ProgramProcess]


@final
class Program:
    """The trading program across its lives; what it reports goes to the board."""

    def __init__(self, board: Board, reader: JournalReader, spawn: Spawn) -> None:
        self._board = board
        self._reader = reader
        self._spawn = spawn
        self._process: ProgramProcess | None = None
        self._word: str | None = None
        self._announced: set[str] = set()
        self._held: list[FactSeen] = []

    def start(self) -> Ready:
        """Start it and wait until it runs.

        Raises:
            ProgramFailed: it refuses to run, or ends.
        """
        lives = len(self._board.lives())
        self._word = None
        self._process = self._spawn(self._on_report, self._on_end)
        self._board.program_starts(self._process.pid)
        return self._board.wait_for(
            "the trading program to start", lambda board: next(iter(board.lives()[lives:]), None), 2 * WAIT_SECONDS
        )

    def kill(self) -> int:
        """SIGKILL it; returns the pid it had."""
        process = self._running()
        self._word = "killed"
        self._board.say(Source.PROGRAM, f"SIGKILL to the trading program (pid {process.pid})")
        process.kill()
        self._process = None
        return process.pid

    def stop(self) -> None:
        """Let it end by itself; a program that is not running needs nothing."""
        process, self._process = self._process, None
        if process is not None:
            self._word = "stopped"
            code = process.stop()
            if code != 0:
                raise ProgramFailed(f"the trading program ended with code {code} when it was asked to stop")

    def abandon(self) -> None:
        """End it, however."""
        process, self._process = self._process, None
        if process is not None:
            self._word = "ended"
            process.stop()

    def look(self, saga: str) -> None:
        """Read the journals of a saga again."""
        records = self._reader.saga(SagaId(UUID(hex=saga)))
        if records is not None:
            self._board.update_saga(records)

    def _running(self) -> ProgramProcess:
        if self._process is None:
            raise ProgramFailed("the trading program does not run")
        return self._process

    def _on_report(self, report: Report) -> None:
        # A saga starts before its risk manager can say so: its facts wait for that word, to be read in the right order.
        match report:
            case Ready(live_sagas=live):
                self._announced.update(live)
            case Decided(saga=saga):
                self._announced.add(saga)
            case FactSeen(saga=saga) if saga not in self._announced:
                self._held.append(report)
                return
            case _:
                pass
        self._board.apply(report) if not isinstance(report, FactSeen) else self._take(report)
        held, self._held = self._held, []
        for fact in held:
            self._on_report(fact)

    def _take(self, fact: FactSeen) -> None:
        # The journals first: who waits for a fact then finds the records it follows from.
        try:
            self.look(fact.saga)
        except SagaError as error:
            self._board.fail(ProgramFailed(f"the journals cannot be read: {error}", error.exit_code))
        self._board.apply(fact)

    def _on_end(self, code: int, failure: ProgramFailed) -> None:
        self._board.program_ended(self._word or "ended", None if self._word is not None else failure)


@final
class Stage:
    """One run. `pause` gives a person time to read and is the only thing here that waits for time to pass."""

    def __init__(self, board: Board, control: ExchangeControl, program: Program, *, fast: bool) -> None:
        self.board = board
        self.control = control
        self.program = program
        self._fast = fast

    def say(self, text: str) -> None:
        """Tell what was done to the exchange."""
        self.board.say(Source.EXCHANGE, text)

    def pause(self, seconds: float) -> None:
        """Let a person read, unless in a hurry."""
        if not self._fast:
            threading.Event().wait(seconds)

    def provoke(self, instrument: str) -> str:
        """Move the market until the signal actor sees a crossover that the risk manager lets through; returns the saga.

        A jump crosses the averages one way; when they stood that way already, a jump back crosses them the other way.

        Raises:
            SceneFailed: no jump gave a signal.
        """
        board = self.board
        before = len(board.decisions())
        price = board.wait_for("a first price", lambda now: self._price(instrument, now), WAIT_SECONDS)
        board.wait_for(
            f"enough prices of {instrument}",
            lambda now: True if now.ticks_of(instrument) >= WARM_UP_TICKS else None,
            WAIT_SECONDS,
        )
        for jump in range(_JUMPS):
            price *= 1 + _JUMP if jump % 2 == 0 else 1 - _JUMP
            self.control.set_price(instrument, price)
            self.say(f"{instrument} moves to {price:.2f}")
            seen = board.ticks_of(instrument)

            def settled(now: Board, seen: int = seen) -> Decided | int | None:
                mine = [decision for decision in now.decisions()[before:] if decision.instrument == instrument]
                ticks = now.ticks_of(instrument)
                return mine[0] if mine else ticks if ticks >= seen + _TICKS_TO_CROSS else None

            found = board.wait_for(f"a signal in {instrument}", settled, WAIT_SECONDS)
            if isinstance(found, Decided):
                return found.saga
        raise SceneFailed(f"{_JUMPS} jumps of the price of {instrument} gave no signal")

    def await_outcome(self, saga: str, wanted: OutcomeKind) -> SagaView:
        """Wait for the end of a saga.

        Raises:
            SceneFailed: it does not end in time, is parked, or ends the other way.
        """

        def ended(board: Board) -> SagaView | None:
            view = board.saga(saga)
            return view if view is not None and (view.records.outcome is not None or view.records.is_parked) else None

        view = self.board.wait_for(f"the end of saga {saga}", ended, WAIT_SECONDS)
        if view.records.outcome is not wanted:
            got = view.records.outcome.value if view.records.outcome is not None else "parked for an operator"
            raise SceneFailed(f"saga {saga} should have {wanted.value}, but is {got}")
        return view

    def await_all(self) -> None:
        """Wait until no saga is under way any more: a jump may have given more signals than the scene has used."""

        def quiet(board: Board) -> bool | None:
            ended = {view.records.saga_id.hex for view in board.snapshot().sagas if view.records.outcome is not None}
            return True if all(decision.saga in ended for decision in board.decisions()) else None

        self.board.wait_for("every saga to end", quiet, WAIT_SECONDS)

    def await_step(self, saga: str, step: str) -> FactSeen:
        """Wait until a step of a saga has started."""

        def started(board: Board) -> FactSeen | None:
            facts = (fact for fact in board.facts() if fact.saga == saga and fact.step == step)
            return next((fact for fact in facts if fact.event == "StepStarted"), None)

        return self.board.wait_for(f"{step} of saga {saga} to start", started, WAIT_SECONDS)

    def orders_of(self, saga: str) -> tuple[OrderSnapshot, ...]:
        """The orders whose label was made of this saga's idempotency keys, oldest first."""
        return tuple(order for order in self.control.orders() if saga_of_label(order.label) == UUID(hex=saga))

    def only_order_of(self, saga: str) -> OrderSnapshot:
        """The one order of a saga.

        Raises:
            SceneFailed: there is none, or more than one.
        """
        orders = self.orders_of(saga)
        if len(orders) != 1:
            raise SceneFailed(f"saga {saga} should have one order at the exchange and has {len(orders)}")
        return orders[0]

    @staticmethod
    def _price(instrument: str, board: Board) -> Decimal | None:
        prices = board.snapshot().prices.get(instrument)
        return Decimal(str(prices[-1])) if prices else None


@final
class ExchangeWatch:
    """Looks at the exchange a few times a second, for the views only. A context manager's worth of thread."""

    def __init__(self, control: ExchangeControl, board: Board, every_seconds: float = 0.25) -> None:
        self._control = control
        self._board = board
        self._every = every_seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="exchange-watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(WAIT_SECONDS)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                books, stats = read_books(self._control)
            except (ExchangeFailed, ControlError) as error:
                self._board.fail(ExchangeFailed(str(error)))
                return
            self._board.update_exchange(books, stats)
            self._stop.wait(self._every)


def read_books(control: ExchangeControl) -> tuple[Books, Stats]:
    """What the exchange has in its books.

    Raises:
        ExchangeFailed: it does not answer.
    """
    try:
        books = Books(orders=control.orders(), trades=control.trades(), positions=control.positions())
        return books, control.stats()
    except (OSError, TimeoutError, EOFError) as error:
        raise ExchangeFailed(f"the simulated exchange does not answer: {error or type(error).__name__}") from error
