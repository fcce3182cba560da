"""The long run of this folder: `pytest -m soak tests/fuzz`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.budget import SOAK, is_soak

ROOT = Path(__file__).parents[2]
LONGEST_SECONDS = 3600


@pytest.mark.soak
@pytest.mark.timeout(LONGEST_SECONDS + 60)
@pytest.mark.skipif(is_soak(), reason="this is the long run already")
def test_nothing_is_found_in_a_hundred_times_as_many_examples() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "--import-mode=importlib", "-W", "error", "-q", str(Path(__file__).parent)],
        cwd=ROOT,
        env={**os.environ, "HYPOTHESIS_PROFILE": SOAK},
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-5_000:] + run.stderr[-2_000:]
