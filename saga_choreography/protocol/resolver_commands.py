"""What the resolver (the initiator's core) reacts to, and what it asks its shell to do."""

from collections.abc import Mapping
from enum import Enum
from typing import Final, TypeAlias, final

from attrs import frozen

from saga_choreography.events import (
    InitiatorEvent,
    OutcomeKind,
    QuarantinedStep,
    SagaChoreographyEvent,
    SagaOutcome,
    SagaQuarantined,
    StepEvent,
    TimestampedEvent,
)
from saga_choreography.types import FailureCause, FailureKind, SagaOrigin


@final
@frozen(kw_only=True)
class SagaEntry:
    """What the initiator's journal says of one saga. `parked` is empty unless the saga waits for an operator."""

    origin: SagaOrigin
    payload: bytes
    digest: bytes
    sequence: int
    updated_at_millis: int
    fence: FailureCause | None = None
    parked: tuple[QuarantinedStep, ...] = ()
    outcome: OutcomeKind | None = None


class StepStatus(Enum):
    """What the resolver has heard of a step."""

    COMPLETED = "completed"
    FAILED = "failed"
    NEVER_RAN = "never_ran"
    NOTHING_TO_UNDO = "nothing_to_undo"
    UNDONE = "undone"
    QUARANTINED = "quarantined"


SETTLED: Final = frozenset({StepStatus.FAILED, StepStatus.NEVER_RAN, StepStatus.NOTHING_TO_UNDO, StepStatus.UNDONE})


@final
@frozen
class StepFact:
    """The newest fact heard of one step; `sequence` orders facts of the same step."""

    status: StepStatus
    sequence: int
    reason: str = ""


_NO_FACTS: Final[Mapping[str, StepFact]] = {}


@final
@frozen(kw_only=True)
class SagaMemory:
    """The entry (equal to the replay of its journal) and what was heard, which is told again after a restart."""

    entry: SagaEntry
    facts: Mapping[str, StepFact] = _NO_FACTS
    progress_at_millis: int

    def moved_to(self, entry: SagaEntry) -> "SagaMemory":
        """The same facts, beside another entry."""
        return SagaMemory(entry=entry, facts=self.facts, progress_at_millis=self.progress_at_millis)


@final
@frozen
class ResolverRecovered:
    """The initiator restarted and the entry was rebuilt from its journal."""


@final
@frozen
class DeadlineDue:
    """Timer: OVERALL_TIMEOUT or STALLED_TIMEOUT."""

    kind: FailureKind


@final
@frozen
class CancelRequested:
    """Somebody wants the saga undone."""

    reason: str


ResolverStimulus: TypeAlias = StepEvent | ResolverRecovered | DeadlineDue | CancelRequested


@final
@frozen
class Tell:
    """Publish an event."""

    event: SagaChoreographyEvent


@final
@frozen
class TellStep:
    """Tell an event to the participant of one step only."""

    step_name: str
    event: SagaChoreographyEvent


@final
@frozen
class ArmDeadline:
    """Bring `stimulus` back at `at_millis` (Unix milliseconds)."""

    at_millis: int
    stimulus: DeadlineDue


@final
@frozen
class Ended:
    """The saga has its outcome: wake who waits for it, call the hook, release its place."""

    outcome: SagaOutcome


@final
@frozen
class Parked:
    """The saga waits for an operator."""

    event: SagaQuarantined


@final
@frozen
class Unparked:
    """The saga goes on after an operator's word."""


ResolverCommand: TypeAlias = Tell | TellStep | ArmDeadline | Ended | Parked | Unparked


@final
@frozen
class Resolution:
    """The new memory, the records that justify it, and what to do once they are committed."""

    memory: SagaMemory
    records: tuple[TimestampedEvent[InitiatorEvent], ...] = ()
    commands: tuple[ResolverCommand, ...] = ()
