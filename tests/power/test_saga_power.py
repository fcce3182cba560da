"""Power loss under a running system: acknowledged sagas resume and end as they should, effects keep their keys.

In about 12 seconds; `pytest -m soak tests/power` resumes the system on every image.
"""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.power.images import Effort
from tests.power.saga_trial import SagaTrial
from tests.power.saga_work import look, resume


@pytest.mark.timeout(300)
def test_after_power_loss_every_started_saga_resumes_and_ends_with_its_effects_under_one_key(
    place: Path, show: Callable[[str], None]
) -> None:
    trial = SagaTrial(place, "fsync")
    suspects = trial.trial.suspects(Effort(singles=4, subsets=2, tears=1), 1)
    some = suspects.sample(300, random.Random(1))
    counts = trial.trial.judge(some, suspects.made, look, trial.found)
    show(f"power loss, FSYNC, journals of a system (of {len(suspects.distinct)} distinct images): {counts}")
    assert not counts.failures, counts.failures[:5]
    counts = trial.trial.judge(suspects.sample(30, random.Random(2)), suspects.made, resume, trial.resumed)
    show(f"power loss, FSYNC, system resumed: {counts}")
    assert not counts.failures, counts.failures[:5]


@pytest.mark.soak
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("run", range(3))
def test_after_power_loss_at_any_moment_the_system_resumes(place: Path, show: Callable[[str], None], run: int) -> None:
    trial = SagaTrial(place, "fsync")
    suspects = trial.trial.suspects(Effort(singles=12, subsets=8, tears=2), run)
    counts = trial.trial.judge(suspects.distinct, suspects.made, look, trial.found)
    show(f"power loss, FSYNC, journals of a system, run {run}: {counts}")
    assert not counts.failures, counts.failures[:5]
    some = suspects.sample(2_000, random.Random(run))
    counts = trial.trial.judge(some, suspects.made, resume, trial.resumed)
    show(f"power loss, FSYNC, system resumed, run {run}: {counts}")
    assert not counts.failures, counts.failures[:5]
