"""A trading program in a process of its own, and the SIGKILL that ends it. Only ever kills the process it started."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import Final, Self, final
from uuid import UUID

from deribit_example.program import ProgramSettings
from saga_choreography import SagaId

WAIT_SECONDS: Final = 40.0


@final
class KillableProgram:
    """`child_program.py` on a data directory; a context manager that leaves no process behind."""

    def __init__(self, data_dir: Path, url: str, settings: ProgramSettings) -> None:
        times = (str(settings.order_validity_millis), str(settings.settle_margin_millis))
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed in __exit__
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.child_program", str(data_dir), url, *times],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            text=True,
        )
        self._changed = threading.Condition()
        self._lines: list[str] = []
        self._ended = False
        self._reader = threading.Thread(target=self._read, name="killable-reader", daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait(timeout=WAIT_SECONDS)
        self._reader.join(timeout=WAIT_SECONDS)
        for pipe in (self._process.stdin, self._process.stdout, self._errors):
            if pipe is not None:
                pipe.close()

    def wait_for(self, start: str) -> str:
        """The rest of the first line that starts like this."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._find(start) is not None, WAIT_SECONDS)
            found = self._find(start)
            lines = list(self._lines)
        assert found is not None, f"no line {start!r} in {lines}; errors:\n{self._last_words()}"
        return found.removeprefix(start).strip()

    def wait_for_fact(self, fact: str) -> None:
        """Wait for a fact, such as `StepStarted place_order`."""
        self.wait_for(f"fact {fact}")

    def saga_id(self) -> SagaId:
        """The saga it started."""
        return SagaId(UUID(self.wait_for("saga ")))

    def cancel(self, saga_id: SagaId) -> None:
        """Let it cancel the saga."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"cancel {saga_id.hex}\n")
        self._process.stdin.flush()

    def kill(self) -> None:
        """SIGKILL, by its pid; returns when it is gone."""
        os.kill(self._process.pid, signal.SIGKILL)
        assert self._process.wait(timeout=WAIT_SECONDS) == -signal.SIGKILL, self._last_words()

    def _find(self, start: str) -> str | None:
        return next((line for line in self._lines if line.startswith(start)), None)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._changed:
                self._lines.append(line.rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _last_words(self) -> str:
        self._errors.seek(0)
        return self._errors.read()[-4_000:]
