"""The tutorial is followed to the letter: its commands, its answers at the prompt, and its kill -9 from beside."""

import re
import shlex
import signal
import subprocess
from pathlib import Path
from typing import Final, final

import pytest

from tests.docs.console import Command, commands, fits, run_all
from tests.docs.documents import ROOT, fences
from tests.docs.running import environment

PAGE: Final = ROOT / "docs" / "tutorial.md"
COMMANDS: Final = [command for fence in fences(PAGE, "console") for command in commands(fence)]
PROMPT: Final = "[y/n] "
_ANSWER: Final = re.compile(r"(?<=\[y/n\] )(\w)\n")
_PROCESS: Final = re.compile(r"^process (\d+)$", re.MULTILINE)


@final
class Terminal:
    """A program somebody talks to: it prints, asks, and waits."""

    def __init__(self, line: str, folder: Path) -> None:
        self._program = subprocess.Popen(
            shlex.split(line),
            cwd=folder,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.printed = ""

    def read_to_prompt(self) -> bool:
        """Read until it asks; False: it ended instead."""
        assert self._program.stdout is not None
        while letter := self._program.stdout.read(1):
            self.printed += letter
            if self.printed.endswith(PROMPT):
                return True
        return False

    def answer(self, text: str) -> None:
        """Type an answer."""
        assert self._program.stdin is not None
        self._program.stdin.write(f"{text}\n")
        self._program.stdin.flush()

    def ended(self) -> int:
        """Its exit code."""
        return self._program.wait(timeout=60)

    def close(self) -> None:
        """Whatever it does, it ends now."""
        self._program.kill()
        self._program.communicate()


def play(command: Command, folder: Path) -> Terminal:
    """Run a program that asks, and answer what the page answers; it may be left waiting at the last prompt."""
    terminal = Terminal(command.line, folder)
    answers: list[str] = _ANSWER.findall(command.shows)
    while terminal.read_to_prompt():
        if not answers:
            break
        terminal.answer(answers.pop(0))
    assert not answers, f"{command} did not ask for {answers}"
    # An answer that is typed shows on a terminal, and not here.
    shows = re.sub(_PROCESS, "process ...", _ANSWER.sub("", command.shows))
    assert fits(terminal.printed, shows), f"{command} printed:\n{terminal.printed}"
    return terminal


@pytest.mark.timeout(600)
def test_the_tutorial_goes_as_it_says(examples: Path) -> None:
    waiting: dict[str, Terminal] = {}
    killed = 0
    try:
        for command in COMMANDS:
            if kill := re.fullmatch(r"kill -9 (\d+)", command.line):
                terminal = waiting.pop(kill.group(1))
                process = _PROCESS.search(terminal.printed)
                assert process is not None
                subprocess.run(["kill", "-9", process.group(1)], check=True, timeout=60)
                assert terminal.ended() == -signal.SIGKILL
                terminal.close()
                killed += 1
            elif command.line.startswith("python shop.py"):
                terminal = play(command, examples)
                if terminal.printed.endswith(PROMPT):
                    shown = _PROCESS.search(command.shows)
                    assert shown is not None
                    waiting[shown.group(1)] = terminal
                else:
                    assert terminal.ended() == 0
                    terminal.close()
            else:
                (ran,) = run_all([command.line], examples)
                assert fits(ran.printed, command.shows), f"{command} printed:\n{ran.printed}"
                assert ran.code == 0
    finally:
        for terminal in waiting.values():
            terminal.close()
    assert killed == 1
    assert not waiting


def test_the_killed_saga_ends_without_a_second_charge(examples: Path) -> None:
    terminal = Terminal("python shop.py 3", examples)
    try:
        assert terminal.read_to_prompt()
        process = _PROCESS.search(terminal.printed)
        assert process is not None
        subprocess.run(["kill", "-9", process.group(1)], check=True, timeout=60)
        assert terminal.ended() == -signal.SIGKILL
    finally:
        terminal.close()
    again = Terminal("python shop.py 3", examples)
    try:
        assert again.read_to_prompt()
        again.answer("n")
        assert not again.read_to_prompt()
        assert again.ended() == 0
    finally:
        again.close()
    effects = [line.split("  [")[0] for line in (examples / "outside.txt").read_text(encoding="utf-8").splitlines()]
    assert effects == ["reserved a lamp", "charged 30", "refunded 30", "put the lamp back"]
