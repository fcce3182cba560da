"""Guarantees I1 to I15 under seeded chaos, and proof that the chaos would notice if they were broken."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Collection

import pytest

from saga_choreography.testing import simulate
from saga_choreography.testing.simulation.running import finding_of, findings, guarantee_of, run_once, run_seeds
from saga_choreography.testing.simulation.shrinking import least_faults
from saga_choreography.testing.simulation.weather import Turnout
from tests.simulation.planted_around import AROUND, told_before_commit
from tests.simulation.planted_core import CORE, late_completion_leaked
from tests.simulation.planting import Plant

EVERY_PUSH = 1_500
SEEDS_PER_MUTANT = 10_000

PLANTED = {**CORE, **AROUND}
"""Each breaks one rule, and the simulation must notice."""

STORIES = "ee98"
"""The first digits of the digest of the first stories: they are the same on every interpreter."""


def digest_of_stories() -> str:
    """A digest of everything that happens under some seeds."""
    digest = hashlib.blake2b(digest_size=8)
    for seed in range(30):
        schedule, _ = run_once(seed, tells_story=True)
        digest.update("\n".join(schedule.story.text()).encode())
    return digest.hexdigest()


def test_no_guarantee_breaks_under_any_seed() -> None:
    report = run_seeds(range(EVERY_PUSH))
    assert not report.findings, f"{report.findings[0]}\n" + "\n".join(report.findings[0].story)


def test_the_seeds_reach_every_kind_of_fault_and_both_outcomes() -> None:
    faults = run_seeds(range(400)).faults
    for point in ("before_commit", "after_commit", "after_publish", "before_call", "after_call", "recovering"):
        assert faults[f"crash {point}"]
    kinds = ("crashes of the process", "shutdowns", "duplicates", "delays", "reordered", "lost", "full disks")
    people = ("cancels", "clock jumps", "prunings", "operator words", "repeated starts", "hooks raised", "slow calls")
    assert all(faults[kind] for kind in (*kinds, *people, "trouble", "timers", "answered late", "completed", "failed"))


def test_business_code_ends_in_every_way() -> None:
    seen: set[str] = set()
    for seed in range(300):
        schedule, _ = run_once(seed, tells_story=True)
        seen |= {str(what).partition(": ")[2] for _, _, _, verb, what in schedule.story.lines if verb == "runs"}
    assert seen == {turnout.value for turnout in Turnout}


def test_the_same_seed_gives_the_same_story_on_every_interpreter() -> None:
    program = "from tests.simulation.test_simulation import digest_of_stories; print(digest_of_stories())"
    for hash_seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        printed = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True, timeout=100
        ).stdout
        assert printed.startswith(STORIES), "the protocol or the simulation changed: put the new digits here"


@pytest.mark.parametrize("plant", PLANTED.values(), ids=PLANTED.keys())
def test_a_planted_fault_is_found(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    assert next(findings(range(SEEDS_PER_MUTANT)), None) is not None


def test_a_finding_tells_the_shortest_story_that_still_breaks_the_guarantee(monkeypatch: pytest.MonkeyPatch) -> None:
    late_completion_leaked(monkeypatch)
    seed, error = next(findings(range(SEEDS_PER_MUTANT)))
    whole, _ = run_once(seed, tells_story=True)
    finding = finding_of(seed, error)
    assert finding.what.startswith(guarantee_of(error))
    assert len(finding.story) < len(whole.story.lines)
    again, last = run_once(seed, without=finding.without, tells_story=True)
    assert finding.what == str(last)
    assert set(finding.story) <= set(again.story.text())


def test_shrinking_leaves_only_the_faults_that_matter() -> None:
    def needs_3_and_17(without: Collection[int]) -> bool:
        return not {3, 17} & set(without)

    assert least_faults(40, needs_3_and_17) == tuple(number for number in range(1, 41) if number not in (3, 17))


def test_the_command_says_what_it_ran(capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate.main(["--seeds", "7"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("1 schedule, ")
    assert "0 findings" in printed


def test_the_command_spreads_seeds_over_processes(capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate.main(["--seeds", "0:40", "--workers", "2"]) == 0
    assert capsys.readouterr().out.startswith("40 schedules, ")


def test_the_command_fails_and_tells_the_story_of_a_finding(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told_before_commit(monkeypatch)
    assert simulate.main(["--seeds", "0"]) == 1
    printed = capsys.readouterr().out
    assert "seed 0: I8: the initiator tells SagaStarted before its commit" in printed
    assert "initiator hears StartRequest" in printed


@pytest.mark.parametrize("text", ["", "x", "5:5", "9:1", "-3", "1:x"])
def test_the_command_refuses_seeds_it_cannot_read(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        simulate.main([f"--seeds={text}"])
    assert refused.value.code == 2
    assert "--seeds" in capsys.readouterr().err
