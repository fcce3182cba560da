"""What stands in the kept journals: every kind of record, in ten sagas, and what each of them amounts to.

| saga | the program ended when | it ends as |
|---|---|---|
| accepted | it was only accepted | completed |
| reserved | one step was done | completed |
| paying | the second attempt of the second step was running | completed |
| pending | the second step waited for its end | completed |
| done | all steps were done, and the outcome was not written | completed |
| cancelled | it was to be undone, and no participant had heard of it | failed |
| undoing | the second attempt of an undo was running | failed |
| parked | an undo was quarantined | quarantined, until an operator resolves it |
| failed | it had failed | failed |
| pruned | it had completed, and its records were pruned | a tombstone |
"""

from collections.abc import Mapping
from typing import Final, TypeAlias
from uuid import UUID

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
from saga_choreography.helpers.initiating import start_digest
from saga_choreography.protocol.resolver_commands import SagaEntry
from saga_choreography.state import (
    Compensated,
    Compensating,
    Completed,
    Executing,
    ExecutionPhase,
    Failed,
    Idle,
    Quarantined,
    StepState,
)
from saga_choreography.types import SAGA_START, FailureCause, FailureKind, PeerId, SagaId, SagaOrigin
from tests.golden.order import GOLDEN

Encoded: TypeAlias = Mapping[str, bytes]
"""The kept payloads, by name."""

STARTED: Final = 1_767_225_600_000
"""The first of January 2026."""
INITIATOR: Final = "system-initiator"
ACTORS: Final = {"Reserver": "reserve", "Payer": "pay", "Shipper": "ship"}
LIVE: Final = ("accepted", "reserved", "paying", "pending", "done", "cancelled", "undoing", "parked")
NAMES: Final = (*LIVE, "failed", "pruned")
SAGAS: Final = {name: SagaId(UUID(int=(0x0190 << 112) | number)) for number, name in enumerate(NAMES, 1)}
CANCELLED: Final = FailureCause(kind=FailureKind.CANCELLED, reason="changed my mind")
BROKE: Final = FailureCause(kind=FailureKind.STEP_FAILED, reason="no money", steps=("pay",))
LOST: Final = FailureCause(kind=FailureKind.STEP_FAILED, reason="no van", steps=("ship",))
STALLED: Final = FailureCause(kind=FailureKind.STALLED_TIMEOUT, reason="nothing moved", steps=("pay", "ship"))


def at(sequence: int) -> int:
    """When the record of that number was written."""
    return STARTED + 1_000 * sequence


def origin(name: str) -> SagaOrigin:
    return SagaOrigin(saga_id=SAGAS[name], initiator=PeerId("system"), started_at_millis=STARTED, plan=GOLDEN.plan)


def reserve(name: str, raw: Encoded) -> list[ParticipantEvent]:
    """The journal of `Reserver`."""
    if name == "accepted":
        return []
    done: list[ParticipantEvent] = [
        StepTriggered(origin=origin(name), step_name="reserve", input=((SAGA_START, raw["order"]),)),
        StepExecutionStarted(attempt=1),
        StepExecutionCompleted(output=raw["reservation"], undo=raw["release"]),
    ]
    match name:
        case "undoing":
            return [
                *done,
                FenceRecorded(origin=origin(name), step_name="reserve", cause=BROKE),
                CompensationExecutionStarted(attempt=1),
                CompensationAttemptFailed(error="busy", retry_at_millis=at(7)),
                CompensationExecutionStarted(attempt=2),
            ]
        case "parked":
            return [*done, FenceRecorded(origin=origin(name), step_name="reserve", cause=LOST)]
        case "failed":
            return [
                *done,
                FenceRecorded(origin=origin(name), step_name="reserve", cause=STALLED),
                CompensationExecutionStarted(attempt=1),
                CompensationExecutionCompleted(),
                SagaEnded(outcome=OutcomeKind.FAILED),
            ]
        case "pruned":
            return [*done, SagaEnded(outcome=OutcomeKind.COMPLETED)]
        case _:
            return done


