"""SIGKILL at random moments under load: nothing acknowledged is lost, nothing leaks, nothing happens under two keys."""

from pathlib import Path

import pytest

from tests.crash.soaking import soak


def test_a_program_that_is_killed_a_dozen_times_loses_and_leaks_nothing(tmp_path: Path) -> None:
    completed, failed = soak(tmp_path, kills=12, seed=1)
    assert completed > 0
    assert failed > 0


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_a_program_that_is_killed_a_thousand_times_loses_and_leaks_nothing(tmp_path: Path) -> None:
    completed, failed = soak(tmp_path, kills=1000, seed=2)
    assert completed > 0
    assert failed > 0
