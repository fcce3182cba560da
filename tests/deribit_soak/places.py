"""Where a run keeps what outlives its processes."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import final

from attrs import frozen


@final
@frozen
class Places:
    """The files of one run. Notes are lines that survive the death of whoever wrote them."""

    root: Path

    @property
    def journals(self) -> Path:
        """The stores of the trading program."""
        return self.root / "journals"

    @property
    def ledger(self) -> Path:
        """Written by the exchange alone."""
        return self.root / "ledger.jsonl"

    @property
    def acknowledged(self) -> Path:
        """Sagas whose start was acknowledged: `SAGA SIGNAL`."""
        return self.root / "acknowledged"

    @property
    def told(self) -> Path:
        """Outcomes that were told: `SAGA completed|failed`."""
        return self.root / "told"

    @property
    def log(self) -> Path:
        """What the processes had to say."""
        return self.root / "log"


@final
class Notebook:
    """Appends lines to a file. Any thread."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def note(self, *words: str) -> None:
        """One line, whole or not at all."""
        os.write(self._file, (" ".join(words) + "\n").encode())


def notes(path: Path) -> Iterator[list[str]]:
    """The words of every line."""
    if path.exists():
        for line in path.read_text().splitlines():
            yield line.split()