def pay(name: str, raw: Encoded) -> list[ParticipantEvent]:
    """The journal of `Payer`."""
    if name in ("accepted", "reserved", "cancelled"):
        return []
    given = ((SAGA_START, raw["order"]), ("reserve", raw["reservation"]))
    begun: list[ParticipantEvent] = [
        StepTriggered(origin=origin(name), step_name="pay", input=given),
        StepExecutionStarted(attempt=1),
    ]
    done: list[ParticipantEvent] = [*begun, StepExecutionCompleted(output=raw["receipt"], undo=raw["refund"])]
    match name:
        case "paying":
            return [
                *begun,
                StepAttemptFailed(
                    failure=AttemptFailure.RETRYABLE, error="later", doubtful=False, retry_at_millis=at(4)
                ),
                StepExecutionStarted(attempt=2, doubtful=False),
            ]
        case "pending":
            return [*begun, StepSuspended(pending_until_millis=None)]
        case "undoing":
            return [
                *begun,
                StepExecutionFailed(error="no money"),
                FenceRecorded(origin=origin(name), step_name="pay", cause=BROKE),
            ]
        case "parked":
            return [
                *done,
                FenceRecorded(origin=origin(name), step_name="pay", cause=LOST),
                CompensationExecutionStarted(attempt=1),
                StepQuarantined(reason="the undo failed for good", error="no refunds"),
            ]
        case "failed":
            return [
                *begun,
                StepAttemptFailed(failure=AttemptFailure.CRASHED, error="died", doubtful=True),
                StepExecutionStarted(attempt=2, doubtful=True),
                StepAttemptFailed(failure=AttemptFailure.AMBIGUOUS, error="cut off", doubtful=True),
                StepQuarantined(reason="in doubt"),
                QuarantineResolved(resolution=ResolutionKind.NOT_EXECUTED, by="ada", why="asked the bank"),
                FenceRecorded(origin=origin(name), step_name="pay", cause=STALLED),
                SagaEnded(outcome=OutcomeKind.FAILED),
            ]
        case "pruned":
            return [*done, SagaEnded(outcome=OutcomeKind.COMPLETED)]
        case _:
            return done


def ship(name: str, raw: Encoded) -> list[ParticipantEvent]:
    """The journal of `Shipper`."""
    done: list[ParticipantEvent] = [
        StepTriggered(origin=origin(name), step_name="ship", input=(("pay", raw["receipt"]),)),
        StepExecutionStarted(attempt=1),
        StepExecutionCompleted(output=raw["parcel"], undo=raw["nothing"]),
    ]
    match name:
        case "done":
            return done
        case "pruned":
            return [*done, SagaEnded(outcome=OutcomeKind.COMPLETED)]
        case "undoing":
            return [FenceRecorded(origin=origin(name), step_name="ship", cause=BROKE)]
        case "parked":
            return [
                *done[:2],
                StepExecutionFailed(error="no van"),
                FenceRecorded(origin=origin(name), step_name="ship", cause=LOST),
            ]
        case "failed":
            return [
                FenceRecorded(origin=origin(name), step_name="ship", cause=STALLED),
                SagaEnded(outcome=OutcomeKind.FAILED),
            ]
        case _:
            return []


def initiator(name: str, raw: Encoded) -> list[InitiatorEvent]:
    """The journal of the initiator."""
    accepted = SagaAccepted(origin=origin(name), payload=raw["order"], digest=digest(raw))
    parked = SagaParked(steps=(QuarantinedStep(step_name="pay", reason="the undo failed for good"),))
    match name:
        case "cancelled":
            return [accepted, FenceRaised(cause=CANCELLED)]
        case "undoing":
            return [accepted, FenceRaised(cause=BROKE)]
        case "parked":
            return [accepted, FenceRaised(cause=LOST), parked]
        case "failed":
            return [
                accepted,
                SagaParked(steps=(QuarantinedStep(step_name="pay", reason="in doubt"),)),
                FenceRaised(cause=STALLED),
                SagaUnparked(),
                SagaResolved(outcome=OutcomeKind.FAILED),
            ]
        case "pruned":
            return [accepted, SagaResolved(outcome=OutcomeKind.COMPLETED)]
        case _:
            return [accepted]


