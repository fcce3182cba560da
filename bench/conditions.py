"""Where figures were measured: without it they say little."""

import os
import platform
import statistics
import tempfile
import time
from pathlib import Path
from typing import Final, final

from attrs import frozen

_SYNCS: Final = 50
_PAGE: Final = 4_096


@final
@frozen(kw_only=True)
class Conditions:
    """The machine, and how it was just before."""

    python: str
    machine: str
    processors: int
    model: str
    """Of the processor; empty where the system does not say."""
    system: str
    sync_millis: float
    """How long a file takes to be on the medium after a page of it was written: the median of some."""
    load: float
    """Programs that wanted a processor in the last minute. More than a few tenths: not a quiet machine."""
    rounds: int

    def __str__(self) -> str:
        model = f" ({self.model})" if self.model else ""
        return (
            f"{self.python} on {self.system}, {self.machine}, {self.processors} processors{model}; a page is synced "
            f"in {self.sync_millis:.2f} ms; load {self.load:.1f} before; medians of {self.rounds}"
        )


def conditions(rounds: int, directory: str | None) -> Conditions:
    """What is the case here and now."""
    return Conditions(
        python=f"{platform.python_implementation()} {platform.python_version()}",
        machine=platform.machine(),
        processors=os.cpu_count() or 1,
        model=_model(),
        system=platform.system(),
        sync_millis=_sync_millis(directory),
        load=os.getloadavg()[0],
        rounds=rounds,
    )


def _model(source: Path = Path("/proc/cpuinfo")) -> str:
    if not source.exists():
        return platform.processor()
    lines = (line.partition(":") for line in source.read_text().splitlines())
    return next((value.strip() for name, _, value in lines if name.strip() == "model name"), "")


def _sync_millis(directory: str | None) -> float:
    page = b"\0" * _PAGE
    millis: list[float] = []
    with tempfile.TemporaryFile(dir=directory, buffering=0) as file:
        for _ in range(_SYNCS):
            began = time.perf_counter()
            file.write(page)
            os.fsync(file.fileno())
            millis.append(1000 * (time.perf_counter() - began))
    return statistics.median(millis)
