"""Power loss with `Durability.PROCESS`: commits may be lost and the store may be refused, but it is never wrong in
silence. (That a kill loses nothing is shown in `tests/storage/test_kill.py`.) In about 6 seconds.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.power.images import Effort
from tests.power.journal_trial import JournalTrial


@pytest.mark.timeout(300)
def test_after_power_loss_an_unsynced_store_is_refused_or_in_a_state_it_once_had(
    place: Path, show: Callable[[str], None]
) -> None:
    trial = JournalTrial(place, "process", seed=2, may_lose=True)
    trial.run(20)
    trial.run(40)
    counts = trial.judge(Effort(singles=8, subsets=10, tears=2), every=12)
    show(f"power loss, PROCESS, 40 commits in two runs: {counts}")
    assert not counts.failures, counts.failures[:5]
    assert counts.kinds["right"] > 20
    # The same images would fail the tests of `Durability.FSYNC`: the model tells the two apart.
    assert counts.kinds["refused as damaged"] > 50
    assert counts.kinds["older than acknowledged"] > 50


@pytest.mark.soak
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("seed", range(200, 210))
def test_after_power_loss_in_a_long_run_an_unsynced_store_is_never_wrong_in_silence(
    place: Path, show: Callable[[str], None], seed: int
) -> None:
    trial = JournalTrial(place, "process", seed=seed, may_lose=True)
    trial.run(40)
    trial.run(60, then="close")
    trial.run(100)
    counts = trial.judge(Effort(singles=24, subsets=40, tears=6), every=6)
    show(f"power loss, PROCESS, 100 commits in three runs, seed {seed}: {counts}")
    assert not counts.failures, counts.failures[:5]
