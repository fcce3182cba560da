"""Runs one journey in a process of its own and kills that process with SIGKILL at its Nth commit."""

import itertools
import json
import multiprocessing
import os
import signal
from pathlib import Path
from uuid import UUID

from saga_choreography import SagaCompleted, SagaContext, SagaId, StepPending, TerminalStepError
from saga_choreography.storage import LmdbEnvironment
from saga_choreography.storage.staging import Stage
from tests.runtime.journey import JOURNEY, Trip, World, running

SAGA = SagaId(UUID("0190a0a0-0000-7000-8000-000000000002"))
COMPLETED, FAILED = 0, 3

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["tests.runtime.crashing"])


class LedgerWorld(World):
    """Writes every effect to a file that outlives the process; `fails` is refused."""

    def __init__(self, ledger: Path, fails: str) -> None:
        super().__init__()
        self.fails = fails
        self.file = os.open(ledger, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def act(self, what: str, context: SagaContext) -> StepPending | None:
        if what == self.fails:
            raise TerminalStepError("as told")
        os.write(self.file, (json.dumps([what, context.idempotency_key]) + "\n").encode())
        return None


def run_journey(path: Path, fails: str, kill_at: int, *, before: bool) -> None:
    """The process: start (or start again) the one saga, wait for its outcome, exit with it."""
    if kill_at:
        _kill_at_commit(kill_at, before=before)
    with running(path / "state", LedgerWorld(path / "ledger", fails)) as system:
        verdict = system.start_saga(JOURNEY, Trip("Oslo"), saga_id=SAGA).result(30)
    os._exit(COMPLETED if isinstance(verdict, SagaCompleted) else FAILED)


def _kill_at_commit(number: int, *, before: bool) -> None:
    counter = itertools.count(1)
    commit = LmdbEnvironment._commit

    def deadly(self: LmdbEnvironment, stage: Stage) -> None:
        is_the_one = next(counter) == number
        if is_the_one and before:
            os.kill(os.getpid(), signal.SIGKILL)
        commit(self, stage)
        if is_the_one:
            os.kill(os.getpid(), signal.SIGKILL)

    LmdbEnvironment._commit = deadly  # type: ignore[method-assign]  # the process exists only to die here


def in_a_process(path: Path, fails: str, kill_at: int = 0, *, before: bool = False) -> int:
    """Run the journey; the exit code of the process, negative when a signal ended it."""
    process = _processes.Process(target=run_journey, args=(path, fails, kill_at), kwargs={"before": before})
    process.start()
    process.join(60)
    assert process.exitcode is not None, "the process hangs"
    return process.exitcode


def ledger(path: Path) -> list[tuple[str, str]]:
    """(what, key) of every effect, in order."""
    file = path / "ledger"
    return [(what, key) for what, key in map(json.loads, file.read_text().splitlines())] if file.exists() else []
