"""Modules with workflows, written for one test."""

import sys
from pathlib import Path
from textwrap import dedent

import pytest


def write_module(monkeypatch: pytest.MonkeyPatch, folder: Path, name: str, source: str) -> None:
    """Make `name` importable from the current folder until the test ends. The names must differ from test to test."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (folder / f"{name}.py").write_text(dedent(source), encoding="utf-8")
