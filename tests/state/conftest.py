"""One entry in each of the eight states, made by the transitions themselves."""

from collections.abc import Mapping
from uuid import UUID

import pytest

from saga_choreography.state import (
    Compensated,
    Compensating,
    Completed,
    Executing,
    Failed,
    Idle,
    Quarantined,
    SagaStateEntry,
    StepState,
    Triggered,
    transitions,
)
from saga_choreography.types import OnSagaStart, PeerId, SagaId, SagaOrigin, SagaPlan, StepPlan


@pytest.fixture(scope="session")
def entries() -> Mapping[type[StepState], SagaStateEntry]:
    plan = SagaPlan(saga_type="order", steps=(StepPlan(step_name="pay", after=OnSagaStart()),))
    origin = SagaOrigin(saga_id=SagaId(UUID(int=1)), initiator=PeerId("shop"), started_at_millis=0, plan=plan)
    idle = transitions.new(origin, "pay", 1)
    triggered = transitions.trigger(idle, (("@start", b"in"),), 2)
    executing = transitions.start_execution(triggered, 1, 3)
    completed = transitions.complete(executing, b"out", b"undo", 4)
    compensating = transitions.start_compensation(completed, 5)
    return {
        Idle: idle,
        Triggered: triggered,
        Executing: executing,
        Completed: completed,
        Failed: transitions.fail(executing, "no", 4),
        Compensating: compensating,
        Compensated: transitions.complete_compensation(compensating, 6),
        Quarantined: transitions.quarantine(compensating, "stuck", "why", 6),
    }
