"""A folder as a reader of the documents would make it."""

from pathlib import Path

import pytest

from tests.docs.documents import blocks


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    """Every example under its name; they import from each other."""
    for block in blocks():
        (tmp_path / block.name).write_text(block.code, encoding="utf-8")
    return tmp_path
