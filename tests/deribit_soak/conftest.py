"""One short soak for all tests of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deribit_soak.evidence import Evidence, read_evidence
from tests.deribit_soak.places import Places
from tests.deribit_soak.soaking import Run, soak
from tests.e2e.program_harness import temporary_directory

CYCLES = 8


@pytest.fixture(scope="session")
def places() -> Iterator[Places]:
    """What a short soak has left behind. Nothing may change it."""
    with temporary_directory() as path:
        run = Run()
        verdict = soak(Places(Path(path)), CYCLES, 7, print, run)
        assert verdict.wrong == (), "\n".join((*verdict.wrong, *verdict.told))
        assert run.kills.total() == CYCLES
        assert run.faults, "no fault has happened"
        yield Places(Path(path))


@pytest.fixture(scope="session")
def evidence(places: Places) -> Evidence:
    return read_evidence(places)
