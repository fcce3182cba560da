"""The processes of the demo. Each ends when its standard input does, so none outlives its parent, however that ends.

They get sessions of their own: Ctrl-C reaches the parent alone, which ends them in the right order.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self, final

from deribit_example.demo.exits import ExchangeFailed, ProgramFailed
from deribit_example.demo.messages import BadLine, Command, Refused, Report, Stop, decode_report, encode

START_SECONDS: Final = 30.0
STOP_SECONDS: Final = 10.0
_LAST_BYTES: Final = 2_000


@final
class Child:
    """One process, its pipes and its log file. Only ever ends the process it started."""

    def __init__(self, name: str, command: Sequence[str], log: Path, environment: Mapping[str, str]) -> None:
        self.name = name
        self._log = log
        with log.open("ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**os.environ, **environment},
                start_new_session=True,
                text=True,
                encoding="utf-8",
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def stdin(self) -> IO[str]:
        assert self.process.stdin is not None
        return self.process.stdin

    @property
    def stdout(self) -> IO[str]:
        assert self.process.stdout is not None
        return self.process.stdout

    def close_input(self) -> None:
        """The polite word to end. A child that is gone has heard it."""
        try:
            self.stdin.close()
        except BrokenPipeError:
            return

    def end(self) -> int:
        """End it: politely, then by SIGTERM, then by SIGKILL; returns its exit code. Idempotent."""
        self.close_input()
        for ask in (None, self.process.terminate, self.process.kill):
            if ask is not None:
                ask()
            try:
                return self.process.wait(timeout=STOP_SECONDS)
            except subprocess.TimeoutExpired:
                continue
        return self.process.wait(timeout=STOP_SECONDS)

    def last_words(self) -> str:
        """The end of its log, for an error message."""
        try:
            text = self._log.read_bytes()[-_LAST_BYTES:].decode(errors="replace").strip()
        except OSError as error:
            return f"{self._log} cannot be read: {error.strerror}"
        return text or "it said nothing"


@final
class ExchangeProcess:
    """The simulated exchange. A context manager.

    Raises:
        ExchangeFailed: it does not listen in time, or ends.
    """

    def __init__(self, run_dir: Path, *, seed: int, client_id: str, client_secret: str, port: int = 0) -> None:
        port_file = run_dir / "exchange.port"
        command = ("deribit_example.exchange", "--port-file", str(port_file), "--seed", str(seed))
        own = ("--client-id", client_id, "--client-secret", client_secret, "--port", str(port), "--until-eof")
        try:
            self._child = Child("exchange", (*command, *own), run_dir / "exchange.log", {})
        except OSError as error:
            raise ExchangeFailed(f"the simulated exchange cannot be started: {error}") from error
        # It prints its url once it listens; an end of file instead means that it never will.
        line: list[str] = []
        reader = threading.Thread(target=lambda: line.append(self._child.stdout.readline()), daemon=True)
        reader.start()
        reader.join(START_SECONDS)
        if not line or not line[0].strip():
            self._child.end()
            self._child.stdout.close()
            raise ExchangeFailed(f"the simulated exchange does not start: {self._child.last_words()}")
        self.url = line[0].strip()
        self.pid = self._child.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._child.end()
        self._child.stdout.close()


@final
class ProgramProcess:
    """One life of the trading program. Reports arrive on a thread of their own; `on_end` follows the last one.

    Raises:
        ProgramFailed: it cannot be started.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        log: Path,
        environment: Mapping[str, str],
        *,
        on_report: Callable[[Report], None],
        on_end: Callable[[int, ProgramFailed], None],
    ) -> None:
        try:
            self._child = Child("program", ("deribit_example.demo.child", *arguments), log, environment)
        except OSError as error:
            raise ProgramFailed(f"the trading program cannot be started: {error}") from error
        self._on_report = on_report
        self._on_end = on_end
        self._refusal: Refused | None = None
        self._reader = threading.Thread(target=self._read, name="program-reports", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._child.pid

    def tell(self, command: Command) -> None:
        """Send a command; a program that is gone hears nothing, and `on_end` says so."""
        try:
            self._child.stdin.write(encode(command))
            self._child.stdin.flush()
        except (BrokenPipeError, ValueError):
            return

    def kill(self) -> int:
        """SIGKILL, by its pid; returns its exit code (-9)."""
        os.kill(self._child.pid, signal.SIGKILL)
        return self._finish()

    def stop(self) -> int:
        """Let it finish its running step and end; returns its exit code. Idempotent."""
        self.tell(Stop())
        return self._finish()

    def _finish(self) -> int:
        code = self._child.end()
        self._reader.join(STOP_SECONDS)
        return code

    def _read(self) -> None:
        for line in self._child.stdout:
            try:
                report = decode_report(line)
            except BadLine:
                # The line being written when it was killed; a program that talks nonsense is found by its silence.
                continue
            if isinstance(report, Refused):
                self._refusal = report
            self._on_report(report)
        code = self._child.process.wait()
        self._child.stdout.close()
        self._on_end(code, self._failure(code))

    def _failure(self, code: int) -> ProgramFailed:
        if self._refusal is not None:
            return ProgramFailed(self._refusal.message, self._refusal.exit_code)
        return ProgramFailed(f"the trading program ended with code {code}: {self._child.last_words()}")
