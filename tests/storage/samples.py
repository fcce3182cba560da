"""Records and small scripts that the tests of the stores share."""

from saga_choreography.events import (
    AttemptFailure,
    CompensationAttemptFailed,
    CompensationExecutionCompleted,
    CompensationExecutionStarted,
    FenceRaised,
    FenceRecorded,
    InitiatorEvent,
    OutcomeKind,
    ParticipantEvent,
    QuarantinedStep,
    QuarantineResolved,
    ResolutionKind,
    SagaAccepted,
    SagaEnded,
    SagaParked,
    SagaResolved,
    SagaUnparked,
    StepAttemptFailed,
    StepExecutionCompleted,
    StepExecutionFailed,
    StepExecutionStarted,
    StepQuarantined,
    StepSuspended,
    StepTriggered,
    TimestampedEvent,
)
from saga_choreography.storage import ParticipantJournal, Tombstone
from saga_choreography.types import (
    After,
    FailureCause,
    FailureKind,
    OnSagaStart,
    PeerId,
    SagaId,
    SagaOrigin,
    SagaPlan,
    StepPlan,
)

GONE = Tombstone(outcome=OutcomeKind.COMPLETED, digest=b"")
CAUSE = FailureCause(kind=FailureKind.STEP_FAILED, reason="no seat", steps=("book",))
PLAN = SagaPlan(
    saga_type="trip",
    steps=(
        StepPlan(step_name="book", after=OnSagaStart(), dependents=("pay",)),
        StepPlan(step_name="pay", after=After("book")),
    ),
    overall_timeout_millis=30_000,
)


def origin_of(saga_id: SagaId) -> SagaOrigin:
    return SagaOrigin(saga_id=saga_id, initiator=PeerId("desk"), started_at_millis=5, plan=PLAN)


def participant_events(saga_id: SagaId) -> list[ParticipantEvent]:
    origin = origin_of(saga_id)
    return [
        StepTriggered(origin=origin, step_name="book", input=(("@start", b"oslo"),)),
        StepExecutionStarted(attempt=1, doubtful=True),
        StepAttemptFailed(failure=AttemptFailure.CRASHED, error="died", doubtful=True, retry_at_millis=9),
        StepSuspended(pending_until_millis=77),
        StepExecutionCompleted(output=b"out", undo=b"undo"),
        StepExecutionFailed(error="no"),
        FenceRecorded(origin=origin, step_name="book", cause=CAUSE),
        CompensationExecutionStarted(attempt=2),
        CompensationAttemptFailed(error="again", retry_at_millis=8),
        CompensationExecutionCompleted(),
        StepQuarantined(reason="unknown", error="trace"),
        QuarantineResolved(resolution=ResolutionKind.COMPLETED, by="ann", why="seen", output=b"o", undo=b"u"),
        SagaEnded(outcome=OutcomeKind.FAILED),
    ]


def initiator_events(saga_id: SagaId) -> list[InitiatorEvent]:
    return [
        SagaAccepted(origin=origin_of(saga_id), payload=b"oslo", digest=b"d" * 16),
        FenceRaised(cause=CAUSE),
        SagaParked(steps=(QuarantinedStep(step_name="book", reason="unknown"),)),
        SagaUnparked(),
        SagaResolved(outcome=OutcomeKind.FAILED),
    ]


def started(sequence: int) -> TimestampedEvent[ParticipantEvent]:
    return TimestampedEvent(sequence, 1_000 + sequence, StepExecutionStarted(attempt=sequence))


def write(journal: ParticipantJournal, saga_id: SagaId, first: int, last: int) -> None:
    with journal.transaction():
        for sequence in range(first, last + 1):
            journal.append(saga_id, started(sequence))


def finish(journal: ParticipantJournal, saga_id: SagaId, at_millis: int, tombstone: Tombstone = GONE) -> None:
    with journal.transaction():
        journal.end(saga_id, at_millis, tombstone)
