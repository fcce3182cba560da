"""The journal is the state: what can follow, what cannot, and what is told from it."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import pytest

from saga_choreography.errors import IllegalTransition
from saga_choreography.events import (
    AckStatus,
    AttemptFailure,
    CompensationAttemptFailed,
    CompensationCompleted,
    CompensationExecutionCompleted,
    CompensationExecutionStarted,
    CompensationFailed,
    FenceRecorded,
    OutcomeKind,
    ParticipantEvent,
    QuarantineResolved,
    ResolutionKind,
    SagaEnded,
    StepAck,
    StepAttemptFailed,
    StepCompleted,
    StepExecutionCompleted,
    StepExecutionFailed,
    StepExecutionStarted,
    StepFailed,
    StepQuarantined,
    StepSuspended,
    StepTriggered,
    TimestampedEvent,
)
from saga_choreography.protocol.facts import fact_of, is_settled
from saga_choreography.protocol.fold import fold
from saga_choreography.protocol.memory import plan_of
from saga_choreography.state import SagaStateEntry, StepState
from saga_choreography.types import FailureCause, FailureKind, SagaOrigin

Line: TypeAlias = Callable[..., SagaOrigin]

CAUSE = FailureCause(kind=FailureKind.CANCELLED, reason="enough")
RUN = StepExecutionStarted(attempt=1)
DONE = StepExecutionCompleted(output=b"o", undo=b"u")
UNDO = CompensationExecutionStarted(attempt=1)


def triggered(origin: SagaOrigin) -> StepTriggered:
    return StepTriggered(origin=origin, step_name="b", input=(("a", b"in"),))


def fence(origin: SagaOrigin) -> FenceRecorded:
    return FenceRecorded(origin=origin, step_name="b", cause=CAUSE)


def entry_after(*records: ParticipantEvent) -> SagaStateEntry:
    entry: SagaStateEntry | None = None
    for sequence, event in enumerate(records, 1):
        entry = fold(entry, TimestampedEvent(sequence, 100 + sequence, event))
    assert entry is not None
    return entry


def journal(name: str, origin: SagaOrigin) -> Sequence[ParticipantEvent]:
    """The shortest journal that ends in the state of that name, fenced where it must be."""
    start: list[ParticipantEvent] = [triggered(origin)]
    journals: dict[str, Sequence[ParticipantEvent]] = {
        "Idle": [fence(origin)],
        "Triggered": start,
        "Executing": [*start, RUN],
        "Completed": [*start, RUN, DONE],
        "Failed": [*start, RUN, StepExecutionFailed(error="no")],
        "Compensating": [*start, RUN, DONE, fence(origin), UNDO],
        "Compensated": [*start, RUN, DONE, fence(origin), UNDO, CompensationExecutionCompleted()],
        "Quarantined": [*start, RUN, StepQuarantined(reason="stuck", error="why")],
        "Quarantined undo": [*start, RUN, DONE, fence(origin), UNDO, StepQuarantined(reason="stuck", error="why")],
    }
    return journals[name]


FITS: dict[str, set[type[ParticipantEvent]]] = {
    "Idle": {StepTriggered},
    "Triggered": {StepExecutionStarted},
    "Executing": {
        StepExecutionStarted,
        StepAttemptFailed,
        StepSuspended,
        StepExecutionCompleted,
        StepExecutionFailed,
        StepQuarantined,
    },
    "Completed": {CompensationExecutionStarted},
    "Failed": set(),
    "Compensating": {
        CompensationExecutionStarted,
        CompensationAttemptFailed,
        CompensationExecutionCompleted,
        StepQuarantined,
    },
    "Compensated": set(),
    "Quarantined": {QuarantineResolved},
    "Quarantined undo": {QuarantineResolved},
}
ANY_STATE = {FenceRecorded, SagaEnded}


def every_record(origin: SagaOrigin) -> list[ParticipantEvent]:
    return [
        triggered(origin),
        fence(origin),
        RUN,
        DONE,
        UNDO,
        StepAttemptFailed(failure=AttemptFailure.RETRYABLE, error="x", doubtful=False, retry_at_millis=9),
        StepSuspended(),
        StepExecutionFailed(error="x"),
        CompensationAttemptFailed(error="x", retry_at_millis=9),
        CompensationExecutionCompleted(),
        StepQuarantined(reason="x"),
        QuarantineResolved(resolution=ResolutionKind.RETRY, by="ada", why="looked"),
        SagaEnded(outcome=OutcomeKind.FAILED),
    ]


@pytest.mark.parametrize("name", FITS)
def test_a_record_follows_only_where_it_fits(name: str, line: Line) -> None:
    origin = line()
    entry = entry_after(*journal(name, origin))
    assert type(entry.state).__name__ == name.partition(" ")[0]
    for event in every_record(origin):
        record = TimestampedEvent(entry.sequence + 1, 500, event)
        if type(event) in FITS[name] | ANY_STATE:
            assert fold(entry, record).sequence == entry.sequence + 1
        else:
            with pytest.raises(IllegalTransition):
                fold(entry, record)


def test_a_journal_begins_with_the_trigger_or_the_fence(line: Line) -> None:
    for event in every_record(line()):
        if isinstance(event, StepTriggered | FenceRecorded):
            assert entry_after(event).sequence == 1
        else:
            with pytest.raises(IllegalTransition):
                entry_after(event)


@pytest.mark.parametrize(
    ("name", "fact", "status"),
    [
        ("Idle", StepAck, AckStatus.NOT_APPLICABLE),
        ("Triggered", None, None),
        ("Executing", None, None),
        ("Completed", StepCompleted, None),
        ("Failed", StepFailed, None),
        ("Compensating", None, None),
        ("Compensated", CompensationCompleted, None),
        ("Quarantined", StepAck, AckStatus.QUARANTINED),
        ("Quarantined undo", CompensationFailed, None),
    ],
)
def test_a_state_has_one_fact_or_none(name: str, fact: type | None, status: AckStatus | None, line: Line) -> None:
    entry = entry_after(*journal(name, line()))
    told = fact_of(entry)
    assert (type(told) if told is not None else None) is fact
    if isinstance(told, StepAck):
        assert told.status is status
    if told is not None:
        assert (told.sequence, told.at_millis, told.step_name) == (entry.sequence, entry.updated_at_millis, "b")


@pytest.mark.parametrize("pure", [False, True])
def test_behind_the_fence_a_completion_is_late_or_has_nothing_to_undo(pure: bool, line: Line) -> None:
    origin = line(pure=pure)
    told = fact_of(entry_after(*journal("Completed", origin), fence(origin)))
    if pure:
        assert isinstance(told, StepAck)
        assert told.status is AckStatus.NOTHING_TO_UNDO
    else:
        assert isinstance(told, StepCompleted)
        assert told.late


def test_a_trigger_with_a_fence_has_never_run(line: Line) -> None:
    told = fact_of(entry_after(triggered(line()), fence(line())))
    assert isinstance(told, StepAck)
    assert told.status is AckStatus.NOT_APPLICABLE


@pytest.mark.parametrize(("name", "settled"), [(name, name in {"Idle", "Failed", "Compensated"}) for name in FITS])
def test_settled_is_what_can_change_no_more_by_itself(name: str, settled: bool, line: Line) -> None:
    assert is_settled(entry_after(*journal(name, line()))) is settled


def test_a_pure_completion_is_settled_behind_the_fence_only(line: Line) -> None:
    for pure in (False, True):
        origin = line(pure=pure)
        done = journal("Completed", origin)
        assert not is_settled(entry_after(*done))
        assert is_settled(entry_after(*done, fence(origin))) is pure


def test_an_entry_finds_its_slice_of_the_plan(line: Line) -> None:
    origin = line(pure=True)
    plan = plan_of(entry_after(triggered(origin)))
    assert plan is not None
    assert (plan.step_name, plan.pure) == ("b", True)
    assert plan_of(entry_after(StepTriggered(origin=origin, step_name="z", input=()))) is None


@pytest.mark.parametrize("name", [name for name in FITS if name not in {"Idle"}])
def test_the_fence_leaves_the_state_alone(name: str, line: Line) -> None:
    entry = entry_after(*journal(name, line()))
    before: StepState = entry.state
    fenced = fold(entry, TimestampedEvent(entry.sequence + 1, 500, fence(line())))
    assert (fenced.state, fenced.fence) == (before, CAUSE)
