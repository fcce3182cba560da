"""A workflow is checked when it is built, and says everything that is wrong with it."""

import threading

import pytest
from attrs import evolve, frozen

from saga_choreography import Saga, SagaWorkflow, Step, WorkflowError, all_of
from saga_choreography.protocol.workflow import graph_faults
from saga_choreography.types import DEEPEST_DEPENDENCY, AnyOf


@frozen
class Box:
    size: int


@frozen
class Locked:
    lock: threading.Lock


SHIP = Saga("ship", Box)
OTHER = Saga("other", Box)
PACK = Step[Box, Box]("pack", Box, after=SHIP)
SEND = Step[Box, Box, Box]("send", Box, after=PACK, undo=Box)


def faults_of(*steps: Step[Box, Box, Box] | Step[Box, Box, None]) -> tuple[str, ...]:
    with pytest.raises(WorkflowError) as caught:
        SagaWorkflow(SHIP, steps=steps)
    assert caught.value.saga_type == "ship"
    return caught.value.faults


def test_a_good_workflow_links_its_plan() -> None:
    plan = SagaWorkflow(SHIP, steps=(PACK, SEND)).plan
    pack, send = plan.steps
    assert pack.dependents == pack.undo_after == ("send",)
    assert send.tells_settled == ("pack",)


def test_a_step_declared_twice_is_a_fault() -> None:
    assert "step 'pack' is declared twice" in faults_of(PACK, PACK)


def test_a_step_that_waits_for_one_outside_the_workflow_is_a_fault() -> None:
    assert faults_of(SEND) == (
        "step 'send' waits for 'pack', which is not a step of this workflow",
        "step 'send' is unreachable: it can never be triggered",
    )


def test_a_step_of_another_saga_is_a_fault() -> None:
    stray = Step[Box, Box]("stray", Box, after=OTHER)
    assert faults_of(PACK, stray) == ("step 'stray' goes back to saga 'other', not to 'ship'",)


def test_a_join_over_two_sagas_is_a_fault() -> None:
    mixed = Step[tuple[Box, Box], Box]("mixed", Box, after=all_of(SHIP, OTHER))
    with pytest.raises(WorkflowError, match="goes back to saga 'other'"):
        SagaWorkflow(SHIP, steps=(mixed,))


def test_joins_nested_deeper_than_a_plan_can_be_stored_are_a_fault() -> None:
    def faults(levels: int) -> tuple[str, ...]:
        plan = PACK.plan()
        for _ in range(levels):
            plan = evolve(plan, after=AnyOf((plan.after,)))
        return tuple(graph_faults("ship", [plan]))

    assert faults(DEEPEST_DEPENDENCY) == ()
    assert faults(DEEPEST_DEPENDENCY + 1) == ("step 'pack' nests joins 51 levels deep, the most is 50",)


def test_a_pure_step_with_undo_data_is_a_fault() -> None:
    pure = Step[Box, Box, Box]("pure", Box, after=SHIP, undo=Box, pure=True)
    assert faults_of(pure) == ("step 'pure' is pure, so it can have no undo data",)


def test_a_payload_that_cannot_be_stored_is_a_fault_before_the_first_saga() -> None:
    locked = Saga("locked", Locked)
    step = Step[Locked, Box]("step", Box, after=locked)
    with pytest.raises(WorkflowError, match=r"payload of saga 'locked': Locked.lock: .* cannot be stored"):
        SagaWorkflow(locked, steps=(step,))


def test_outputs_and_undo_data_that_cannot_be_stored_are_faults_with_the_path_of_the_field() -> None:
    step = Step[Box, list[Locked], tuple[Locked, int]]("lock", list[Locked], after=SHIP, undo=tuple[Locked, int])
    with pytest.raises(WorkflowError) as caught:
        SagaWorkflow(SHIP, steps=(step,))
    output, undo = caught.value.faults
    assert output.startswith("output of step 'lock': ")
    assert "[].lock: " in output
    assert undo.startswith("undo data of step 'lock': ")
    assert "[0].lock: " in undo


def test_no_steps_and_bad_timeouts_are_faults() -> None:
    with pytest.raises(WorkflowError) as caught:
        SagaWorkflow(SHIP, steps=(), overall_timeout_millis=0)
    assert caught.value.faults == ("it has no steps", "overall_timeout_millis is 0, it must be positive or None")


def test_the_message_lists_every_fault_on_its_own_line() -> None:
    error = WorkflowError("ship", ["one thing", "another"])
    assert str(error) == "workflow 'ship' cannot run, 2 fault(s):\n  - one thing\n  - another"
