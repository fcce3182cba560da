"""The initiator's journal refuses what cannot follow, and gives back what can be told at any time."""

from collections.abc import Callable

import pytest

from saga_choreography.errors import IllegalTransition
from saga_choreography.events import (
    CompensationRequested,
    FenceRaised,
    InitiatorEvent,
    OutcomeKind,
    QuarantinedStep,
    SagaAccepted,
    SagaChoreographyEvent,
    SagaCompleted,
    SagaFailed,
    SagaParked,
    SagaResolved,
    SagaStarted,
    SagaUnparked,
    TimestampedEvent,
)
from saga_choreography.protocol.resolver import saga_facts
from saga_choreography.protocol.resolver_commands import SagaEntry, SagaMemory
from saga_choreography.protocol.resolver_fold import fold_saga
from saga_choreography.types import FailureCause, FailureKind, OnSagaStart, SagaOrigin, StepPlan

CAUSE = FailureCause(kind=FailureKind.CANCELLED, reason="enough")
PARKED = (QuarantinedStep(step_name="a", reason="stuck"),)
COMPLETED = SagaResolved(outcome=OutcomeKind.COMPLETED)
FAILED = SagaResolved(outcome=OutcomeKind.FAILED)


@pytest.fixture(scope="module")
def accepted(build: Callable[..., SagaOrigin]) -> SagaAccepted:
    return SagaAccepted(origin=build(StepPlan(step_name="a", after=OnSagaStart())), payload=b"p", digest=b"d")


def entry_after(*events: InitiatorEvent) -> SagaEntry:
    entry: SagaEntry | None = None
    for sequence, event in enumerate(events, 1):
        entry = fold_saga(entry, TimestampedEvent(sequence, 100 + sequence, event))
    assert entry is not None
    return entry


def test_every_record_leaves_its_mark(accepted: SagaAccepted) -> None:
    entry = entry_after(accepted)
    assert (entry.origin, entry.payload, entry.digest) == (accepted.origin, b"p", b"d")
    assert (entry.sequence, entry.updated_at_millis) == (1, 101)
    assert entry_after(accepted, FenceRaised(cause=CAUSE)).fence == CAUSE
    assert entry_after(accepted, SagaParked(steps=PARKED)).parked == PARKED
    assert entry_after(accepted, SagaParked(steps=PARKED), SagaUnparked()).parked == ()
    ended = entry_after(accepted, FenceRaised(cause=CAUSE), SagaParked(steps=PARKED), FAILED)
    assert (ended.outcome, ended.parked, ended.fence) == (OutcomeKind.FAILED, (), CAUSE)
    assert (ended.sequence, ended.updated_at_millis) == (4, 104)


@pytest.mark.parametrize("event", [FenceRaised(cause=CAUSE), SagaParked(steps=PARKED), SagaUnparked(), COMPLETED])
def test_the_first_record_is_the_start(event: InitiatorEvent) -> None:
    with pytest.raises(IllegalTransition):
        entry_after(event)


@pytest.mark.parametrize(
    "event", [FenceRaised(cause=CAUSE), SagaParked(steps=PARKED), SagaUnparked(), COMPLETED, FAILED]
)
def test_nothing_follows_the_outcome(event: InitiatorEvent, accepted: SagaAccepted) -> None:
    for outcome in (COMPLETED, FAILED):
        with pytest.raises(IllegalTransition):
            entry_after(accepted, FenceRaised(cause=CAUSE), outcome, event)


def test_a_second_start_or_fence_is_refused(accepted: SagaAccepted) -> None:
    for again in (accepted, FenceRaised(cause=FailureCause(kind=FailureKind.OVERALL_TIMEOUT, reason="late"))):
        with pytest.raises(IllegalTransition):
            entry_after(accepted, FenceRaised(cause=CAUSE), again)


def facts_after(*events: InitiatorEvent) -> list[SagaChoreographyEvent]:
    return list(saga_facts(SagaMemory(entry=entry_after(*events), progress_at_millis=0)))


def test_a_live_saga_tells_its_start(accepted: SagaAccepted) -> None:
    origin = accepted.origin
    started = SagaStarted(origin=origin, at_millis=origin.started_at_millis, payload=b"p")
    assert facts_after(accepted) == facts_after(accepted, SagaParked(steps=PARKED)) == [started]


def test_a_fenced_saga_tells_its_fence_and_not_its_start(accepted: SagaAccepted) -> None:
    fence = CompensationRequested(origin=accepted.origin, at_millis=102, cause=CAUSE)
    assert facts_after(accepted, FenceRaised(cause=CAUSE)) == [fence]


def test_an_ended_saga_tells_its_outcome(accepted: SagaAccepted) -> None:
    assert facts_after(accepted, COMPLETED) == [SagaCompleted(origin=accepted.origin, at_millis=102)]
    failed = SagaFailed(origin=accepted.origin, at_millis=103, cause=CAUSE)
    assert facts_after(accepted, FenceRaised(cause=CAUSE), FAILED) == [failed]
