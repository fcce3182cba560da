"""What a participant journals: its own facts only, complete enough to rebuild its step from nothing else."""

from enum import Enum
from typing import Generic, TypeAlias, final

from attrs import frozen
from typing_extensions import TypeVar

from saga_choreography.types import FailureCause, SagaOrigin, StepInput


@final
@frozen(kw_only=True)
class StepTriggered:
    """The dependencies of the step are satisfied."""

    origin: SagaOrigin
    step_name: str
    input: StepInput


@final
@frozen(kw_only=True)
class StepExecutionStarted:
    """Committed before the step runs: from here on its effect may exist."""

    attempt: int
    doubtful: bool = False


class AttemptFailure(Enum):
    """How an attempt of a step ended, when it did not end well."""

    RETRYABLE = "retryable"
    UNEXPECTED = "unexpected"
    AMBIGUOUS = "ambiguous"
    CRASHED = "crashed"
    EXPIRED = "expired"
    """A pending step did not finish in time."""


@final
@frozen(kw_only=True)
class StepAttemptFailed:
    """An attempt ended without a result; without `retry_at_millis` its outcome has to be settled first."""

    failure: AttemptFailure
    error: str
    doubtful: bool
    retry_at_millis: int | None = None


@final
@frozen(kw_only=True)
class StepSuspended:
    """The step returned StepPending."""

    pending_until_millis: int | None = None


@final
@frozen(kw_only=True)
class StepExecutionCompleted:
    """The step has its effect; output and undo data in encoded form."""

    output: bytes
    undo: bytes


@final
@frozen(kw_only=True)
class StepExecutionFailed:
    """The step ended without lasting effect."""

    error: str


@final
@frozen(kw_only=True)
class FenceRecorded:
    """The fence was seen. Carries the origin, for it may be the first thing this participant hears of the saga."""

    origin: SagaOrigin
    step_name: str
    cause: FailureCause


@final
@frozen(kw_only=True)
class CompensationExecutionStarted:
    """Committed before the undo runs."""

    attempt: int


@final
@frozen(kw_only=True)
class CompensationAttemptFailed:
    """An attempt of the undo failed; the next one is due at `retry_at_millis`."""

    error: str
    retry_at_millis: int


@final
@frozen(kw_only=True)
class CompensationExecutionCompleted:
    """The effect is undone."""


@final
@frozen(kw_only=True)
class StepQuarantined:
    """Parked; the evidence is what was journaled before."""

    reason: str
    error: str | None = None


class ResolutionKind(Enum):
    """An operator's word on a quarantined step."""

    UNDONE = "undone"
    NOT_EXECUTED = "not_executed"
    COMPLETED = "completed"
    RETRY = "retry"


@final
@frozen(kw_only=True)
class QuarantineResolved:
    """Who resolved a quarantined step, when (the record's time), how and why."""

    resolution: ResolutionKind
    by: str
    why: str
    output: bytes | None = None
    undo: bytes | None = None


class OutcomeKind(Enum):
    """The one outcome of a saga."""

    COMPLETED = "completed"
    FAILED = "failed"


@final
@frozen(kw_only=True)
class SagaEnded:
    """The terminal event was seen: the participant is done with this saga."""

    outcome: OutcomeKind


ParticipantEvent: TypeAlias = (
    StepTriggered
    | StepExecutionStarted
    | StepAttemptFailed
    | StepSuspended
    | StepExecutionCompleted
    | StepExecutionFailed
    | FenceRecorded
    | CompensationExecutionStarted
    | CompensationAttemptFailed
    | CompensationExecutionCompleted
    | StepQuarantined
    | QuarantineResolved
    | SagaEnded
)
"""Everything a participant journals; folded in order, its records rebuild the step."""

E_co = TypeVar("E_co", covariant=True, default=ParticipantEvent)


@final
@frozen
class TimestampedEvent(Generic[E_co]):
    """A journal record: `sequence` counts from 1 within one saga, `at_millis` is Unix time in milliseconds."""

    sequence: int
    at_millis: int
    event: E_co
