"""Opens disk images one after another in a process of its own, for damage may end the process that opens it.

A judge answers with a finding; when its process dies, that is the finding, and the next image gets a new process.
"""

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import TracebackType
from typing import Final, TypeAlias, final

from attrs import frozen

from saga_choreography.errors import StoreError

_processes = multiprocessing.get_context("forkserver")
_PATIENCE_SECONDS: Final = 90.0


@final
@frozen
class Good:
    """The image was opened; what the judge said of it."""

    said: object


@final
@frozen
class Refused:
    """The image was refused with an error of the library."""

    kind: str
    text: str
    store: str
    remedy: str


@final
@frozen
class Crashed:
    """The process ended, or something was raised that is no `StoreError`."""

    how: str


Finding: TypeAlias = Good | Refused | Crashed
Judge: TypeAlias = Callable[[Path], object]


def _serve(judge: Judge, connection: Connection) -> None:
    while True:
        path = connection.recv()
        if path is None:
            return
        try:
            connection.send(Good(judge(path)))
        except StoreError as error:
            connection.send(Refused(type(error).__name__, str(error), error.store, error.remedy))
        except Exception as error:
            connection.send(Crashed(f"{type(error).__name__}: {error}"))


@final
class Court:
    """One process that judges. A context manager."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._connection: Connection | None = None
        self._process: BaseProcess | None = None

    def judge(self, path: Path) -> Finding:
        """What comes of opening this directory."""
        if self._connection is None:
            self._start()
        connection, process = self._connection, self._process
        assert connection is not None
        assert process is not None
        try:
            connection.send(path)
            if not connection.poll(_PATIENCE_SECONDS):
                process.kill()
                return Crashed(f"silent for {_PATIENCE_SECONDS} s")
            found = connection.recv()
        except (EOFError, ConnectionError, BrokenPipeError):
            process.join(_PATIENCE_SECONDS)
            found = Crashed(f"the process ended with {process.exitcode}")
            self._stop()
        assert isinstance(found, Good | Refused | Crashed)
        return found

    def __enter__(self) -> "Court":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._connection is not None and self._process is not None and self._process.is_alive():
            self._connection.send(None)
        self._stop()

    def _start(self) -> None:
        ours, theirs = _processes.Pipe()
        process = _processes.Process(target=_serve, args=(self._judge, theirs), daemon=True)
        process.start()
        theirs.close()
        self._connection, self._process = ours, process

    def _stop(self) -> None:
        connection, process = self._connection, self._process
        self._connection = self._process = None
        if connection is not None and process is not None:
            connection.close()
            process.join(_PATIENCE_SECONDS)
