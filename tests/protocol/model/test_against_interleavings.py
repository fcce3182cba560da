"""What the model checker says of a plan is what every interleaving of it, followed one by one, shows.

This is what its reductions rest on: the same verdict for sound plans and for each of their broken relatives.
"""

import pytest

from saga_choreography.protocol.model import Property, check_plan
from saga_choreography.types import After, SagaPlan
from tests.protocol.model.interleavings import Interleavings
from tests.protocol.model.shapes import all_of, any_of, damaged, line, plan_of, roots, step

PURE_BETWEEN = plan_of(step("a"), step("p", After("a"), pure=True), step("c", After("p")))
JOIN = plan_of(step("a"), step("b"), step("c", all_of("a", "b")))
SOUND = {
    "one": roots(1),
    "two side by side": roots(2),
    "a line of two": line(2),
    "a pure one behind": line(2, pure=True),
    "a line of three": line(3),
    "a pure one between": PURE_BETWEEN,
    "a fork": plan_of(step("a"), step("b", After("a")), step("c", After("a"))),
    "a join": JOIN,
    "a race": plan_of(step("a"), step("b"), step("c", any_of("a", "b"))),
}
BROKEN = {
    f"{name}: {what}": plan
    for name in ("two side by side", "a line of two", "a pure one behind", "a line of three")
    for what, plan in damaged(SOUND[name]).items()
} | {
    f"{name}: {what}": plan
    for name in ("a pure one between", "a join")
    for what, plan in damaged(SOUND[name]).items()
    if " - " in what
}


def assert_agreed(plan: SagaPlan) -> bool:
    """Whether both find a fault; the kinds of faults must be the same."""
    literal = Interleavings(plan)
    literal.follow()
    verdict = check_plan(plan)
    broken = {fault.breaks for fault in verdict.faults}
    assert literal.worlds > verdict.states
    assert ("order" in literal.faults) == (Property.ORDER in broken)
    assert ("untriggered" in literal.faults) == (Property.TRIGGERED in broken)
    assert ("stuck" in literal.faults) == bool(broken & {Property.REACHED, Property.NO_CYCLE, Property.TRIGGERED})
    assert bool(literal.faults & {"outcomes", "disagrees"}) == (Property.ONE_OUTCOME in broken)
    return bool(broken)


@pytest.mark.parametrize("plan", SOUND.values(), ids=SOUND)
def test_sound_plans_are_sound_in_every_interleaving(plan: SagaPlan) -> None:
    assert not assert_agreed(plan)


@pytest.mark.parametrize("plan", BROKEN.values(), ids=BROKEN)
def test_broken_plans_are_broken_in_the_same_way_in_some_interleaving(plan: SagaPlan) -> None:
    assert_agreed(plan)


def test_most_of_the_broken_plans_have_a_fault() -> None:
    """Some links only add what is ignored; were there no fault in any, the comparison would say nothing."""
    assert sum(bool(check_plan(plan).faults) for plan in BROKEN.values()) > len(BROKEN) / 2
