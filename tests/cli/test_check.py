"""`saga-choreography check`: every run is looked at, or the first fault is told by its exit code."""

import subprocess
import sys
from pathlib import Path

import pytest
from attrs import evolve
from click.testing import CliRunner

from saga_choreography import SagaWorkflow
from saga_choreography.cli import check as check_module
from saga_choreography.cli.commands import commands
from saga_choreography.cli.verdicts import verdict_lines
from saga_choreography.protocol.model import check_plan
from saga_choreography.protocol.workflow import link
from saga_choreography.types import After, OnSagaStart, SagaPlan, StepPlan
from tests.cli.written import write_module

ORDER = "deribit_example.saga.types:ORDER_WORKFLOW"
SOUND = f"""\
{ORDER}: workflow 'deribit_order', 3 steps, 7 classes that can be stored
  explored: 4 sets of completed steps, 8 runs to the end, 62 turns of participants and initiator
  proven: every step is triggered once what it waits for has completed
  proven: a step is undone only after every step that depends on it has settled
  proven: no steps wait for each other while they are undone
  proven: every failure reaches all who must undo, and each of them hears what it waits for
  proven: every run ends, in exactly one outcome that fits what was done
  no faults
"""

TWO_FAULTS = """
    from attrs import frozen
    from saga_choreography import Saga, SagaWorkflow, Step

    @frozen
    class Bag:
        holds: object

    TRIP = Saga("trip", Bag)
    PACK = Step[Bag, int]("pack", int, after=TRIP)
    TRIP_WORKFLOW = SagaWorkflow(TRIP, steps=(PACK, PACK))
"""
FAULTS = (
    "step 'pack' is declared twice",
    "payload of saga 'trip': Bag.holds: object cannot be stored:"
    " nobody could tell what its values were: declare the class they have",
)


@pytest.fixture(autouse=True)
def _restored_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))


def test_the_workflow_of_the_example_is_proven() -> None:
    result = CliRunner().invoke(commands, ["check", ORDER])
    assert result.output == SOUND
    assert result.exit_code == 0


def test_it_is_a_program_too(tmp_path: Path) -> None:
    program = [sys.executable, "-m", "saga_choreography.cli", "check", ORDER]
    run = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (0, SOUND, "")


def test_a_workflow_that_cannot_be_built_is_told_by_its_faults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_module(monkeypatch, tmp_path, "two_faults", TWO_FAULTS)
    result = CliRunner().invoke(commands, ["check", "two_faults:TRIP_WORKFLOW"])
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        "two_faults:TRIP_WORKFLOW: workflow 'trip' is refused when it is built",
        *(f"  fault: {fault}" for fault in FAULTS),
        "  2 faults",
    ]


def test_one_bad_workflow_does_not_hide_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_module(monkeypatch, tmp_path, "two_faults_more", TWO_FAULTS)
    result = CliRunner().invoke(commands, ["check", "two_faults_more:TRIP_WORKFLOW", ORDER])
    assert result.exit_code == 1
    assert result.output.endswith(SOUND)


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("no_colon", "does not name a workflow"),
        ("no_such_module_here:TRIP", "cannot be imported"),
        ("deribit_example.saga.types:NO_SUCH_NAME", "its workflows: ORDER_WORKFLOW"),
        ("deribit_example.saga.types:ORDER", "holds a Saga there"),
    ],
)
def test_a_target_that_cannot_be_loaded_has_its_own_exit_code(target: str, why: str) -> None:
    result = CliRunner().invoke(commands, ["check", ORDER, target])
    assert result.exit_code == 3
    assert why in result.output
    assert "proven" not in result.output


def test_a_module_that_fails_for_another_reason_is_no_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_module(monkeypatch, tmp_path, "broken_module", "raise RuntimeError('not today')")
    result = CliRunner().invoke(commands, ["check", "broken_module:TRIP"])
    assert result.exit_code == 3
    assert "RuntimeError: not today" in result.output


def test_nothing_to_check_is_wrong_usage() -> None:
    assert CliRunner().invoke(commands, ["check"]).exit_code == 2


def broken_plan() -> SagaPlan:
    steps = link((StepPlan(step_name="a", after=OnSagaStart()), StepPlan(step_name="b", after=After("a"))))
    return SagaPlan(saga_type="trip", steps=(evolve(steps[0], undo_after=()), steps[1]))


def test_a_fault_is_told_with_the_run_that_shows_it() -> None:
    plan = broken_plan()
    lines = list(verdict_lines("shop:TRIP", plan, check_plan(plan)))
    assert lines[-7:] == [
        "  fault: step 'a' can be undone before 'b', which depends on it, has settled",
        "    broken: a step is undone only after every step that depends on it has settled",
        "    1. the saga starts",
        "    2. 'a' completes",
        "    3. the saga is cancelled",
        "    4. 'a' is undone, without having heard of 'b'",
        "  1 fault",
    ]
    assert not any("proven: a step is undone only" in line for line in lines)


def test_a_broken_plan_is_an_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(target: str) -> object:
        workflow = SagaWorkflow.__new__(SagaWorkflow)
        object.__setattr__(workflow, "plan", broken_plan())
        return workflow

    monkeypatch.setattr(check_module, "load_workflow", load)
    result = CliRunner().invoke(commands, ["check", "shop:TRIP"])
    assert result.exit_code == 1
    assert result.output.endswith("  1 fault\n")


def test_a_plan_with_too_many_steps_says_what_was_not_looked_at() -> None:
    plan = SagaPlan(
        saga_type="long", steps=link(tuple(StepPlan(step_name=f"s{at}", after=OnSagaStart()) for at in range(13)))
    )
    assert list(verdict_lines("shop:LONG", plan, check_plan(plan))) == [
        "shop:LONG: workflow 'long', 13 steps, 27 classes that can be stored",
        "  not explored: more than 12 steps are too many, so only the links between steps were checked",
        "  no faults",
    ]