def digest(raw: Encoded) -> bytes:
    return start_digest(GOLDEN.plan, raw["order"])


def stamped(events: "list[ParticipantEvent]") -> tuple[TimestampedEvent[ParticipantEvent], ...]:
    return tuple(TimestampedEvent(sequence, at(sequence), event) for sequence, event in enumerate(events, 1))


def stamped_of_initiator(events: "list[InitiatorEvent]") -> tuple[TimestampedEvent[InitiatorEvent], ...]:
    return tuple(TimestampedEvent(sequence, at(sequence), event) for sequence, event in enumerate(events, 1))


def states(raw: Encoded) -> dict[tuple[str, str], tuple[StepState, FailureCause | None]]:
    """What the journals of the participants amount to, by actor and saga: the state, and the fence."""
    order = ((SAGA_START, raw["order"]),)
    bought = (*order, ("reserve", raw["reservation"]))
    reserved = Completed(
        completed_at_millis=at(3), output=raw["reservation"], undo=raw["release"], input=order, attempt=1
    )
    paid = Completed(completed_at_millis=at(3), output=raw["receipt"], undo=raw["refund"], input=bought, attempt=1)
    return {
        **{("Reserver", name): (reserved, None) for name in ("reserved", "paying", "pending", "done", "cancelled")},
        ("Reserver", "undoing"): (
            Compensating(
                started_at_millis=at(7),
                output=raw["reservation"],
                undo=raw["release"],
                input=order,
                attempt=2,
            ),
            BROKE,
        ),
        ("Reserver", "parked"): (reserved, LOST),
        ("Reserver", "failed"): (Compensated(completed_at_millis=at(6)), STALLED),
        ("Payer", "paying"): (
            Executing(started_at_millis=at(4), input=bought, attempt=2),
            None,
        ),
        ("Payer", "pending"): (
            Executing(started_at_millis=at(2), input=bought, attempt=1, phase=ExecutionPhase.PENDING),
            None,
        ),
        ("Payer", "done"): (paid, None),
        ("Payer", "undoing"): (Failed(failed_at_millis=at(3), error="no money"), BROKE),
        ("Payer", "parked"): (
            Quarantined(
                quarantined_at_millis=at(6),
                reason="the undo failed for good",
                input=bought,
                output=raw["receipt"],
                undo=raw["refund"],
                attempts=1,
                error="no refunds",
            ),
            LOST,
        ),
        ("Payer", "failed"): (
            Failed(failed_at_millis=at(7), error="not_executed by ada: asked the bank"),
            STALLED,
        ),
        ("Shipper", "done"): (
            Completed(
                completed_at_millis=at(3),
                output=raw["parcel"],
                undo=raw["nothing"],
                input=(("pay", raw["receipt"]),),
                attempt=1,
            ),
            None,
        ),
        ("Shipper", "undoing"): (Idle(), BROKE),
        ("Shipper", "parked"): (Failed(failed_at_millis=at(3), error="no van"), LOST),
        ("Shipper", "failed"): (Idle(), STALLED),
    }


def entry_of_initiator(name: str, raw: Encoded) -> SagaEntry:
    """What the journal of the initiator amounts to."""
    sequence, fence, parked, outcome = {
        "cancelled": (2, CANCELLED, (), None),
        "undoing": (2, BROKE, (), None),
        "parked": (3, LOST, (QuarantinedStep(step_name="pay", reason="the undo failed for good"),), None),
        "failed": (5, STALLED, (), OutcomeKind.FAILED),
    }.get(name, (1, None, (), None))
    return SagaEntry(
        origin=origin(name),
        payload=raw["order"],
        digest=digest(raw),
        sequence=sequence,
        updated_at_millis=at(sequence),
        fence=fence,
        parked=parked,
        outcome=outcome,
    )
