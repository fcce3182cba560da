"""Guarantees I1 to I15 under seeded chaos, and proof that the chaos would notice if they were broken."""

import pytest

from tests.simulation.planted_around import AROUND
from tests.simulation.planted_core import CORE
from tests.simulation.planting import Plant
from tests.simulation.runner import findings, run_seed, run_seeds

EVERY_PUSH = 1_500
SEEDS_PER_MUTANT = 3_000

PLANTED = {**CORE, **AROUND}
"""Each breaks one rule, and the simulation must notice."""

SEEDS_THAT_FAILED_ONCE = (10, 11, 14, 78, 1_377, 2_469, 3_292, 4_186)
"""Each broke a guarantee before the core or the shell was mended."""


def test_no_guarantee_breaks_under_any_seed() -> None:
    report = run_seeds(range(EVERY_PUSH))
    assert not report.findings, f"{report.findings[0]}\n" + "\n".join(report.findings[0].trace)


def test_the_seeds_reach_every_kind_of_fault_and_both_outcomes() -> None:
    faults = run_seeds(range(200)).faults
    kinds = ("crashes of one", "crashes of all", "duplicates", "delays", "lost", "clock jumps", "cancels", "timers")
    assert all(faults[kind] for kind in (*kinds, "operator words", "answered late", "completed", "failed"))


def test_the_same_seed_gives_the_same_run() -> None:
    for seed in range(20):
        once, _ = run_seed(seed)
        again, _ = run_seed(seed)
        assert once.net.trace == again.net.trace
        assert once.net.told == again.net.told


@pytest.mark.parametrize("seed", SEEDS_THAT_FAILED_ONCE)
def test_a_seed_that_failed_once_holds(seed: int) -> None:
    _, finding = run_seed(seed)
    assert finding is None, f"{finding}"


@pytest.mark.parametrize("plant", PLANTED.values(), ids=PLANTED.keys())
def test_a_planted_fault_is_found(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    assert next(findings(range(SEEDS_PER_MUTANT)), None) is not None
