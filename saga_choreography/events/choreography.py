"""What travels between actors: facts that follow from committed records.

Every event can be told twice, late or out of order. Step events carry the `sequence` of the journal record they follow
from, so a receiver can tell an old fact from a new one. `at_millis` is Unix time of the record, in milliseconds.
"""

from enum import Enum
from typing import Final, TypeAlias, final

from attrs import frozen

from saga_choreography.types import FailureCause, SagaId, SagaOrigin


@frozen(kw_only=True)
class _Event:
    origin: SagaOrigin
    at_millis: int

    @property
    def saga_id(self) -> SagaId:
        """The saga this event belongs to."""
        return self.origin.saga_id

    @property
    def saga_type(self) -> str:
        """Name of its `Saga` token."""
        return self.origin.plan.saga_type


@frozen(kw_only=True)
class _StepEvent(_Event):
    step_name: str
    sequence: int


@final
@frozen(kw_only=True)
class SagaStarted(_Event):
    """A saga began; `payload` is the encoded payload class of its `Saga` token."""

    payload: bytes


@final
@frozen(kw_only=True)
class StepStarted(_StepEvent):
    """An attempt of a step was committed and is about to run."""

    attempt: int


@final
@frozen(kw_only=True)
class StepCompleted(_StepEvent):
    """A step has its effect; `output` is the encoded output class of its `Step` token.

    `late`: it completed behind the fence and is about to be undone, so no dependent may act on it.
    """

    output: bytes
    late: bool = False


@final
@frozen(kw_only=True)
class StepFailed(_StepEvent):
    """A step ended without lasting effect."""

    reason: str


class AckStatus(Enum):
    """What a step answers when it has neither an effect to report nor one to undo."""

    NOT_APPLICABLE = "not_applicable"
    """Never ran, and never will."""
    NOTHING_TO_UNDO = "nothing_to_undo"
    """Ran, and changed nothing outside."""
    QUARANTINED = "quarantined"
    """The forward step is in doubt and waits for an operator: not settled."""


@final
@frozen(kw_only=True)
class StepAck(_StepEvent):
    """A step's answer to the fence, or the word that it is parked in doubt."""

    status: AckStatus
    reason: str = ""


@final
@frozen(kw_only=True)
class CompensationRequested(_Event):
    """The fence: no step of this saga starts any more, and what was done is undone."""

    cause: FailureCause


@final
@frozen(kw_only=True)
class CompensationStarted(_StepEvent):
    """An attempt of an undo was committed and is about to run."""

    attempt: int


@final
@frozen(kw_only=True)
class CompensationCompleted(_StepEvent):
    """The effect of a step is undone."""


@final
@frozen(kw_only=True)
class CompensationFailed(_StepEvent):
    """The undo of a step is parked for an operator: not settled."""

    reason: str


@final
@frozen(kw_only=True)
class SagaCompleted(_Event):
    """Terminal: every step completed."""


@final
@frozen(kw_only=True)
class SagaFailed(_Event):
    """Terminal: nothing the saga did is left; `cause` is the first cause."""

    cause: FailureCause

    @property
    def reason(self) -> str:
        """The cause in one line: what kind, which steps, why."""
        return str(self.cause)


@final
@frozen(kw_only=True)
class QuarantinedStep:
    """A parked step and why."""

    step_name: str
    reason: str


@final
@frozen(kw_only=True)
class SagaQuarantined(_Event):
    """Parked, not terminal: nothing moves until an operator resolves `steps`."""

    steps: tuple[QuarantinedStep, ...]


SagaChoreographyEvent: TypeAlias = (
    SagaStarted
    | StepStarted
    | StepCompleted
    | StepFailed
    | StepAck
    | CompensationRequested
    | CompensationStarted
    | CompensationCompleted
    | CompensationFailed
    | SagaCompleted
    | SagaFailed
    | SagaQuarantined
)
"""Everything that travels: match on it and close with `assert_never`."""

StepEvent: TypeAlias = (
    StepStarted
    | StepCompleted
    | StepFailed
    | StepAck
    | CompensationStarted
    | CompensationCompleted
    | CompensationFailed
)

STEP_EVENTS: Final = (
    StepCompleted,
    StepFailed,
    StepAck,
    CompensationCompleted,
    CompensationFailed,
    StepStarted,
    CompensationStarted,
)
"""The classes of a StepEvent: to test against a tuple takes a fraction of the time of a union."""

SagaOutcome: TypeAlias = SagaCompleted | SagaFailed

SAGA_OUTCOMES: Final = (SagaCompleted, SagaFailed)
