"""All python of the documents is right under mypy --strict and pyright; what is not run here is checked against stubs.

A line of an example that both are to reject ends in `# rejected: CODE`, the code of mypy's error.
"""

import importlib.util
import json
import re
import sys
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final

import pytest

import saga_choreography
from tests.docs.documents import blocks
from tests.docs.running import run_python

STUBS: Final = Path(__file__).with_name("stubs")
PACKAGES: Final = Path(saga_choreography.__file__).resolve().parents[1]
BLOCKS: Final = tuple(blocks())
REJECTED: Final = re.compile(r"  # rejected: (?P<code>[\w-]+)$", re.MULTILINE)
MYPY_SETTINGS: Final = f"""
[mypy]
strict = True
mypy_path = {STUBS}

[mypy-msgpack]
ignore_missing_imports = True
"""
PYRIGHT_SETTINGS: Final = {
    "extraPaths": [str(PACKAGES), str(STUBS)],
    "pythonVersion": "3.11",
    "typeCheckingMode": "standard",
    "reportAttributeAccessIssue": "error",
}
SECONDS: Final = 500

Found = set[tuple[str, int]]


def mypy(folder: Path, names: Collection[str]) -> tuple[Found, str]:
    """Where mypy finds errors in files of a folder that see each other, and what it says."""
    (folder / "mypy.ini").write_text(MYPY_SETTINGS, encoding="utf-8")
    arguments = ["-m", "mypy", "--config-file", "mypy.ini", "--no-error-summary", "--cache-dir", "cache", *names]
    checked = run_python(arguments, folder, timeout=SECONDS)
    assert checked.stderr == ""
    errors = re.findall(r"^(\S+):(\d+): error: ", checked.stdout, re.MULTILINE)
    return {(name, int(number)) for name, number in errors}, checked.stdout


def pyright(folder: Path, names: Collection[str]) -> tuple[Found, str]:
    """Where pyright finds errors in files of a folder that see each other, and what it says."""
    (folder / "pyrightconfig.json").write_text(json.dumps(PYRIGHT_SETTINGS), encoding="utf-8")
    arguments = ["-W", "default", "-m", "pyright", "--pythonpath", sys.executable, "--outputjson", *names]
    checked = run_python(arguments, folder, timeout=SECONDS)
    said = json.loads(checked.stdout)["generalDiagnostics"]
    errors = [one for one in said if one["severity"] == "error"]
    return {(Path(one["file"]).name, one["range"]["start"]["line"] + 1) for one in errors}, checked.stdout


Checker = Callable[[Path, Collection[str]], tuple[Found, str]]


def installed(name: str, check: Checker) -> object:
    """A checker as a parameter of a test, which is skipped where it is missing."""
    missing = importlib.util.find_spec(name) is None
    return pytest.param(check, id=name, marks=pytest.mark.skipif(missing, reason=f"{name} is not installed here"))


both = pytest.mark.parametrize("check", [installed("mypy", mypy), installed("pyright", pyright)])


@both
@pytest.mark.timeout(600)
def test_all_examples_type_check(examples: Path, check: Checker) -> None:
    found, said = check(examples, [block.name for block in BLOCKS if not REJECTED.search(block.code)])
    assert found == set(), said


@both
@pytest.mark.timeout(600)
def test_the_lines_that_are_said_to_be_rejected_are_rejected_and_no_others(examples: Path, check: Checker) -> None:
    wrong = [block for block in BLOCKS if REJECTED.search(block.code)]
    expected = {
        (block.name, number)
        for block in wrong
        for number, line in enumerate(block.code.splitlines(), 1)
        if REJECTED.search(line)
    }
    found, said = check(examples, [block.name for block in wrong])
    assert found == expected, said


@pytest.mark.skipif(importlib.util.find_spec("mypy") is None, reason="mypy is not installed here")
@pytest.mark.timeout(600)
def test_the_codes_of_the_rejected_lines_are_those_of_mypy(examples: Path) -> None:
    wrong = [block for block in BLOCKS if REJECTED.search(block.code)]
    _, said = mypy(examples, [block.name for block in wrong])
    codes = set(re.findall(r"^(\S+):(\d+): error: .*\[([\w-]+)\]$", said, re.MULTILINE))
    for block in wrong:
        for number, line in enumerate(block.code.splitlines(), 1):
            if found := REJECTED.search(line):
                assert (block.name, str(number), found["code"]) in codes, said
