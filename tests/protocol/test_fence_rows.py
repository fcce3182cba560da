"""The participant table behind a fence: never ran, settled first, undone in order, never leaked."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import pytest

from saga_choreography.events import (
    AckStatus,
    CompensationCompleted,
    CompensationExecutionStarted,
    CompensationFailed,
    CompensationStarted,
    FenceRecorded,
    SagaChoreographyEvent,
    StepAck,
    StepCompleted,
    StepFailed,
)
from saga_choreography.protocol.commands import (
    Anomaly,
    ArmTimer,
    Decision,
    Forget,
    NotifyQuarantined,
    Publish,
    RunCancel,
    RunCompensation,
    RunProbe,
    RunStep,
)
from saga_choreography.protocol.stimuli import (
    CompensationRaised,
    CompensationRetryDue,
    CompensationReturned,
    NotExecuted,
    PendingExpired,
    ProbeDue,
    Raised,
    Recovered,
    RetryDue,
    RunGranted,
    StepDeferred,
    StepRaised,
    StepReturned,
    StillUnknown,
    Stimulus,
)
from saga_choreography.state import (
    Compensated,
    Compensating,
    Completed,
    Executing,
    ExecutionPhase,
    Failed,
    Idle,
    Quarantined,
    Triggered,
)
from saga_choreography.types import InDoubt, SagaOrigin, context_for

Heard: TypeAlias = Mapping[str, SagaChoreographyEvent]
Last: TypeAlias = Callable[..., Decision]
Line: TypeAlias = Callable[..., SagaOrigin]

RUN = RunGranted()
DONE = StepReturned(b"out", b"undo")
NO_EFFECT = StepRaised(Raised.NO_EFFECT, "no")
RETRYABLE = StepRaised(Raised.RETRYABLE, "busy")
UNEXPECTED = StepRaised(Raised.UNEXPECTED, "bug")
AMBIGUOUS = StepRaised(Raised.AMBIGUOUS, "timeout")
PENDING = StepDeferred(5_000)
UNDONE = CompensationReturned()
TRY_AGAIN = CompensationRaised(True, "busy")
HOPELESS = CompensationRaised(False, "gone")


def told(decision: Decision) -> list[SagaChoreographyEvent]:
    return [command.event for command in decision.commands if isinstance(command, Publish)]


def ack_of(decision: Decision) -> AckStatus | None:
    acks = [event.status for event in told(decision) if isinstance(event, StepAck)]
    return acks[0] if acks else None


def test_an_idle_step_answers_that_it_never_ran_and_remembers_the_fence(last: Last, line: Line, heard: Heard) -> None:
    decision = last(line(), heard["fence"])
    assert [type(record.event) for record in decision.records] == [FenceRecorded]
    assert ack_of(decision) is AckStatus.NOT_APPLICABLE
    assert isinstance(decision.entry.state, Idle)


def test_a_triggered_step_never_runs_once_the_fence_was_seen(last: Last, line: Line, heard: Heard) -> None:
    fenced = last(line(), heard["a completed"], heard["fence"])
    assert ack_of(fenced) is AckStatus.NOT_APPLICABLE
    granted = last(line(), heard["a completed"], heard["fence"], RUN)
    assert isinstance(granted.entry.state, Triggered)
    assert (granted.records, granted.commands) == ((), ())


def test_a_trigger_that_comes_after_the_fence_is_refused_also_twice(last: Last, line: Line, heard: Heard) -> None:
    for late in ((heard["a completed"],), (heard["a completed"], heard["a completed"], RUN)):
        decision = last(line(), heard["fence"], *late)
        assert isinstance(decision.entry.state, Idle)
        assert (decision.records, decision.commands) == ((), ())


@pytest.mark.parametrize("words", ["fence", "another fence"])
@pytest.mark.parametrize("before", [(), (RUN,), (RUN, DONE), (RUN, NO_EFFECT), (RUN, PENDING)], ids=len)
def test_a_second_fence_changes_nothing(
    words: str, before: tuple[Stimulus, ...], last: Last, line: Line, heard: Heard
) -> None:
    first = last(line(), heard["a completed"], *before, heard["fence"])
    second = last(line(), heard["a completed"], *before, heard["fence"], heard[words])
    assert (second.entry, second.told, second.records, second.commands) == (first.entry, first.told, (), ())


def test_a_running_step_is_not_disturbed_by_the_fence_and_is_undone_when_it_returns(
    last: Last, line: Line, heard: Heard
) -> None:
    fenced = last(line(), heard["a completed"], RUN, heard["fence"])
    assert fenced.commands == ()
    returned = last(line(), heard["a completed"], RUN, heard["fence"], DONE)
    assert isinstance(returned.entry.state, Completed)
    (late,) = told(returned)
    assert isinstance(late, StepCompleted)
    assert late.late
    answered = last(line(), heard["a completed"], RUN, heard["fence"], DONE, heard["c never ran"])
    assert answered.commands[-1] == RunCompensation()


def test_a_step_whose_dependents_have_answered_is_undone_at_once_when_it_returns(
    last: Last, line: Line, heard: Heard
) -> None:
    decision = last(line(), heard["a completed"], RUN, heard["fence"], heard["c never ran"], DONE)
    assert [type(event) for event in told(decision)] == [StepCompleted, CompensationStarted]
    assert decision.commands[-1] == RunCompensation()


@pytest.mark.parametrize("cancel", [True, False])
def test_a_pending_step_is_cancelled_if_it_can_be(cancel: bool, last: Last, line: Line, heard: Heard) -> None:
    decision = last(line(), heard["a completed"], RUN, PENDING, heard["fence"], cancel=cancel)
    assert decision.commands == ((RunCancel(),) if cancel else ())
    assert isinstance(decision.entry.state, Executing)


def test_a_cancelled_step_without_effect_has_failed(last: Last, line: Line, heard: Heard) -> None:
    decision = last(line(), heard["a completed"], RUN, PENDING, heard["fence"], NotExecuted(), cancel=True)
    assert isinstance(decision.entry.state, Failed)
    assert [type(event) for event in told(decision)] == [StepFailed]


def test_a_cancel_that_came_too_late_leads_to_the_undo(last: Last, line: Line, heard: Heard) -> None:
    before = (heard["a completed"], RUN, PENDING, heard["c never ran"], heard["fence"])
    assert last(line(), *before, DONE, cancel=True).commands[-1] == RunCompensation()


def test_a_cancel_that_cannot_tell_leaves_the_step_pending_and_is_tried_again(
    last: Last, line: Line, heard: Heard
) -> None:
    before = (heard["a completed"], RUN, PENDING, heard["fence"], StillUnknown("?"))
    decision = last(line(), *before, cancel=True)
    (again,) = decision.commands
    assert isinstance(again, ArmTimer)
    assert again.stimulus == ProbeDue(1)
    assert decision.records == ()
    assert last(line(), *before, ProbeDue(1), cancel=True).commands == (RunCancel(),)
    assert isinstance(decision.entry.state, Executing)
    assert decision.entry.state.phase is ExecutionPhase.PENDING


def test_a_step_that_suspends_behind_the_fence_is_cancelled(last: Last, line: Line, heard: Heard) -> None:
    decision = last(line(), heard["a completed"], RUN, heard["fence"], PENDING, cancel=True)
    assert decision.commands == (ArmTimer(5_000, PendingExpired(1)), RunCancel())


def test_a_retry_that_waits_without_doubt_is_given_up_at_the_fence(last: Last, line: Line, heard: Heard) -> None:
    decision = last(line(), heard["a completed"], RUN, RETRYABLE, heard["fence"])
    assert isinstance(decision.entry.state, Failed)
    assert [type(event) for event in told(decision)] == [StepFailed]
    stale = last(line(), heard["a completed"], RUN, RETRYABLE, heard["fence"], RetryDue(1))
    assert (stale.records, stale.commands) == ((), ())


def test_a_retryable_error_behind_the_fence_is_not_retried(last: Last, line: Line, heard: Heard) -> None:
    assert isinstance(last(line(), heard["a completed"], RUN, heard["fence"], RETRYABLE).entry.state, Failed)


def test_a_retry_in_doubt_is_probed_at_the_fence(last: Last, line: Line, heard: Heard) -> None:
    decision = last(line(), heard["a completed"], RUN, UNEXPECTED, heard["fence"], probe=True)
    assert decision.commands == (RunProbe(),)


def test_a_retry_in_doubt_runs_again_under_its_key_to_learn_the_undo_data(last: Last, line: Line, heard: Heard) -> None:
    before = (heard["a completed"], RUN, UNEXPECTED, heard["fence"])
    assert last(line(), *before).commands == ()
    assert last(line(), *before, RetryDue(1)).commands[-1] == RunStep()
    undone = last(line(), *before, RetryDue(1), heard["c never ran"], DONE)
    assert undone.commands[-1] == RunCompensation()


def test_a_retry_in_doubt_is_quarantined_at_the_fence_if_the_step_says_so(last: Last, line: Line, heard: Heard) -> None:
    origin = line(in_doubt=InDoubt.QUARANTINE)
    decision = last(origin, heard["a completed"], RUN, UNEXPECTED, heard["fence"])
    assert isinstance(decision.entry.state, Quarantined)
    assert ack_of(decision) is AckStatus.QUARANTINED


@pytest.mark.parametrize("answer", ["c never ran", "c failed", "c undone", "c changed nothing"])
def test_a_completed_step_is_undone_once_its_dependents_have_settled(
    answer: str, last: Last, line: Line, heard: Heard
) -> None:
    waiting = last(line(), heard["a completed"], RUN, DONE, heard["fence"])
    assert [type(record.event) for record in waiting.records] == [FenceRecorded]
    assert waiting.commands == ()
    decision = last(line(), heard["a completed"], RUN, DONE, heard["fence"], heard[answer])
    assert [record.event for record in decision.records] == [CompensationExecutionStarted(attempt=1)]
    assert decision.commands[-1] == RunCompensation()


@pytest.mark.parametrize("answer", ["c never ran", "c failed", "c undone", "c changed nothing"])
def test_an_answer_that_overtakes_the_fence_counts(answer: str, last: Last, line: Line, heard: Heard) -> None:
    early = last(line(), heard["a completed"], RUN, DONE, heard[answer])
    assert (early.records, early.commands) == ((), ())
    decision = last(line(), heard["a completed"], RUN, DONE, heard[answer], heard["fence"])
    assert decision.commands[-1] == RunCompensation()


@pytest.mark.parametrize("words", ["c in doubt", "c not undone", "c completed", "c is being undone", "a never ran"])
def test_what_is_no_answer_of_a_dependent_does_not_start_the_undo(
    words: str, last: Last, line: Line, heard: Heard
) -> None:
    decision = last(line(), heard["a completed"], RUN, DONE, heard["fence"], heard[words])
    assert (decision.records, decision.commands) == ((), ())


def test_a_step_without_dependents_is_undone_at_once(last: Last, line: Line, heard: Heard) -> None:
    b_completed = StepCompleted(origin=line(), at_millis=4, step_name="b", sequence=3, output=b"x")
    decision = last(line(), b_completed, RUN, DONE, heard["fence"], step="c")
    assert decision.commands[-1] == RunCompensation()


def test_a_pure_step_has_nothing_to_undo_and_answers_at_once(last: Last, line: Line, heard: Heard) -> None:
    decision = last(line(pure=True), heard["a completed"], RUN, DONE, heard["fence"])
    assert ack_of(decision) is AckStatus.NOTHING_TO_UNDO
    late = last(line(pure=True), heard["a completed"], RUN, heard["fence"], DONE)
    assert ack_of(late) is AckStatus.NOTHING_TO_UNDO
    assert len(told(late)) == 1


@pytest.mark.parametrize("answer", ["c never ran", "c failed", "c undone", "c changed nothing"])
def test_a_pure_step_answers_once_whoever_settles_after_it(answer: str, last: Last, line: Line, heard: Heard) -> None:
    for stimuli in ((heard["fence"], heard[answer]), (heard[answer], heard["fence"], heard[answer])):
        assert last(line(pure=True), heard["a completed"], RUN, DONE, *stimuli).commands == ()


def test_a_pure_step_leaves_telling_again_after_a_restart_to_the_shell(last: Last, line: Line, heard: Heard) -> None:
    assert last(line(pure=True), heard["a completed"], RUN, DONE, heard["fence"], Recovered()).commands == ()


def test_a_finished_undo_says_so(last: Last, line: Line, heard: Heard) -> None:
    decision = last(line(), *undoing(heard), UNDONE)
    assert isinstance(decision.entry.state, Compensated)
    assert [type(event) for event in told(decision)] == [CompensationCompleted]


def test_a_failed_undo_is_retried_by_timer_with_one_key(last: Last, line: Line, heard: Heard) -> None:
    raised = last(line(), *undoing(heard), TRY_AGAIN)
    assert raised.commands == (ArmTimer(1_060 + 100, CompensationRetryDue(1)),)
    again = last(line(), *undoing(heard), TRY_AGAIN, CompensationRetryDue(1))
    assert again.commands[-1] == RunCompensation()
    state, entry = again.entry.state, again.entry
    assert isinstance(state, Compensating)
    assert (state.attempt, state.undo) == (2, b"undo")
    keys = {context_for(entry.origin, entry.step_name, attempt, "undo").idempotency_key for attempt in (1, 2)}
    assert len(keys) == 1


def test_an_exhausted_undo_is_quarantined_with_its_evidence(last: Last, line: Line, heard: Heard) -> None:
    attempts = (TRY_AGAIN, CompensationRetryDue(1), TRY_AGAIN, CompensationRetryDue(2), TRY_AGAIN)
    decision = last(line(), *undoing(heard), *attempts)
    state = decision.entry.state
    assert isinstance(state, Quarantined)
    assert (state.output, state.undo, state.input) == (b"out", b"undo", (("a", b"from a"),))
    assert (state.attempts, state.error) == (3, "busy")
    assert [type(event) for event in told(decision)] == [CompensationFailed]
    assert isinstance(decision.commands[-1], NotifyQuarantined)


def test_an_undo_that_is_hopeless_is_quarantined_at_once(last: Last, line: Line, heard: Heard) -> None:
    decision = last(line(), *undoing(heard), HOPELESS)
    assert isinstance(decision.entry.state, Quarantined)
    assert [type(event) for event in told(decision)] == [CompensationFailed]


UNDO_ROWS: dict[str, tuple[Stimulus, ...]] = {
    "started": (),
    "undone": (UNDONE,),
    "waiting": (TRY_AGAIN,),
    "retried": (TRY_AGAIN, CompensationRetryDue(1)),
    "quarantined": (HOPELESS,),
}


@pytest.mark.parametrize("row", UNDO_ROWS)
def test_the_same_again_changes_nothing(row: str, last: Last, line: Line, heard: Heard) -> None:
    stimuli = (*undoing(heard), *UNDO_ROWS[row])
    once = last(line(), *stimuli)
    repeatable = [*undoing(heard), *(again for again in UNDO_ROWS[row] if again != TRY_AGAIN)]
    if row == "retried":
        repeatable.remove(DONE)
    for stimulus in repeatable:
        again = last(line(), *stimuli, stimulus)
        assert (again.entry, again.told, again.records, again.commands) == (once.entry, once.told, (), ())


@pytest.mark.parametrize("stale", [CompensationRetryDue(1), CompensationRetryDue(2), UNDONE, HOPELESS], ids=repr)
def test_a_stray_word_about_an_undo_is_ignored_before_and_after_it(
    stale: Stimulus, last: Last, line: Line, heard: Heard
) -> None:
    for before in ((), (heard["a completed"], RUN), (heard["a completed"], RUN, DONE), (*undoing(heard), UNDONE)):
        decision = last(line(), *before, stale)
        assert (decision.records, decision.commands) == ((), ())


def test_the_failed_saga_ends_every_settled_step(last: Last, line: Line, heard: Heard) -> None:
    settled: list[tuple[Stimulus, ...]] = [
        (heard["fence"],),
        (heard["a completed"], heard["fence"]),
        (heard["a completed"], RUN, NO_EFFECT),
        (*undoing(heard), UNDONE),
    ]
    for stimuli in settled:
        assert [type(command) for command in last(line(), *stimuli, heard["saga failed"]).commands] == [Forget]


def test_an_outcome_that_contradicts_the_step_is_an_anomaly_and_ends_nothing(
    last: Last, line: Line, heard: Heard
) -> None:
    contradictions: list[tuple[tuple[Stimulus, ...], str]] = [
        ((heard["a completed"],), "saga failed"),
        ((heard["a completed"], RUN), "saga failed"),
        ((heard["a completed"], RUN), "saga completed"),
        ((heard["a completed"], RUN, DONE), "saga failed"),
        ((heard["a completed"], RUN, DONE, heard["fence"]), "saga completed"),
        ((*undoing(heard), HOPELESS), "saga failed"),
        ((heard["fence"],), "saga completed"),
    ]
    for stimuli, outcome in contradictions:
        decision = last(line(), *stimuli, heard[outcome])
        assert [type(command) for command in decision.commands] == [Anomaly]
        assert decision.records == ()


def undoing(heard: Heard) -> tuple[Stimulus, ...]:
    """Five stimuli after which the step is being undone."""
    return heard["a completed"], RUN, DONE, heard["fence"], heard["c never ran"]
