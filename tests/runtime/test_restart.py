"""The process is killed with SIGKILL at every interesting moment; the next start finishes the saga by itself."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from saga_choreography import (
    FailureKind,
    SagaCompleted,
    SagaContext,
    SagaFailed,
    SagaSystem,
    StepPending,
    StoreLocked,
)
from tests.runtime.journey import JOURNEY, CancellableHost, Trip, World, running, workflow

PROGRAM = """
import json, os, sys, threading
from pathlib import Path
from uuid import UUID
from saga_choreography import SagaId, StepPending, TerminalStepError
from tests.runtime.journey import JOURNEY, Trip, World, running, CancellableHost

path, saga, hang_in, fail_in = Path(sys.argv[1]), SagaId(UUID(sys.argv[2])), sys.argv[3], sys.argv[4]
ledger = os.open(path / "ledger", os.O_WRONLY | os.O_APPEND | os.O_CREAT)

class FileWorld(World):
    def act(self, what, context):
        if what == "hang " + hang_in or what == hang_in:
            say("hanging")
            threading.Event().wait()
        if what == fail_in:
            raise TerminalStepError("as told")
        os.write(ledger, (json.dumps([what, context.idempotency_key]) + "\\n").encode())
        os.fsync(ledger)
        if hang_in == what + " done":
            say("hanging")
            threading.Event().wait()
        return None

def say(text):
    sys.stdout.write(text + "\\n")
    sys.stdout.flush()

with running(path / "state", FileWorld()) as system:
    handle = system.start_saga(JOURNEY, Trip("Oslo"), saga_id=saga)
    say("started")
    verdict = handle.result(20)
    say(type(verdict).__name__)
"""

SAGA = "0190a0a0-0000-7000-8000-000000000001"


def run_once(path: Path, hang_in: str, fail_in: str) -> str:
    """Run the program until it says how the saga ended, or until it hangs; then kill it."""
    root = Path(__file__).resolve().parents[2]
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(path), SAGA, hang_in, fail_in],
        stdout=subprocess.PIPE,
        text=True,
        cwd=root if (root / "tests").exists() else None,
    )
    assert program.stdout is not None
    try:
        for line in program.stdout:
            word: str = line.strip()
            if word == "hanging":
                program.kill()
                return word
            if word != "started":
                return word
        raise AssertionError(f"the program ended silently with {program.wait(10)}")
    finally:
        if program.poll() is None and program.stdout.readline() == "":
            program.wait(20)
        program.kill()
        program.wait(10)
        program.stdout.close()


def ledger(path: Path) -> list[tuple[str, str]]:
    return [(what, key) for what, key in map(json.loads, (path / "ledger").read_text().splitlines())]


FORWARD = ["pack", "pack done", "fly", "fly done", "stay", "stay done"]
BACKWARD = ["undo fly", "undo fly done", "undo pack", "undo pack done"]


@pytest.mark.parametrize("moment", FORWARD)
def test_a_saga_killed_at_any_forward_moment_completes_after_the_restart(tmp_path: Path, moment: str) -> None:
    assert run_once(tmp_path, moment, "") == "hanging"
    assert run_once(tmp_path, "", "") == "SagaCompleted"
    keys = {what: {key for one, key in ledger(tmp_path) if one == what} for what, _ in ledger(tmp_path)}
    assert sorted(keys) == ["fly", "pack", "stay"]
    assert all(len(of_step) == 1 for of_step in keys.values()), "every attempt carries the same key"


@pytest.mark.parametrize("moment", BACKWARD)
def test_a_saga_killed_while_it_is_undone_is_undone_after_the_restart(tmp_path: Path, moment: str) -> None:
    assert run_once(tmp_path, moment, "stay") == "hanging"
    assert run_once(tmp_path, "", "stay") == "SagaFailed"
    undone = [what for what, _ in ledger(tmp_path) if what.startswith("undo")]
    assert list(dict.fromkeys(undone)) == ["undo fly", "undo pack"]


def test_a_saga_that_is_killed_again_and_again_still_ends(tmp_path: Path) -> None:
    for moment in ["pack", "fly done", "stay", "stay done"]:
        assert run_once(tmp_path, moment, "") == "hanging"
    assert run_once(tmp_path, "", "") == "SagaCompleted"


def test_a_clean_stop_in_the_middle_resumes_too(tmp_path: Path, blocked: "Callable[[World], None]") -> None:
    world = World()
    blocked(world)
    with running(tmp_path, world) as system:
        handle = system.start_saga(JOURNEY, Trip("Oslo"))
        world.wait_for_call("stay")
    fresh = World()
    with running(tmp_path, fresh) as system:
        assert isinstance(system.handle(handle.saga_id).result(10), SagaCompleted)
    assert [step for step, _ in fresh.done] == ["stay"]


@pytest.fixture
def blocked() -> Callable[[World], None]:
    """Makes `stay` pend for ever, so that the system is stopped in the middle."""

    def block(world: World) -> None:
        world.on["stay"] = lambda _: StepPending(timeout_millis=1)

    return block


def test_an_outcome_can_be_read_after_a_restart(tmp_path: Path) -> None:
    with running(tmp_path, World()) as system:
        handle = system.start_saga(JOURNEY, Trip("Oslo"))
        handle.result(10)
    with running(tmp_path, World()) as system:
        again = system.handle(handle.saga_id)
        assert isinstance(again.outcome(), SagaCompleted)
        assert not isinstance(again.result(1), SagaFailed)


def test_a_directory_in_use_is_refused(tmp_path: Path) -> None:
    with SagaSystem(tmp_path), pytest.raises(StoreLocked, match=r"store .*; "):
        SagaSystem(tmp_path)


@pytest.mark.parametrize(
    ("overall", "stalled", "kind"),
    [(400, None, FailureKind.OVERALL_TIMEOUT), (None, 400, FailureKind.STALLED_TIMEOUT)],
)
def test_timeouts_survive_a_restart(
    tmp_path: Path, overall: int | None, stalled: int | None, kind: FailureKind
) -> None:
    def wait(_: SagaContext) -> StepPending:
        return StepPending()

    first = World(on={"stay": wait})
    with running(tmp_path, first, host=CancellableHost) as system:
        handle = system.start_saga(workflow(overall=overall, stalled=stalled), Trip("Oslo"))
        first.wait_for_call("stay")
    second = World(on={"stay": wait})
    with running(tmp_path, second, host=CancellableHost) as system:
        outcome = system.handle(handle.saga_id).result(20)
    assert isinstance(outcome, SagaFailed)
    assert outcome.cause.kind is kind
    assert second.undone_steps() == ["fly", "pack"]
