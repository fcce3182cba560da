"""Every console block of the documents prints what it shows, run in order from the files of the examples."""

import shutil
from pathlib import Path
from typing import Final

import pytest

from tests.docs.console import commands, fits, run_all
from tests.docs.documents import PAGES, Fence, fences, title
from tests.docs.running import environment

TWO_TERMINALS: Final = "docs/tutorial.md"
"""A page whose commands run beside each other: tests/docs/test_tutorial.py."""
ON_PAGE: Final = {page: [one for fence in fences(page, "console") for one in commands(fence)] for page in PAGES}
RUN_HERE: Final = [page for page in PAGES if ON_PAGE[page] and title(page) != TWO_TERMINALS]
TOOLS: Final = ("mypy", "pyright", "ruff")


@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", RUN_HERE, ids=title)
def test_the_commands_of_a_page_print_what_it_shows(examples: Path, page: Path) -> None:
    listed = ON_PAGE[page]
    path = environment()["PATH"]
    for tool in TOOLS:
        if any(command.line.startswith(tool) for command in listed) and shutil.which(tool, path=path) is None:
            pytest.skip(f"{tool} is not installed here; the env `docs` has it")
    ran = run_all((command.line for command in listed), examples)
    assert len(ran) == len(listed), f"the shell ended early: {ran[-1:]}"
    for command, result in zip(listed, ran, strict=True):
        assert fits(result.printed, command.shows), f"{command}\nprinted {result.code}:\n{result.printed}"
    codes_shown = [after.line == "echo $?" for after in listed[1:]] + [False]
    for command, result, is_shown in zip(listed, ran, codes_shown, strict=True):
        assert result.code == 0 or is_shown, f"{command} ended with {result.code}, which the page does not show"


@pytest.mark.parametrize(
    ("printed", "shows"),
    [
        ("one\ntwo\n", "one\ntwo\n"),
        ("one\ntwo\nthree\n", "one\n...\nthree\n"),
        ("one\nthree\n", "one\n...\nthree\n"),
        ("key 0123456789abcdef0123456789abcdef-do\n", "key fedcba9876543210fedcba9876543210-do\n"),
        ("at 1700000000123 there\n", "at ... there\n"),
        ("", ""),
    ],
)
def test_what_is_printed_fits_what_is_shown(printed: str, shows: str) -> None:
    assert fits(printed, shows)


@pytest.mark.parametrize(
    ("printed", "shows"),
    [("one\n", "two\n"), ("one\ntwo\n", "one\n"), ("one\n", ""), ("", "one\n"), ("axb\n", "a.b\n")],
)
def test_another_output_does_not_fit(printed: str, shows: str) -> None:
    assert not fits(printed, shows)


def test_a_command_may_go_on_in_the_next_line() -> None:
    fence = Fence(
        page=PAGES[0], number=0, language="console", code="$ echo one \\\n> two\none two\n$ true\n", remark=""
    )
    assert [(one.line, one.shows) for one in commands(fence)] == [("echo one two", "one two\n"), ("true", "")]


def test_commands_share_one_shell_and_tell_their_exit_codes(tmp_path: Path) -> None:
    ran = run_all(["word=hello", "echo $word", "sh -c 'echo bad; exit 3'", "echo $?"], tmp_path)
    assert [(one.printed.strip(), one.code) for one in ran] == [("", 0), ("hello", 0), ("bad", 3), ("3", 0)]


def test_a_console_block_begins_with_a_command() -> None:
    for page in PAGES:
        for fence in fences(page, "console"):
            assert fence.code.startswith("$ "), f"{fence} begins with output"
            assert list(commands(fence))
