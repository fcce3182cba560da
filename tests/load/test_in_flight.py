"""Thousands of sagas live at once survive the end of the program and end in the next one; none is lost."""

from pathlib import Path

import pytest

from saga_choreography import Durability
from tests.load.in_flight import measure


def test_two_thousand_sagas_are_live_at_once_recover_and_end(tmp_path: Path) -> None:
    report = measure(tmp_path / "state", sagas=2_000, clients=16, durability=Durability.PROCESS)
    assert report.faults() == []


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("durability", list(Durability))
def test_a_hundred_thousand_sagas_are_live_at_once_recover_and_end(tmp_path: Path, durability: Durability) -> None:
    report = measure(tmp_path / "state", sagas=100_000, clients=32, durability=durability)
    assert report.faults() == []
