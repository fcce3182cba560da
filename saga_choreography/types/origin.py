"""What every record and event of one saga shares."""

from enum import Enum
from typing import TypeAlias, final

from attrs import field, frozen

from saga_choreography.types.identity import Direction, IdempotencyKey, PeerId, SagaId, idempotency_key
from saga_choreography.types.plan import SagaPlan

StepInput: TypeAlias = tuple[tuple[str, bytes], ...]
"""What a step was triggered with: (source name, encoded payload) of each source it was given."""


@final
@frozen(kw_only=True)
class SagaOrigin:
    """Identity, initiator, start time (Unix milliseconds) and plan of one saga; one object shared by all its events."""

    saga_id: SagaId
    initiator: PeerId
    started_at_millis: int
    plan: SagaPlan = field(repr=lambda plan: plan.saga_type)
    birth: int = field(default=0, eq=False, repr=False)
    """When this process made the id of the saga and accepted it, as a `next_birth`; 0 for any other saga. Not stored:
    a store that was opened before it holds nothing of the saga but what came through that opening."""

    @property
    def saga_type(self) -> str:
        return self.plan.saga_type


@final
@frozen(kw_only=True)
class SagaContext:
    """What business code learns about the call it serves."""

    saga_id: SagaId
    saga_type: str
    step_name: str
    initiator: PeerId
    saga_started_at_millis: int
    attempt: int
    """1 for the first run of the step (or of its compensation)."""
    idempotency_key: IdempotencyKey
    """The same in every attempt; the compensation of the step has one other."""


def context_for(origin: SagaOrigin, step_name: str, attempt: int, direction: Direction) -> SagaContext:
    """The context of one call of business code."""
    return SagaContext(
        saga_id=origin.saga_id,
        saga_type=origin.plan.saga_type,
        step_name=step_name,
        initiator=origin.initiator,
        saga_started_at_millis=origin.started_at_millis,
        attempt=attempt,
        idempotency_key=idempotency_key(origin.saga_id, step_name, direction),
    )


class FailureKind(Enum):
    """Why a fence was raised."""

    STEP_FAILED = "step_failed"
    OVERALL_TIMEOUT = "overall_timeout"
    STALLED_TIMEOUT = "stalled_timeout"
    CANCELLED = "cancelled"


@final
@frozen(kw_only=True)
class FailureCause:
    """The first cause of a saga's failure; `steps` are the steps that failed or that the saga was waiting for."""

    kind: FailureKind
    reason: str
    steps: tuple[str, ...] = ()

    def __str__(self) -> str:
        where = f" [{', '.join(self.steps)}]" if self.steps else ""
        return f"{self.kind.value}{where}: {self.reason}"
