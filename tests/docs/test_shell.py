"""Shell commands of the documents. What takes hours is run in small: a remark above the block, `run as: COMMAND`, says
how, and may change nothing but numbers, or only collect the tests, or only ask for help."""

import re
import shlex
from pathlib import Path
from typing import Final, final

import pytest
from attrs import frozen

from tests.docs.console import run_all
from tests.docs.documents import PAGES, ROOT, fences, title

ONLY_COLLECT: Final = " --collect-only -q"
ONLY_HELP: Final = " --help"
"""For what takes an hour whatever its numbers, and for what writes into the documents themselves."""
INSTALL: Final = re.compile(r"pip install (-e )?('?(\.|saga_choreography)(\[\w+(,\w+)*\])?'?)")
_COMMENT: Final = re.compile(r"\s+# .*$|^# .*$")


@final
@frozen(kw_only=True)
class Line:
    """One line of a shell block, and the command that is run for it."""

    page: Path
    command: str
    run: str

    def __str__(self) -> str:
        return f"{title(self.page)}: {self.command}"


def lines() -> list[Line]:
    """Every command of every shell block."""
    found: list[Line] = []
    for page in PAGES:
        for fence in fences(page, "sh"):
            typed = [line for raw in fence.code.splitlines() if (line := _COMMENT.sub("", raw).strip())]
            remark = fence.remark.splitlines() if fence.remark.startswith("run as: ") else []
            said = [line.removeprefix("run as:").strip() for line in remark]
            assert not said or len(said) == len(typed), f"{fence}: {len(typed)} commands, {len(said)} to run"
            found += [
                Line(page=page, command=command, run=run) for command, run in zip(typed, said or typed, strict=True)
            ]
    return found


LINES: Final = lines()
SCRIPTS: Final = [line for line in LINES if line.command.startswith("scripts/")]
INSTALLS: Final = [line for line in LINES if line.command.startswith(("pip ", "python -m venv", "git ", ". "))]
RUN: Final = [line for line in LINES if line not in SCRIPTS and line not in INSTALLS]


@pytest.mark.parametrize("line", RUN, ids=str)
def test_what_is_run_differs_in_numbers_only(line: Line) -> None:
    ways = [line.run, line.run.removesuffix(ONLY_COLLECT), line.run.removesuffix(ONLY_HELP)]
    assert re.sub(r"\d+", "0", line.command) in [re.sub(r"\d+", "0", way) for way in ways]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("line", RUN, ids=str)
def test_a_shell_command_ends_well(pytestconfig: pytest.Config, line: Line) -> None:
    # The root of this run: under tox, a folder where the packages do not stand, so the wheel is run.
    (ran,) = run_all([line.run], pytestconfig.rootpath)
    assert ran.code == 0, ran.printed


@pytest.mark.parametrize("line", SCRIPTS, ids=str)
def test_a_script_that_is_named_is_there(line: Line) -> None:
    assert (ROOT / shlex.split(line.command)[0]).is_file()


@pytest.mark.parametrize("line", INSTALLS, ids=str)
def test_an_installation_is_written_as_pip_reads_it(line: Line) -> None:
    if line.command.startswith("pip "):
        assert INSTALL.fullmatch(line.command), line.command
