"""What the participant core reacts to, besides the events of others: results of business code, timers, an operator."""

from enum import Enum
from typing import Final, TypeAlias, final

from attrs import frozen

from saga_choreography.events import ResolutionKind, SagaChoreographyEvent


@final
@frozen
class Recovered:
    """The actor restarted and the entry was rebuilt from its journal."""


@final
@frozen
class RunGranted:
    """The shell has room to run a triggered step."""


RUN_GRANTED: Final = RunGranted()


@final
@frozen
class StepReturned:
    """The step has its effect: it returned, a pending step finished, or a probe found out."""

    output: bytes
    undo: bytes


@final
@frozen
class StepDeferred:
    """The step (or a probe) says that it goes on outside."""

    pending_until_millis: int | None


class Raised(Enum):
    """How business code failed."""

    NO_EFFECT = "no_effect"
    RETRYABLE = "retryable"
    UNEXPECTED = "unexpected"
    AMBIGUOUS = "ambiguous"


@final
@frozen
class StepRaised:
    """The step raised, or a pending step was reported as failed."""

    raised: Raised
    error: str


@final
@frozen
class NotExecuted:
    """A probe, or the cancellation of a pending step, found that there is no effect."""


@final
@frozen
class StillUnknown:
    """A probe could not tell."""

    why: str


@final
@frozen
class ProbeRaised:
    """The probe itself failed."""

    error: str


@final
@frozen
class CompensationReturned:
    """The effect is undone."""


@final
@frozen
class CompensationRaised:
    """The undo failed; `retryable` when the same key may be tried again."""

    retryable: bool
    error: str


@final
@frozen
class RetryDue:
    """Timer: the attempt after `attempt` may start."""

    attempt: int


@final
@frozen
class ProbeDue:
    """Timer: the doubt about `attempt` may be probed again."""

    attempt: int


@final
@frozen
class PendingExpired:
    """Timer: the pending step of `attempt` did not finish in time."""

    attempt: int


@final
@frozen
class CompensationRetryDue:
    """Timer: the undo attempt after `attempt` may start."""

    attempt: int


@final
@frozen(kw_only=True)
class OperatorResolved:
    """An operator's word on a quarantined step; output and undo data only with COMPLETED."""

    resolution: ResolutionKind
    by: str
    why: str
    output: bytes | None = None
    undo: bytes | None = None


TimerStimulus: TypeAlias = RetryDue | ProbeDue | PendingExpired | CompensationRetryDue

InternalStimulus: TypeAlias = (
    Recovered
    | RunGranted
    | StepReturned
    | StepDeferred
    | StepRaised
    | NotExecuted
    | StillUnknown
    | ProbeRaised
    | CompensationReturned
    | CompensationRaised
    | OperatorResolved
    | TimerStimulus
)

Stimulus: TypeAlias = SagaChoreographyEvent | InternalStimulus
