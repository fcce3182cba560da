"""All python of the documents is right under mypy --strict, the parts that are not run here against small stubs too."""

import importlib.util
import re
from pathlib import Path
from typing import Final

import pytest

from tests.docs.documents import blocks
from tests.docs.running import run_python

STUBS: Final = Path(__file__).with_name("stubs")
BLOCKS: Final = tuple(blocks())
SETTINGS: Final = f"""
[mypy]
strict = True
mypy_path = {STUBS}

[mypy-msgpack]
ignore_missing_imports = True
"""
REJECTED: Final = re.compile(r"  # rejected: (?P<code>[\w-]+)$", re.MULTILINE)
"""At the end of a line of an example that mypy is to reject, with the code of its error."""

needs_mypy = pytest.mark.skipif(
    importlib.util.find_spec("mypy") is None, reason="mypy is not installed here; the env `docs` has it"
)


def mypy(folder: Path, names: list[str]) -> str:
    """What mypy says about files of a folder that see each other."""
    (folder / "mypy.ini").write_text(SETTINGS, encoding="utf-8")
    arguments = ["-m", "mypy", "--config-file", "mypy.ini", "--no-error-summary", "--cache-dir", "cache", *names]
    checked = run_python(arguments, folder, timeout=500)
    assert checked.stderr == ""
    return checked.stdout


@needs_mypy
@pytest.mark.timeout(600)
def test_all_examples_type_check_under_strict_mypy(examples: Path) -> None:
    right = [block.name for block in BLOCKS if not REJECTED.search(block.code)]
    assert mypy(examples, right) == ""


@needs_mypy
@pytest.mark.timeout(600)
def test_the_lines_that_are_said_to_be_rejected_are_rejected_and_no_others(examples: Path) -> None:
    wrong = [block for block in BLOCKS if REJECTED.search(block.code)]
    expected = {
        (block.name, number, found["code"])
        for block in wrong
        for number, line in enumerate(block.code.splitlines(), 1)
        if (found := REJECTED.search(line))
    }
    said = mypy(examples, [block.name for block in wrong])
    errors = re.findall(r"^(\S+):(\d+): error: .*\[([\w-]+)\]$", said, re.MULTILINE)
    assert {(name, int(number), code) for name, number, code in errors} == expected, said
