"""A sound plan is proven, and each broken one is caught with the steps at fault and a run that shows it."""

import pytest
from attrs import evolve

from saga_choreography.protocol.model import MOST_STEPS, PlanFault, PlanVerdict, Property, check_plan
from saga_choreography.types import After, AllOf, AnyOf, SagaPlan
from tests.protocol.model.shapes import (
    START,
    all_of,
    any_of,
    changed,
    diamonds,
    ladder,
    line,
    plan_of,
    roots,
    step,
)

FORK = plan_of(step("a"), step("b", After("a")), step("c", After("a")))
SOUND = {
    "one step": roots(1),
    "a line": line(3),
    "a line of pure steps": line(4, pure=True),
    "a fork": FORK,
    "a join": plan_of(step("a"), step("b"), step("c", all_of("a", "b"))),
    "a race": plan_of(step("a"), step("b"), step("c", any_of("a", "b"))),
    "joins of joins": plan_of(
        step("a"), step("b"), step("c"), step("d", AllOf((START, AnyOf((all_of("a", "b"), After("c"))))))
    ),
    "pure ones between": plan_of(step("a"), step("p", After("a"), pure=True), step("c", After("p"))),
    "a ladder": ladder(4),
    "diamonds": diamonds(3),
}


def only(verdict: PlanVerdict) -> PlanFault:
    (fault,) = verdict.faults
    return fault


@pytest.mark.parametrize("plan", SOUND.values(), ids=SOUND)
def test_a_sound_plan_has_every_property(plan: SagaPlan) -> None:
    verdict = check_plan(plan)
    assert verdict.explored
    assert verdict.faults == ()
    assert verdict.proven == tuple(Property)


class TestPlanted:
    """Plans no workflow makes, each with one fault."""

    def test_a_step_that_is_undone_too_early(self) -> None:
        verdict = check_plan(changed(FORK, "a", undo_after=("b",)))
        fault = only(verdict)
        assert fault.breaks is Property.ORDER
        assert fault.steps == ("a", "c")
        assert fault.what == "step 'a' can be undone before 'c', which depends on it, has settled"
        assert fault.trace == (
            "the saga starts",
            "'a' completes",
            "'b' fails",
            "'a' is undone, without having heard of 'c'",
        )
        assert set(verdict.proven) == set(Property) - {Property.ORDER}

    def test_a_step_behind_a_pure_one_that_is_not_waited_for(self) -> None:
        broken = changed(SOUND["pure ones between"], "a", undo_after=("p",))
        assert ("a", "c") in {fault.steps for fault in check_plan(broken).faults if fault.breaks is Property.ORDER}

    def test_a_step_that_never_hears_whom_it_waits_for(self) -> None:
        fault = only(check_plan(changed(line(3), "s2", tells_settled=())))
        assert fault.breaks is Property.REACHED
        assert fault.steps == ("s1", "s2")
        assert fault.what == ("step 's1' is never undone: it waits for 's2', which has settled and does not tell it")
        assert fault.trace == (
            "the saga starts",
            "'s0' completes",
            "the saga is cancelled",
            "'s1' completes behind the fence",
        )

    def test_a_step_that_waits_for_one_that_does_not_exist(self) -> None:
        fault = only(check_plan(changed(line(2), "s1", undo_after=("ghost",))))
        assert fault.breaks is Property.REACHED
        assert fault.what == "step 's1' is never undone: it waits for 'ghost', which is no step of the plan"

    def test_steps_that_wait_for_each_other(self) -> None:
        broken = changed(changed(line(3), "s2", undo_after=("s0",)), "s0", tells_settled=("s2",))
        fault = only(check_plan(broken))
        assert fault.breaks is Property.NO_CYCLE
        assert fault.steps == ("s0", "s1", "s2")
        assert fault.what == "steps 's0', 's1', 's2' wait for each other, so none of them is undone"
        assert fault.trace == (
            "the saga starts",
            "'s0' completes",
            "'s1' completes",
            "the saga is cancelled",
            "'s2' completes behind the fence",
        )

    def test_a_step_that_waits_for_itself(self) -> None:
        fault = only(check_plan(changed(roots(2), "s1", undo_after=("s1",), tells_settled=("s1",))))
        assert fault.breaks is Property.NO_CYCLE
        assert fault.what == "step 's1' waits for itself, so it is never undone"

    def test_a_step_that_nobody_triggers(self) -> None:
        fault = only(check_plan(changed(line(2), "s0", dependents=())))
        assert fault.breaks is Property.TRIGGERED
        assert fault.steps == ("s1",)
        assert fault.what == "step 's1' is never triggered: it waits for 's0', which does not tell it"
        assert fault.trace == ("the saga starts", "'s0' completes")

    def test_a_race_of_which_one_runner_is_not_heard(self) -> None:
        fault = only(check_plan(changed(SOUND["a race"], "a", dependents=())))
        assert fault.breaks is Property.TRIGGERED
        assert fault.steps == ("c",)
        assert fault.trace == ("the saga starts", "'a' completes")

    def test_steps_that_trigger_each_other(self) -> None:
        first = evolve(step("b", After("c")), dependents=("c",))
        second = evolve(step("c", After("b")), dependents=("b",))
        plan = SagaPlan(saga_type="trip", steps=(step("a"), first, second))
        assert [fault.what for fault in check_plan(plan).faults] == [
            "step 'b' is never triggered: it waits for 'c', which never completes",
            "step 'c' is never triggered: it waits for 'b', which never completes",
        ]

    def test_a_step_that_waits_for_nothing_at_all(self) -> None:
        plan = SagaPlan(saga_type="trip", steps=(step("a"), step("b", AnyOf(()))))
        assert only(check_plan(plan)).what == "step 'b' is never triggered: it waits for nothing"

    def test_every_fault_of_a_plan_is_reported(self) -> None:
        broken = changed(changed(line(3), "s1", undo_after=(), tells_settled=()), "s0", dependents=("s1", "s2"))
        assert [(fault.breaks, fault.steps) for fault in check_plan(broken).faults] == [
            (Property.REACHED, ("s0", "s1")),
            (Property.ORDER, ("s1", "s2")),
        ]


