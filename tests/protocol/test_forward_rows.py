"""The participant table before a fence: triggered, run, completed, suspended, retried, failed."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import pytest

from saga_choreography.events import (
    AttemptFailure,
    SagaChoreographyEvent,
    StepAttemptFailed,
    StepCompleted,
    StepExecutionStarted,
    StepFailed,
    StepStarted,
    StepTriggered,
)
from saga_choreography.protocol.commands import ArmTimer, AwaitRun, Decision, Forget, Publish, RunStep
from saga_choreography.protocol.stimuli import (
    PendingExpired,
    Raised,
    RetryDue,
    RunGranted,
    StepDeferred,
    StepRaised,
    StepReturned,
)
from saga_choreography.state import Completed, Executing, ExecutionPhase, Failed, Idle, Triggered
from saga_choreography.types import After, AllOf, AnyOf, OnSagaStart, SagaOrigin, StepPlan, context_for

Heard: TypeAlias = Mapping[str, SagaChoreographyEvent]
Last: TypeAlias = Callable[..., Decision]
Line: TypeAlias = Callable[..., SagaOrigin]

RUN = RunGranted()
DONE = StepReturned(b"out", b"undo")
NO_EFFECT = StepRaised(Raised.NO_EFFECT, "no")
RETRYABLE = StepRaised(Raised.RETRYABLE, "busy")
UNEXPECTED = StepRaised(Raised.UNEXPECTED, "bug")
PENDING = StepDeferred(5_000)


def told(decision: Decision) -> list[SagaChoreographyEvent]:
    return [command.event for command in decision.commands if isinstance(command, Publish)]


def test_a_satisfied_dependency_triggers_the_step(last: Last, line: Line, heard: Heard) -> None:
    decision = last(line(), heard["a completed"])
    assert decision.entry.state == Triggered(triggered_at_millis=1_010, input=(("a", b"from a"),))
    assert [type(record.event) for record in decision.records] == [StepTriggered]
    assert decision.commands == (AwaitRun(),)


def test_a_root_is_triggered_by_the_start_of_the_saga_with_its_payload(last: Last, line: Line, heard: Heard) -> None:
    decision = last(line(), heard["saga started"], step="a")
    assert decision.entry.state == Triggered(triggered_at_millis=1_010, input=(("@start", b"payload"),))


def test_the_start_of_the_saga_does_not_trigger_a_step_that_waits_for_another(
    last: Last, line: Line, heard: Heard
) -> None:
    assert last(line(), heard["saga started"]).records == ()


def test_a_triggered_step_commits_its_attempt_and_runs(last: Last, line: Line, heard: Heard) -> None:
    decision = last(line(), heard["a completed"], RUN)
    assert [record.event for record in decision.records] == [StepExecutionStarted(attempt=1)]
    (started,) = told(decision)
    assert isinstance(started, StepStarted)
    assert decision.commands[-1] == RunStep()


def test_a_step_that_returned_is_completed_and_says_so(last: Last, line: Line, heard: Heard) -> None:
    decision = last(line(), heard["a completed"], RUN, DONE)
    state = decision.entry.state
    assert isinstance(state, Completed)
    assert (state.output, state.undo, state.input) == (b"out", b"undo", (("a", b"from a"),))
    (completed,) = told(decision)
    assert isinstance(completed, StepCompleted)
    assert (completed.output, completed.late, completed.sequence) == (b"out", False, 3)


def test_a_suspended_step_stays_and_is_finished_by_a_later_result(last: Last, line: Line, heard: Heard) -> None:
    suspended = last(line(), heard["a completed"], RUN, PENDING)
    assert isinstance(suspended.entry.state, Executing)
    assert suspended.entry.state.phase is ExecutionPhase.PENDING
    assert suspended.commands == (ArmTimer(5_000, PendingExpired(1)),)
    assert isinstance(last(line(), heard["a completed"], RUN, PENDING, DONE).entry.state, Completed)
    assert isinstance(last(line(), heard["a completed"], RUN, PENDING, NO_EFFECT).entry.state, Failed)


def test_a_suspended_step_without_a_limit_arms_no_timer(last: Last, line: Line, heard: Heard) -> None:
    assert last(line(), heard["a completed"], RUN, StepDeferred(None)).commands == ()


def test_a_retryable_error_is_retried_by_timer(last: Last, line: Line, heard: Heard) -> None:
    decision = last(line(), heard["a completed"], RUN, RETRYABLE)
    (record,) = decision.records
    assert record.event == StepAttemptFailed(
        failure=AttemptFailure.RETRYABLE, error="busy", doubtful=False, retry_at_millis=1_130
    )
    assert decision.commands == (ArmTimer(1_130, RetryDue(1)),)
    again = last(line(), heard["a completed"], RUN, RETRYABLE, RetryDue(1))
    assert [entry.event for entry in again.records] == [StepExecutionStarted(attempt=2)]
    assert again.commands[-1] == RunStep()


def test_the_second_delay_is_longer_than_the_first(last: Last, line: Line, heard: Heard) -> None:
    decision = last(line(), heard["a completed"], RUN, RETRYABLE, RetryDue(1), RETRYABLE)
    assert decision.commands == (ArmTimer(1_050 + 200, RetryDue(2)),)


def test_exhausted_retryable_errors_mean_failed_without_effect(last: Last, line: Line, heard: Heard) -> None:
    attempts = (RUN, RETRYABLE, RetryDue(1), RETRYABLE, RetryDue(2), RETRYABLE)
    decision = last(line(), heard["a completed"], *attempts)
    assert isinstance(decision.entry.state, Failed)
    (failed,) = told(decision)
    assert isinstance(failed, StepFailed)
    assert failed.reason == "busy"


def test_an_unexpected_exception_is_retried_as_doubtful(last: Last, line: Line, heard: Heard) -> None:
    decision = last(line(), heard["a completed"], RUN, UNEXPECTED)
    state = decision.entry.state
    assert isinstance(state, Executing)
    assert (state.phase, state.doubtful) == (ExecutionPhase.RETRYING, True)


def test_an_unexpected_exception_of_a_pure_step_leaves_no_doubt(last: Last, line: Line, heard: Heard) -> None:
    failing = (RUN, UNEXPECTED, RetryDue(1), UNEXPECTED, RetryDue(2), UNEXPECTED)
    assert isinstance(last(line(pure=True), heard["a completed"], *failing).entry.state, Failed)


def test_doubt_about_one_attempt_outlives_a_retryable_error_of_the_next(last: Last, line: Line, heard: Heard) -> None:
    decision = last(line(), heard["a completed"], RUN, UNEXPECTED, RetryDue(1), RETRYABLE)
    state = decision.entry.state
    assert isinstance(state, Executing)
    assert state.doubtful


def test_a_terminal_error_is_not_retried(last: Last, line: Line, heard: Heard) -> None:
    decision = last(line(), heard["a completed"], RUN, NO_EFFECT)
    assert isinstance(decision.entry.state, Failed)
    (failed,) = told(decision)
    assert isinstance(failed, StepFailed)


def test_all_attempts_carry_one_key(last: Last, line: Line, heard: Heard) -> None:
    first = last(line(), heard["a completed"], RUN).entry
    third = last(line(), heard["a completed"], RUN, UNEXPECTED, RetryDue(1), RETRYABLE, RetryDue(2)).entry
    assert isinstance(third.state, Executing)
    keys = {context_for(e.origin, e.step_name, n, "do").idempotency_key for n, e in ((1, first), (3, third))}
    assert len(keys) == 1
    assert third.state.attempt == 3


def test_the_completed_saga_ends_the_step(last: Last, line: Line, heard: Heard) -> None:
    decision = last(line(), heard["a completed"], RUN, DONE, heard["saga completed"])
    assert [type(command) for command in decision.commands] == [Forget]
    assert isinstance(decision.entry.state, Completed)


@pytest.mark.parametrize("timer", [RetryDue(1), RetryDue(3), PendingExpired(2)], ids=repr)
def test_a_stale_timer_is_ignored(timer: RetryDue | PendingExpired, last: Last, line: Line, heard: Heard) -> None:
    running = (heard["a completed"], RUN, RETRYABLE, RetryDue(1))
    assert last(line(), *running, timer).commands == ()
    assert last(line(), *running, RETRYABLE, timer).records == ()


ROWS = {
    "triggered": (),
    "run": (RUN,),
    "completed": (RUN, DONE),
    "failed": (RUN, NO_EFFECT),
    "retried": (RUN, RETRYABLE, RetryDue(1)),
    "expired": (RUN, PENDING, PendingExpired(1)),
}


@pytest.mark.parametrize("row", ROWS)
def test_the_same_again_changes_nothing(row: str, last: Last, line: Line, heard: Heard) -> None:
    stimuli = (heard["a completed"], *ROWS[row])
    once = last(line(), *stimuli)
    assert once.records
    for number in range(len(stimuli)):
        again = last(line(), *stimuli, stimuli[number]) if not isinstance(stimuli[number], StepRaised) else None
        if again is not None and stimuli[number] != PENDING:
            assert (again.entry, again.told, again.records, again.commands) == (once.entry, once.told, (), ())


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("words", ["saga started", "a started", "c completed", "saga parked", "c is being undone"])
def test_what_does_not_concern_the_step_changes_nothing(
    row: str, words: str, last: Last, line: Line, heard: Heard
) -> None:
    stimuli = (heard["a completed"], *ROWS[row])
    decision = last(line(), *stimuli, heard[words])
    before = last(line(), *stimuli)
    assert (decision.entry, decision.told, decision.records, decision.commands) == (before.entry, before.told, (), ())


def test_results_of_business_code_that_nobody_called_are_ignored(last: Last, line: Line, heard: Heard) -> None:
    for stray in (RUN, DONE, NO_EFFECT, PENDING, RetryDue(1), PendingExpired(1)):
        decision = last(line(), stray)
        assert isinstance(decision.entry.state, Idle)
        assert (decision.records, decision.commands) == ((), ())


def test_a_late_completion_triggers_nobody(last: Last, line: Line, heard: Heard) -> None:
    decision = last(line(), heard["a completed late"])
    assert (decision.records, decision.commands) == ((), ())


def test_a_step_its_plan_does_not_name_decides_nothing(last: Last, line: Line, heard: Heard) -> None:
    for event in heard.values():
        decision = last(line(), event, step="z")
        assert (decision.records, decision.commands) == ((), ())


class TestJoins:
    """A step `j` that waits for several sources."""

    def test_all_of_waits_for_every_source_in_any_order(
        self, last: Last, build: Callable[..., SagaOrigin], heard: Heard
    ) -> None:
        origin = self.diamond(build, AllOf((After("a"), After("c"))))
        assert last(origin, heard["a completed"], step="j").records == ()
        for order in (("a completed", "c completed"), ("c completed", "a completed")):
            decision = last(origin, *(heard[words] for words in order), step="j")
            assert decision.entry.state == Triggered(
                triggered_at_millis=1_020, input=(("a", b"from a"), ("c", b"from c"))
            )
            assert decision.told.arrived == {}

    def test_a_source_told_twice_counts_once(self, last: Last, build: Callable[..., SagaOrigin], heard: Heard) -> None:
        origin = self.diamond(build, AllOf((After("a"), After("c"))))
        decision = last(origin, heard["a completed"], heard["a completed"], step="j")
        assert isinstance(decision.entry.state, Idle)
        assert decision.records == ()

    def test_any_of_fires_on_the_first_and_ignores_the_second(
        self, last: Last, build: Callable[..., SagaOrigin], heard: Heard
    ) -> None:
        origin = self.diamond(build, AnyOf((After("a"), After("c"))))
        first = last(origin, heard["c completed"], step="j")
        assert first.entry.state == Triggered(triggered_at_millis=1_010, input=(("c", b"from c"),))
        second = last(origin, heard["c completed"], RUN, heard["a completed"], step="j")
        assert (second.records, second.commands) == ((), ())

    def test_a_join_may_mix_the_payload_of_the_saga_with_outputs(
        self, last: Last, build: Callable[..., SagaOrigin], heard: Heard
    ) -> None:
        origin = self.diamond(build, AllOf((OnSagaStart(), AnyOf((After("a"), After("c"))))))
        decision = last(origin, heard["c completed"], heard["saga started"], step="j")
        assert decision.entry.state == Triggered(
            triggered_at_millis=1_020, input=(("@start", b"payload"), ("c", b"from c"))
        )

    def test_all_of_with_a_branch_that_never_comes_is_answered_at_the_fence(
        self, last: Last, build: Callable[..., SagaOrigin], heard: Heard
    ) -> None:
        origin = self.diamond(build, AllOf((After("a"), After("c"))))
        decision = last(origin, heard["a completed"], heard["c failed"], heard["fence"], heard["c completed"], step="j")
        assert isinstance(decision.entry.state, Idle)
        assert (decision.records, decision.commands) == ((), ())
        assert decision.told.arrived == {}

    @staticmethod
    def diamond(build: Callable[..., SagaOrigin], join: AllOf | AnyOf) -> SagaOrigin:
        return build(
            StepPlan(step_name="a", after=OnSagaStart()),
            StepPlan(step_name="c", after=OnSagaStart()),
            StepPlan(step_name="j", after=join),
        )
