"""SIGKILL at random moments and fault points: nothing acknowledged is lost, nothing leaks, no second key."""

from pathlib import Path

import pytest

from tests.crash.soak import Result, Soak


def _assert_sound(result: Result) -> None:
    shown = [*map(str, result.violations[:20]), *result.stories[:3]]
    assert not result.violations, "\n".join(shown)
    assert result.figures.count("completed") > 0
    assert result.figures.count("failed") > 0


@pytest.mark.timeout(300)
def test_a_program_that_is_killed_fifteen_times_loses_and_leaks_nothing(tmp_path: Path) -> None:
    with Soak(tmp_path, seed=1) as soak:
        result = soak.run(cycles=15)
    _assert_sound(result)


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_a_program_that_is_killed_a_thousand_times_loses_and_leaks_nothing(tmp_path: Path) -> None:
    with Soak(tmp_path, seed=2) as soak:
        result = soak.run(cycles=1000)
    _assert_sound(result)
    assert {saga_type for saga_type, _ in result.figures.outcomes} == {
        "diamond", "chain", "race", "fan", "deferred", "vault", "parent", "child"
    }  # fmt: skip
    assert {"step_failed", "cancelled", "overall_timeout", "stalled_timeout"} <= set(result.figures.causes)
    assert result.figures.resolved > 0