WORST = {
    "twelve side by side": (roots(12), 2**12),
    "a line of twelve": (line(12), 13),
    "eleven into one": (plan_of(*roots(11).steps, step("z", all_of(*roots(11).step_names))), 2**11 + 1),
    "one of eleven": (plan_of(*roots(11).steps, step("z", any_of(*roots(11).step_names))), 2**12 - 1),
    "one into eleven": (plan_of(step("a"), *(step(f"b{number}", After("a")) for number in range(11))), 2**11 + 1),
    "a ladder of six rungs": (ladder(6), 28),
    "four diamonds": (diamonds(4), 17),
}


@pytest.mark.parametrize(("plan", "states"), WORST.values(), ids=WORST)
def test_the_largest_plans_have_no_more_states_than_sets_of_completed_steps(plan: SagaPlan, states: int) -> None:
    """The work is bounded by these numbers, whatever the machine: at most 4096 states, two runs from each."""
    assert len(plan.steps) == MOST_STEPS
    verdict = check_plan(plan)
    assert verdict.faults == ()
    assert verdict.states == states
    assert verdict.runs <= 2 * states + 1
    assert verdict.turns < 25_000


class TestStructure:
    """A plan with more steps than can be explored."""

    def test_a_sound_one_has_no_faults_and_nothing_proven(self) -> None:
        verdict = check_plan(line(MOST_STEPS + 1))
        assert verdict.faults == ()
        assert not verdict.explored
        assert verdict.proven == ()

    def test_links_that_are_missing_or_too_many_are_named(self) -> None:
        plan = changed(line(13), "s3", dependents=(), undo_after=("s4", "s7"), tells_settled=())
        assert [(fault.breaks, fault.what) for fault in check_plan(plan).faults] == [
            (Property.TRIGGERED, "dependents of step 's3' lacks 's4'"),
            (Property.ORDER, "undo_after of step 's3' has 's7', which it must not"),
            (Property.REACHED, "tells_settled of step 's3' lacks 's2'"),
        ]

    def test_a_graph_that_cannot_be_linked_is_told_as_such(self) -> None:
        plan = SagaPlan(saga_type="trip", steps=(step("a"), step("a")))
        assert [fault.what for fault in check_plan(plan).faults] == ["step 'a' is declared twice"]
        assert [fault.what for fault in check_plan(SagaPlan(saga_type="trip", steps=())).faults] == ["it has no steps"]
