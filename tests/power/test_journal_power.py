"""Power loss with `Durability.FSYNC`: whatever the disk kept of the unsynced writes, nothing acknowledged is missing.

In about 15 seconds on an idle machine; `pytest -m soak tests/power` takes longer runs, more choices and more kills.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.power.images import Effort
from tests.power.journal_trial import JournalTrial

QUICK = Effort(singles=6, subsets=3, tears=1)
THOROUGH = Effort(singles=24, subsets=24, tears=4)
Show = Callable[[str], None]


def assert_survives(trial: JournalTrial, effort: Effort, show: Show, what: str, *, every: int = 1) -> None:
    counts = trial.judge(effort, every=every)
    show(f"power loss, FSYNC, {what}: {counts}")
    assert not counts.failures, counts.failures[:5]
    assert counts.kinds["right"] == counts.distinct > 50


@pytest.mark.timeout(300)
def test_after_power_loss_at_any_moment_the_store_has_every_acknowledged_commit(place: Path, show: Show) -> None:
    trial = JournalTrial(place, "fsync", seed=1)
    trial.run(16, then="close")
    assert_survives(trial, QUICK, show, "16 commits")


# With a new store, the calls of fsync that follow a new name: that of its directory, of its identity as it is being
# made, and of the same when it is ready.
@pytest.mark.timeout(300)
@pytest.mark.parametrize("sync", [2, 4, 8])
def test_what_a_killed_process_left_unsynced_is_synced_before_the_next_one_believes_it(
    place: Path, show: Show, sync: int
) -> None:
    trial = JournalTrial(place, "fsync", seed=7)
    assert trial.run(2, inject=f"fsync:signal=KILL:when={sync}") < 0
    trial.run(3)
    assert_survives(trial, QUICK, show, f"killed at fsync {sync} before", every=2)


@pytest.mark.timeout(300)
def test_a_commit_whose_process_was_killed_inside_it_is_synced_before_the_next_one_believes_it(
    place: Path, show: Show
) -> None:
    trial = JournalTrial(place, "fsync", seed=7)
    assert trial.run(3, then="die") < 0
    trial.trial.recorder.unsync_last_write()
    trial.run(4)
    assert_survives(trial, QUICK, show, "killed inside a commit before")


@pytest.mark.timeout(300)
def test_what_was_only_safe_from_kills_is_safe_from_power_loss_once_it_is_opened_so(place: Path, show: Show) -> None:
    trial = JournalTrial(place, "process", seed=5, may_lose=True)
    trial.run(8)
    trial.keep_from_here("fsync")
    trial.run(12)
    counts = trial.judge(QUICK, every=2)
    show(f"power loss, PROCESS and then FSYNC: {counts}")
    assert not counts.failures, counts.failures[:5]


@pytest.mark.soak
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("seed", range(100, 110))
def test_after_power_loss_in_a_long_run_the_store_has_every_acknowledged_commit(
    place: Path, show: Show, seed: int
) -> None:
    trial = JournalTrial(place, "fsync", seed=seed)
    trial.run(40)
    trial.run(80, then="close")
    trial.run(100)
    assert_survives(trial, THOROUGH, show, f"100 commits in three runs, seed {seed}")


@pytest.mark.soak
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("call", ["fsync", "fdatasync", "rename", "pwrite64", "writev"])
def test_wherever_a_process_is_killed_a_later_power_loss_costs_nothing(place: Path, show: Show, call: str) -> None:
    for number in range(1, 12):
        trial = JournalTrial(place / f"{number}", "fsync", seed=11)
        killed = trial.run(4, inject=f"{call}:signal=KILL:when={number}")
        trial.run(6)
        assert_survives(trial, THOROUGH, show, f"killed at {call} {number} before")
        if not killed:
            return
