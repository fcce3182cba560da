"""Runs one journey in a process of its own, with the faults that the environment sets; a ledger outlives it."""

import multiprocessing
import os
from pathlib import Path

from saga_choreography import Durability, SagaCompleted, SagaSystem
from saga_choreography.testing import FaultPoints
from saga_choreography.testing.fault_settings import VARIABLE
from tests.runtime.crashing import COMPLETED, FAILED, SAGA, LedgerWorld
from tests.runtime.journey import JOURNEY, Host, Packer, Pilot, Trip

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["tests.testing.dying"])


def _run(path: Path, fails: str, faults: str) -> None:
    os.environ[VARIABLE] = faults
    world = LedgerWorld(path / "ledger", fails)
    hook = FaultPoints.from_environment()
    with SagaSystem(path / "state", durability=Durability.PROCESS, fault_points=hook) as system:
        for actor in (Packer, Pilot, Host):
            system.start_actor(actor, world)
        outcome = system.start_saga(JOURNEY, Trip("Oslo"), saga_id=SAGA).wait_until_ended(60)
    os._exit(COMPLETED if isinstance(outcome, SagaCompleted) else FAILED)


def in_a_process(path: Path, *, fails: str = "", faults: str = "") -> int:
    """Run the journey; the exit code of the process, negative when a signal ended it."""
    process = _processes.Process(target=_run, args=(path, fails, faults))
    process.start()
    process.join(100)
    assert process.exitcode is not None, "the process hangs"
    return process.exitcode
