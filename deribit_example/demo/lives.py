"""The trading program across its lives: started, killed, started again, stopped. What it reports goes to the board."""

import time
from collections.abc import Callable
from typing import Final, TypeAlias, final
from uuid import UUID

from deribit_example.demo.board import Board
from deribit_example.demo.children import ProgramProcess
from deribit_example.demo.exits import OutputClosed, ProgramFailed
from deribit_example.demo.journals import JournalReader
from deribit_example.demo.messages import Decided, FactSeen, Ready, Report
from deribit_example.demo.snapshot import Source
from saga_choreography import SagaError, SagaId

START_SECONDS: Final = 60.0

Spawn: TypeAlias = Callable[[Callable[[Report], None], Callable[[int, ProgramFailed], None]], ProgramProcess]


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
            "the trading program to start", lambda board: next(iter(board.lives()[lives:]), None), START_SECONDS
        )

    def kill(self) -> int:
        """SIGKILL it; returns the pid it had."""
        process = self._running()
        self._word = "killed"
        self._board.say(Source.PROGRAM, f"SIGKILL to the trading program (pid {process.pid})")
        process.kill()
        self._board.mark("killed", f"SIGKILL, pid {process.pid}", _now_millis())
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
        try:
            self._sort(report)
        except BrokenPipeError:
            self._board.fail(OutputClosed("nobody reads the output any more"))

    def _sort(self, report: Report) -> None:
        # A saga starts before its risk manager can say so: its facts wait for that word, to be read in the right order.
        match report:
            case Ready(pid=pid, live_sagas=live):
                self._announced.update(live)
                self._board.mark("started again", f"pid {pid}, the same journals", _now_millis())
            case Decided(saga=saga):
                self._announced.add(saga)
            case FactSeen(saga=saga) if saga not in self._announced:
                self._held.append(report)
                return
            case _:
                pass
        if isinstance(report, FactSeen):
            self._take(report)
        else:
            self._board.apply(report)
        held, self._held = self._held, []
        for fact in held:
            self._sort(fact)

    def _take(self, fact: FactSeen) -> None:
        # The journals first: who waits for a fact then finds the records it follows from.
        try:
            self.look(fact.saga)
        except SagaError as error:
            self._board.fail(ProgramFailed(f"the journals cannot be read: {error}", error.exit_code))
        self._board.apply(fact)

    def _on_end(self, code: int, failure: ProgramFailed) -> None:
        self._board.program_ended(self._word or "ended", None if self._word is not None else failure)


def _now_millis() -> int:
    return time.time_ns() // 1_000_000
