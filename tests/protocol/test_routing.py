"""A fact goes to whom it concerns, and to nobody else."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import pytest
from attrs import evolve

from saga_choreography.events import (
    AckStatus,
    CompensationCompleted,
    SagaChoreographyEvent,
    SagaStarted,
    StepAck,
    StepCompleted,
    StepFailed,
)
from saga_choreography.protocol.routing import NOBODY, Addressees, addressees, roots
from saga_choreography.types import After, AllOf, OnSagaStart, SagaOrigin, StepPlan

Heard: TypeAlias = Mapping[str, SagaChoreographyEvent]

EXPECTED = {
    "saga started": Addressees(("a",)),
    "a started": NOBODY,
    "a completed": Addressees(("b",), True),
    "a completed late": Addressees((), True),
    "c completed": Addressees((), True),
    "c failed": Addressees(("b",), True),
    "c undone": Addressees(("b",), True),
    "c never ran": Addressees(("b",), True),
    "c changed nothing": Addressees(("b",), True),
    "c in doubt": Addressees((), True),
    "c not undone": Addressees((), True),
    "c is being undone": NOBODY,
    "a never ran": Addressees((), True),
    "fence": Addressees(("a", "b", "c")),
    "another fence": Addressees(("a", "b", "c")),
    "saga completed": Addressees(("a", "b", "c")),
    "saga failed": Addressees(("a", "b", "c")),
    "saga parked": NOBODY,
}


@pytest.mark.parametrize("words", EXPECTED)
def test_an_event_goes_to_whom_it_concerns(words: str, heard: Heard) -> None:
    assert addressees(heard[words]) == EXPECTED[words]


def test_every_kind_of_event_has_its_row(heard: Heard) -> None:
    assert set(EXPECTED) == set(heard)
    assert len({type(event) for event in heard.values()}) == 12


def test_a_step_that_waits_for_the_start_in_a_join_hears_it(build: Callable[..., SagaOrigin]) -> None:
    origin = build(
        StepPlan(step_name="a", after=OnSagaStart()),
        StepPlan(step_name="j", after=AllOf((OnSagaStart(), After("a")))),
        StepPlan(step_name="z", after=After("j")),
    )
    assert roots(origin.plan) == ("a", "j")
    assert addressees(SagaStarted(origin=origin, at_millis=1, payload=b"")) == Addressees(("a", "j"))


def test_a_settled_step_tells_those_who_look_through_a_pure_step(build: Callable[..., SagaOrigin]) -> None:
    origin = build(
        StepPlan(step_name="a", after=OnSagaStart()),
        StepPlan(step_name="p", after=After("a"), pure=True),
        StepPlan(step_name="c", after=After("p")),
    )
    undone = CompensationCompleted(origin=origin, at_millis=1, step_name="c", sequence=6)
    assert addressees(undone) == Addressees(("a", "p"), True)
    changed_nothing = StepAck(origin=origin, at_millis=1, step_name="p", sequence=4, status=AckStatus.NOTHING_TO_UNDO)
    assert addressees(changed_nothing) == Addressees(("a",), True)


def test_a_step_the_plan_does_not_name_concerns_the_initiator_only(heard: Heard) -> None:
    for words in ("a completed", "c failed", "c undone", "c never ran"):
        event = heard[words]
        assert isinstance(event, StepCompleted | StepFailed | CompensationCompleted | StepAck)
        assert addressees(evolve(event, step_name="z")) == Addressees((), True)
