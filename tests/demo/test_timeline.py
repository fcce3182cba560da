"""Time lines: what a saga's records read like, and in which order."""

from decimal import Decimal
from uuid import UUID

import pytest

from deribit_example.demo.journals import SagaRecords
from deribit_example.demo.timeline import Tone, timeline
from deribit_example.demo.words import attempts_word, outcome_word
from deribit_example.saga.types import ORDER_WORKFLOW, OrderIntent
from saga_choreography import PeerId, SagaId
from saga_choreography.events import (
    AttemptFailure,
    CompensationExecutionCompleted,
    CompensationExecutionStarted,
    FenceRaised,
    FenceRecorded,
    InitiatorEvent,
    OutcomeKind,
    ParticipantEvent,
    SagaAccepted,
    SagaParked,
    SagaResolved,
    StepAttemptFailed,
    StepExecutionCompleted,
    StepExecutionFailed,
    StepExecutionStarted,
    StepTriggered,
    TimestampedEvent,
)
from saga_choreography.types import FailureCause, FailureKind, SagaOrigin

START = 1_000
ORIGIN = SagaOrigin(
    saga_id=SagaId(UUID("01900000-0000-7000-8000-0000000000a1")),
    initiator=PeerId("RiskManager"),
    started_at_millis=START,
    plan=ORDER_WORKFLOW.plan,
)
INTENT = OrderIntent(
    instrument="BTC-PERPETUAL", side="buy", amount=Decimal(100), price=Decimal(84000), confidence=0.9, strategy="x"
)
CAUSE = FailureCause(kind=FailureKind.STEP_FAILED, reason="TerminalStepError: cancelled", steps=("monitor_order",))
ACCEPTED = SagaAccepted(origin=ORIGIN, payload=b"", digest=b"")


def of_initiator(*events: tuple[int, InitiatorEvent]) -> tuple[TimestampedEvent[InitiatorEvent], ...]:
    return tuple(TimestampedEvent(place, START + at, event) for place, (at, event) in enumerate(events, 1))


def of_step(step: str, *events: tuple[int, ParticipantEvent]) -> tuple[TimestampedEvent[ParticipantEvent], ...]:
    first = (events[0][0], StepTriggered(origin=ORIGIN, step_name=step, input=()))
    return tuple(TimestampedEvent(place, START + at, event) for place, (at, event) in enumerate((first, *events), 1))


def fence(step: str) -> FenceRecorded:
    return FenceRecorded(origin=ORIGIN, step_name=step, cause=CAUSE)


RUN = StepExecutionStarted(attempt=1)
DONE = StepExecutionCompleted(output=b"", undo=b"")
UNDONE = SagaRecords(
    origin=ORIGIN,
    intent=INTENT,
    initiator=of_initiator(
        (0, ACCEPTED), (30, FenceRaised(cause=CAUSE)), (50, SagaResolved(outcome=OutcomeKind.FAILED))
    ),
    steps={
        "prepare_order": of_step("prepare_order", (1, RUN), (2, DONE), (31, fence("prepare_order"))),
        "place_order": of_step(
            "place_order",
            (3, RUN),
            (4, DONE),
            (31, fence("place_order")),
            (31, CompensationExecutionStarted(attempt=1)),
            (40, CompensationExecutionCompleted()),
        ),
        "monitor_order": of_step(
            "monitor_order",
            (4, RUN),
            (29, StepExecutionFailed(error="TerminalStepError: cancelled; look it up")),
            (31, fence("monitor_order")),
        ),
    },
)


def lines(saga: SagaRecords) -> list[tuple[int, str, str]]:
    return [(moment.offset_millis, moment.step, moment.event) for moment in timeline(saga)]


def test_a_saga_that_is_undone_reads_in_the_order_of_cause_and_effect() -> None:
    assert lines(UNDONE) == [
        (0, "saga", "started"),
        (1, "prepare_order", "started"),
        (2, "prepare_order", "completed"),
        (3, "place_order", "started"),
        (4, "place_order", "completed"),
        (4, "monitor_order", "started"),
        (29, "monitor_order", "failed"),
        (30, "saga", "fence"),
        (31, "place_order", "undo started"),
        (31, "prepare_order", "nothing to undo"),
        (40, "place_order", "undone"),
        (50, "saga", "FAILED"),
    ]
    assert attempts_word(UNDONE) == "1+1+1, undo 1"
    assert outcome_word(UNDONE) == "failed"


def test_a_failure_is_told_without_class_names_and_advice() -> None:
    (failed,) = [moment for moment in timeline(UNDONE) if moment.event == "failed"]
    assert failed.detail == "cancelled"


def test_a_step_that_never_ran_says_so() -> None:
    seen_first = (TimestampedEvent[ParticipantEvent](1, START + 5, fence("monitor_order")),)
    saga = SagaRecords(
        origin=ORIGIN, intent=INTENT, initiator=of_initiator((0, ACCEPTED)), steps={"monitor_order": seen_first}
    )
    assert lines(saga)[-1] == (5, "monitor_order", "never ran")


@pytest.mark.parametrize(("again", "told"), [((), "settled by asking"), (((9, StepExecutionStarted(attempt=2)),), "")])
def test_a_doubt_that_is_settled_by_asking_is_told_apart_from_a_second_attempt(
    again: tuple[tuple[int, ParticipantEvent], ...], told: str
) -> None:
    doubt = StepAttemptFailed(failure=AttemptFailure.AMBIGUOUS, error="AmbiguousStepError: no reply", doubtful=True)
    steps = {"place_order": of_step("place_order", (3, RUN), (8, doubt), *again, (10, DONE))}
    saga = SagaRecords(origin=ORIGIN, intent=INTENT, initiator=of_initiator((0, ACCEPTED)), steps=steps)
    moments = timeline(saga)
    assert ("in doubt", "no reply", Tone.DOUBT) in [(m.event, m.detail, m.tone) for m in moments]
    assert told in moments[-1].detail
    assert bool(moments[-1].detail) is bool(told)


def test_a_saga_without_an_outcome_runs_or_is_parked() -> None:
    running = SagaRecords(origin=ORIGIN, intent=INTENT, initiator=of_initiator((0, ACCEPTED)))
    parked = SagaRecords(origin=ORIGIN, intent=INTENT, initiator=of_initiator((0, ACCEPTED), (7, SagaParked(steps=()))))
    assert (outcome_word(running), outcome_word(parked)) == ("running", "parked")
    assert parked.duration_millis == 7
