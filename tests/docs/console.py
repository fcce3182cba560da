"""Console blocks: `$ command` lines and, below each, what it prints. A page's commands run in one shell, in order.

Long ids, times and folders differ in each run, so both sides are compared with those replaced. `...` stands for any
text: a line of its own for any number of lines.
"""

import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, final

from attrs import frozen

from tests.docs.documents import PAGES, Fence, fences
from tests.docs.running import environment

TIMEOUT_SECONDS: Final = 300
_MARK: Final = "@@ended@@"
_VARYING: Final = (
    (re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "UUID"),
    (re.compile(r"[0-9a-f]{32}"), "HEX"),
    (re.compile(r"\b1\d{12}\b"), "MILLIS"),
    (re.compile(r"\b\d+\.\d+s\b"), "SECONDS"),
)


@final
@frozen(kw_only=True)
class Command:
    """One command, what the page says it prints, and where it stands."""

    fence: Fence
    line: str
    shows: str

    def __str__(self) -> str:
        return f"{self.fence}: $ {self.line}"


@final
@frozen
class Ran:
    """What came of a command."""

    printed: str
    code: int


def commands(fence: Fence) -> Iterator[Command]:
    """The commands of a console block; a line that ends in a backslash goes on with the next one, after `> `."""
    joined = fence.code.replace("\\\n> ", "")
    for part in re.split(r"^\$ ", joined, flags=re.MULTILINE)[1:]:
        line, _, shows = part.partition("\n")
        yield Command(fence=fence, line=line, shows=shows)


def shown_commands() -> list[Command]:
    """The commands of all pages."""
    return [command for page in PAGES for fence in fences(page, "console") for command in commands(fence)]


def run_all(lines: Iterable[str], folder: Path) -> list[Ran]:
    """Run commands in one shell. `$?` is that of the command before, as in a terminal."""
    script = "".join(f"{line}\nended=$?; echo; echo {_MARK}$ended; (exit $ended)\n" for line in lines)
    shell = subprocess.run(
        ["sh"],
        input=script,
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    parts = re.split(rf"\n{_MARK}(\d+)\n", shell.stdout)
    return [Ran(printed, int(code)) for printed, code in zip(parts[::2], parts[1::2], strict=False)]


def steady(text: str) -> str:
    """The text without what differs from run to run."""
    for pattern, name in _VARYING:
        text = pattern.sub(name, text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def fits(printed: str, shows: str) -> bool:
    """Whether what was printed is what a page shows."""
    lines = [
        r"(?:.*\n)*?" if line.strip() == "..." else r".*?".join(re.escape(part) for part in line.split("...")) + r"\n"
        for line in steady(shows).splitlines()
    ]
    return re.fullmatch("".join(lines), steady(printed) + "\n" if printed.strip() else "") is not None
