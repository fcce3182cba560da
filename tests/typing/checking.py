"""Runs the type checkers on copies of the negative files, without their ignores: what does each say, on which line?"""

import importlib.util
import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal, TypeAlias, final

from attrs import frozen

Checker: TypeAlias = Literal["mypy", "pyright"]
Said: TypeAlias = Mapping[tuple[str, int], str]
"""(file name, line) to everything a checker says about that line."""

ROOT: Final = Path(__file__).resolve().parents[2]
NEGATIVE: Final = tuple(sorted(Path(__file__).resolve().parent.glob("negative_*.py")))
MUST_RUN: Final = "TYPE_CHECKERS_MUST_RUN"
"""Names the checkers whose tests must not be skipped; set where the checks are made for good."""

_LINE: Final = re.compile(
    r"(?P<code>.*?)  # type: ignore\[[\w, -]+\]  # pyright: ignore\[[\w, ]+\]  # names: (?P<names>[\w ]+)"
)


@final
@frozen(kw_only=True)
class Misuse:
    """One line that both checkers must refuse, and what each of them must name."""

    file: str
    line: int
    code: str
    names: frozenset[str]

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.code.strip()}"


def misuses() -> Iterator[Misuse]:
    """Every negative line."""
    for file in NEGATIVE:
        for number, text in enumerate(_lines(file), 1):
            if found := _LINE.fullmatch(text):
                names = frozenset(found["names"].split())
                yield Misuse(file=file.name, line=number, code=found["code"], names=names)


def malformed() -> Iterator[str]:
    """Lines that silence a checker, or claim something, in another way than a negative line does."""
    for file in NEGATIVE:
        for number, text in enumerate(_lines(file), 1):
            if ("ignore[" in text or "# names:" in text) and not _LINE.fullmatch(text):
                yield f"{file.name}:{number}: {text.strip()}"


def is_installed(checker: Checker) -> bool:
    """Whether a checker can run here."""
    return importlib.util.find_spec(checker) is not None


def said_by(checker: Checker, folder: Path) -> Said:
    """What a checker says about copies of the negative files in `folder`, which nothing silences."""
    copies = [folder / file.name for file in NEGATIVE]
    for file, copy in zip(NEGATIVE, copies, strict=True):
        bare = [found["code"] if (found := _LINE.fullmatch(text)) else text for text in _lines(file)]
        copy.write_text("\n".join(bare) + "\n", encoding="utf-8")
    said: defaultdict[tuple[str, int], str] = defaultdict(str)
    for file_name, line, message in _mypy(copies, folder) if checker == "mypy" else _pyright(copies, folder):
        said[file_name, line] += message + "\n"
    return said


def _mypy(files: Sequence[Path], folder: Path) -> Iterator[tuple[str, int, str]]:
    options = ["--config-file", ROOT / "mypy.ini", "--cache-dir", folder / "cache", "--output", "json"]
    for line in run(["mypy", *map(str, options), *map(str, files)], ROOT).stdout.splitlines():
        found = json.loads(line)
        yield Path(found["file"]).name, found["line"], f"{found['message']}\n{found['hint'] or ''}"


def _pyright(files: Sequence[Path], folder: Path) -> Iterator[tuple[str, int, str]]:
    settings = {"include": ["."], "extraPaths": [str(ROOT)], "enableTypeIgnoreComments": False}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    for found in json.loads(run(["pyright", "--outputjson", "-p", str(folder)], folder).stdout)["generalDiagnostics"]:
        yield Path(found["file"]).name, found["range"]["start"]["line"] + 1, found["message"]


def run(command: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a module of this interpreter in a folder; its answer is what it prints."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env={**os.environ, "PATH": path, "PYRIGHT_PYTHON_GLOBAL_NODE": "0", "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"},
        capture_output=True,
        text=True,
        timeout=540,
        check=False,
    )


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines()
