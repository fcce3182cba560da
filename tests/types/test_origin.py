"""Plans find their steps; contexts tell business code who it is."""

from uuid import UUID

import pytest
from attrs.exceptions import FrozenInstanceError

from saga_choreography.types import (
    FailureCause,
    FailureKind,
    OnSagaStart,
    PeerId,
    SagaId,
    SagaOrigin,
    SagaPlan,
    StepPlan,
    context_for,
)

STEP = StepPlan(step_name="pay", after=OnSagaStart())
PLAN = SagaPlan(saga_type="order", steps=(STEP,))
ORIGIN = SagaOrigin(saga_id=SagaId(UUID(int=7)), initiator=PeerId("shop"), started_at_millis=5, plan=PLAN)


def test_a_plan_finds_a_step_by_name_and_answers_none_for_others() -> None:
    assert PLAN.step("pay") is STEP
    assert PLAN.step("ship") is None
    assert PLAN.step_names == ("pay",)


def test_equal_plans_are_equal_and_hash_alike() -> None:
    again = SagaPlan(saga_type="order", steps=(StepPlan(step_name="pay", after=OnSagaStart()),))
    assert again == PLAN
    assert hash(again) == hash(PLAN)


def test_every_attempt_carries_one_key_and_the_undo_one_other() -> None:
    forward = {context_for(ORIGIN, "pay", attempt, "do").idempotency_key for attempt in range(1, 20)}
    backward = {context_for(ORIGIN, "pay", attempt, "undo").idempotency_key for attempt in range(1, 20)}
    assert len(forward) == len(backward) == 1
    assert forward != backward


def test_a_context_names_saga_step_initiator_and_attempt() -> None:
    context = context_for(ORIGIN, "pay", 3, "do")
    assert (context.saga_id, context.saga_type, context.step_name) == (ORIGIN.saga_id, "order", "pay")
    assert (context.initiator, context.saga_started_at_millis, context.attempt) == ("shop", 5, 3)


def test_a_cause_reads_as_kind_steps_and_reason() -> None:
    cause = FailureCause(kind=FailureKind.STEP_FAILED, reason="no money", steps=("pay",))
    assert str(cause) == "step_failed [pay]: no money"
    assert str(FailureCause(kind=FailureKind.CANCELLED, reason="changed mind")) == "cancelled: changed mind"


def test_an_origin_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        ORIGIN.started_at_millis = 6  # type: ignore[misc]  # frozen for the checker too: that is the point
