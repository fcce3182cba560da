"""Every python block of the documents runs as it stands, and the README's first example is the smallest program."""

import re
import signal
from pathlib import Path
from typing import Final

import pytest

from tests.docs.console import shown_commands
from tests.docs.documents import Block, blocks
from tests.docs.running import printed_by, run_python

BLOCKS: Final = tuple(blocks())
BY_NAME: Final = {block.name: block for block in BLOCKS}
RUNNABLE: Final = tuple(block for block in BLOCKS if not block.not_run)
TESTS: Final = tuple(block for block in RUNNABLE if block.name.startswith("test_"))
SMALLEST: Final = Path(__file__).with_name("smallest_program.py")


def test_no_two_blocks_have_one_name() -> None:
    assert len(BY_NAME) == len(BLOCKS)


def test_the_first_example_of_the_readme_is_the_checked_smallest_program() -> None:
    header, code = re.split(r"(?<=character by character\.\n)", SMALLEST.read_text(encoding="utf-8"), maxsplit=1)
    assert all(line.startswith("#") for line in header.splitlines())
    assert BY_NAME["trip.py"].code == code


def test_the_smallest_program_runs_and_its_saga_completes(examples: Path) -> None:
    assert printed_by("trip.py", examples).startswith("SagaCompleted(")
    assert (examples / "state" / "manifest.json").is_file()


def test_the_saga_killed_in_the_middle_resumes_under_the_same_key(examples: Path) -> None:
    killed = run_python(["crash.py"], examples)
    assert killed.returncode == -signal.SIGKILL
    first = re.fullmatch(r"attempt 1 under key (\S+)\n", killed.stdout)
    assert first is not None, killed.stdout
    assert printed_by("crash.py", examples) == f"attempt 2 under key {first.group(1)}\nSagaCompleted\n"


def test_the_failing_step_has_the_steps_before_it_undone_in_reverse_order(examples: Path) -> None:
    released, cancelled, reason = printed_by("undo.py", examples).splitlines()
    assert released == "room released"
    assert re.fullmatch(r"cancelled 12A to Oslo \([0-9a-f]{32}-book_flight-do\)", cancelled)
    assert reason == "step_failed [pay]: TerminalStepError: card refused"


def test_what_the_readme_shows_of_the_undo_is_what_is_printed(examples: Path) -> None:
    shown = re.search(r"^```text\n(room released\n.*?)^```$", _readme(), re.MULTILINE | re.DOTALL)
    assert shown is not None
    assert _without_ids(printed_by("undo.py", examples)) == _without_ids(shown.group(1))


def test_the_actor_wired_by_hand_serves_its_step(examples: Path) -> None:
    assert printed_by("desk.py", examples) == "SagaCompleted Hotel(room=7)\n"


def test_the_operator_sees_the_evidence_and_the_saga_goes_on_after_the_word(examples: Path) -> None:
    lines = printed_by("operate.py", examples).splitlines()
    assert lines[:2] == ["room released", "SagaQuarantined"]
    assert lines[2].startswith("book_flight CancelFlight(seat='12A to Oslo")
    assert lines[2].endswith("TerminalCompensationError: the airline does not answer")
    assert lines[3:] == ["ended: step_failed [pay]: TerminalStepError: card refused", "[]"]


SPECIAL: Final = {"trip.py", "crash.py", "undo.py", "desk.py", "operate.py"}
"""Their output is looked at above."""
SHOWN: Final = {word for command in shown_commands() for word in command.line.split()}
"""What console blocks run: their output is looked at by test_console.py."""
OTHERS: Final = tuple(block for block in RUNNABLE if block.name not in SPECIAL | SHOWN and block not in TESTS)


def test_every_example_above_is_in_the_documents() -> None:
    assert set(BY_NAME) >= SPECIAL


@pytest.mark.parametrize("block", OTHERS, ids=str)
def test_every_other_block_runs(examples: Path, block: Block) -> None:
    printed_by(block.name, examples)


@pytest.mark.parametrize("block", TESTS, ids=str)
def test_every_block_of_tests_passes_and_warns_of_nothing(examples: Path, block: Block) -> None:
    ran = run_python(["-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", block.name], examples)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def _readme() -> str:
    return BY_NAME["trip.py"].page.read_text(encoding="utf-8")


def _without_ids(text: str) -> str:
    return re.sub(r"[0-9a-f]{32}", "ID", text)
