"""`saga-choreography check-upgrade`: what it prints, its exit codes; and a program that runs does not notice it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner, Result

from saga_choreography import SagaId
from saga_choreography.cli.check_upgrade import check_upgrade
from saga_choreography.cli.commands import commands
from tests.cli.journeys import CITIES, left_waiting
from tests.disk.media import contents
from tests.power.tracing import child_environment

HERE: Final = "tests.cli.journeys"
ROOT: Final = Path(__file__).parents[2]
SECONDS: Final = 100


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[SagaId]]:
    """Two sagas whose last step is pending; nobody runs there."""
    path = tmp_path_factory.mktemp("waiting")
    return path, left_waiting(path)


@pytest.fixture(autouse=True)
def _sys_path_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """A target is looked for in the current folder, which is put on the path."""
    monkeypatch.setattr(sys, "path", [*sys.path])


def run(*arguments: object) -> Result:
    return CliRunner().invoke(check_upgrade, [str(one) for one in arguments])


def test_it_is_a_command_and_explains_itself() -> None:
    told = CliRunner().invoke(commands, ["check-upgrade", "--help"])
    assert told.exit_code == 0
    assert "Would the program as it is today resume the live sagas in DATA_DIR?" in told.output
    assert "6 a store cannot be read" in told.output


def test_all_that_would_resume_is_exit_code_0(waiting: tuple[Path, list[SagaId]]) -> None:
    path, _ = waiting
    told = run(path, f"{HERE}:SAME")
    assert told.exit_code == 0
    assert told.output == f"{path}: 4 store(s), 2 live saga(s), 16 stored value(s): all would resume\n"
    told = run(path, f"{HERE}:EVOLVED", f"{HERE}:OTHER")
    assert told.exit_code == 0
    note, verdict = told.output.splitlines()
    assert note.startswith("note  2 live saga(s) of type 'journey': they end under the plan they began with")
    assert verdict.endswith("all would resume")


def test_what_would_not_resume_is_listed_with_its_reason_and_is_exit_code_1(
    waiting: tuple[Path, list[SagaId]],
) -> None:
    path, sagas = waiting
    told = run(path, f"{HERE}:BROKEN")
    assert told.exit_code == 1
    lines = told.output.splitlines()
    assert lines[-1].endswith("2 would not resume as they should")
    faults = [line for line in lines if line.startswith("FAULT ")]
    assert len(faults) == 2 * len(sagas)
    for saga_id in sagas:
        undo, payload = sorted(line for line in faults if str(saga_id) in line)
        assert (
            "step 'fly': undo data: the undo data is not a valid Seat: invalid value for type, expected int @ $.seat; "
            in undo
        )
        assert ": payload: the payload is not a valid CountryTrip: required field missing @ $.country; " in payload


def test_machines_are_told_the_same_as_json(waiting: tuple[Path, list[SagaId]]) -> None:
    path, sagas = waiting
    told = run(path, f"{HERE}:BROKEN", "--json")
    assert told.exit_code == 1
    report = json.loads(told.output)
    assert report["data_dir"] == str(path)
    assert (report["stores"], report["sagas"], report["values"]) == (4, 2, 16)
    assert sorted({fault["saga_id"] for fault in report["faults"]}) == sorted(map(str, sagas))
    assert {(fault["step_name"], fault["what"]) for fault in report["faults"]} == {
        ("fly", "undo data"),
        (None, "payload"),
    }
    for fault in report["faults"]:
        assert fault["saga_type"] == "journey"
        assert fault["store"].startswith(str(path / "actors"))
        assert " @ $." in fault["why"]
        assert "upcaster" in fault["remedy"]
    assert {note["saga_type"] for note in report["notes"]} == {"journey"}
    told = run(path, f"{HERE}:SAME", "--json")
    assert told.exit_code == 0
    assert json.loads(told.output)["faults"] == []


def test_a_step_and_a_saga_type_that_nobody_declares_are_exit_code_1(waiting: tuple[Path, list[SagaId]]) -> None:
    told = run(waiting[0], f"{HERE}:OTHER")
    assert told.exit_code == 1
    assert told.output.count("plan: no workflow given declares this saga type; keep it declared") == len(CITIES)


def test_a_store_that_cannot_be_read_is_exit_code_6_and_is_named(
    waiting: tuple[Path, list[SagaId]], tmp_path: Path
) -> None:
    path = shutil.copytree(waiting[0], tmp_path / "state")
    os.truncate(path / "actors" / "Host" / "0" / "data.mdb", 10)
    before = contents(path)
    told = run(path, f"{HERE}:SAME")
    assert told.exit_code == 6
    assert f"Error: store {path / 'actors' / 'Host' / '0'}: " in told.output
    assert contents(path) == before
    told = run(tmp_path / "nowhere", f"{HERE}:SAME")
    assert told.exit_code == 6
    assert "there is no manifest.json; check the path" in told.output
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize(
    ("targets", "code", "told"),
    [
        ((), 2, "Missing argument"),
        (("tests.cli.nothing:SAME",), 3, "cannot be imported"),
        ((f"{HERE}:NO_WORKFLOW",), 3, "is no SagaWorkflow"),
        ((f"{HERE}:SAME", f"{HERE}:BROKEN"), 3, "two different workflows of this saga type are given"),
    ],
)
def test_wrong_workflows_have_exit_codes_of_their_own(
    waiting: tuple[Path, list[SagaId]], targets: tuple[str, ...], code: int, told: str
) -> None:
    result = run(waiting[0], *targets)
    assert result.exit_code == code
    assert told in result.output


@pytest.fixture
def program(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """The earlier program, running in a process of its own with sagas that wait."""
    with subprocess.Popen(
        [sys.executable, "-m", HERE, str(tmp_path / "state")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=child_environment(),
    ) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "live\n"
            yield child
        finally:
            child.kill()


def say(program: "subprocess.Popen[str]") -> str:
    """Let the program go on; what it says next."""
    assert program.stdin is not None
    assert program.stdout is not None
    program.stdin.write("\n")
    program.stdin.flush()
    said: str = program.stdout.readline()
    return said


def test_a_program_that_runs_is_looked_at_and_does_not_notice(program: "subprocess.Popen[str]", tmp_path: Path) -> None:
    path = tmp_path / "state"
    before = contents(path)
    assert before["LOCK"] == f"{program.pid}\n".encode()
    for target, code in (("SAME", 0), ("EVOLVED", 0), ("BROKEN", 1), ("OTHER", 1)):
        told = run(path, f"{HERE}:{target}")
        assert told.exit_code == code, told.output
        assert "4 store(s), 2 live saga(s)" in told.output
    assert contents(path) == before
    assert say(program) == "SagaFailed SagaFailed\n"
    assert say(program) == ""
    assert program.wait(SECONDS) == 0
    told = run(path, f"{HERE}:SAME")
    assert told.exit_code == 0
    assert "4 store(s), 0 live saga(s), 0 stored value(s): all would resume" in told.output


def test_from_a_shell_while_the_program_runs_and_after_it_was_killed(
    program: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    command = [
        sys.executable,
        "-m",
        "saga_choreography.cli",
        "check-upgrade",
        str(tmp_path / "state"),
        f"{HERE}:BROKEN",
    ]
    for _ in range(2):
        ran = subprocess.run(
            command, capture_output=True, text=True, timeout=SECONDS, cwd=ROOT, env=child_environment(), check=False
        )
        assert (ran.returncode, ran.stderr) == (1, "")
        assert ran.stdout.endswith(": 2 would not resume as they should\n")
        program.kill()
        program.wait(SECONDS)
