"""Plain data that every layer shares: identities, policies, plans. Imports nothing above."""

from saga_choreography.types.identity import (
    Direction,
    IdempotencyKey,
    PeerId,
    SagaId,
    idempotency_key,
    new_saga_id,
    next_birth,
)
from saga_choreography.types.origin import FailureCause, FailureKind, SagaContext, SagaOrigin, StepInput, context_for
from saga_choreography.types.plan import (
    DEEPEST_DEPENDENCY,
    SAGA_START,
    After,
    AllOf,
    AnyOf,
    DependencySpec,
    OnSagaStart,
    SagaPlan,
    StepPlan,
)
from saga_choreography.types.policy import LONGEST_MILLIS, InDoubt, RetryPolicy

__all__ = [
    "DEEPEST_DEPENDENCY",
    "LONGEST_MILLIS",
    "SAGA_START",
    "After",
    "AllOf",
    "AnyOf",
    "DependencySpec",
    "Direction",
    "FailureCause",
    "FailureKind",
    "IdempotencyKey",
    "InDoubt",
    "OnSagaStart",
    "PeerId",
    "RetryPolicy",
    "SagaContext",
    "SagaId",
    "SagaOrigin",
    "SagaPlan",
    "StepInput",
    "StepPlan",
    "context_for",
    "idempotency_key",
    "new_saga_id",
    "next_birth",
]
