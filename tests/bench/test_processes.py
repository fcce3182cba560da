"""The import is measured as users have it: with byte code, and from a fresh interpreter."""

import sys
from pathlib import Path

import pytest

from bench.processes import import_time, with_byte_code


def test_byte_code_is_kept_where_this_machine_says_it_is_not() -> None:
    environment = with_byte_code({"PATH": "here", "PYTHONDONTWRITEBYTECODE": "1"}, "a folder")
    assert environment == {"PATH": "here", "PYTHONPYCACHEPREFIX": "a folder"}


def test_an_import_is_timed_after_one_that_compiles(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("PYTHONPATH", ":".join(sys.path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    told: list[str] = []
    answer = import_time(1, told.append)
    assert told == ["import, not counted: it compiles everything", "import 1 of 2", "import 2 of 2"]
    millis, beside = answer.verdicts
    assert millis.value > 1
    assert millis.at_most == 120
    assert beside.holds, beside.what
