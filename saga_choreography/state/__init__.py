"""The typestate of a step: states, container, transitions."""

from saga_choreography.state.container import ParticipantState, SagaStateEntry, is_in
from saga_choreography.state.states import (
    Compensated,
    Compensating,
    Completed,
    Executing,
    ExecutionPhase,
    Failed,
    Idle,
    Quarantined,
    StepState,
    Triggered,
)

__all__ = [
    "Compensated",
    "Compensating",
    "Completed",
    "Executing",
    "ExecutionPhase",
    "Failed",
    "Idle",
    "ParticipantState",
    "Quarantined",
    "SagaStateEntry",
    "StepState",
    "Triggered",
    "is_in",
]
