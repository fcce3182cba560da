"""Started, outcome unknown: probed, run again under the same key, or parked; and what a restart goes on with."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import pytest

from saga_choreography.events import (
    AckStatus,
    AttemptFailure,
    SagaChoreographyEvent,
    StepAck,
    StepAttemptFailed,
    StepFailed,
)
from saga_choreography.protocol.commands import (
    ArmTimer,
    AwaitRun,
    Decision,
    NotifyQuarantined,
    Publish,
    ResumePending,
    RunCancel,
    RunCompensation,
    RunProbe,
    RunStep,
)
from saga_choreography.protocol.stimuli import (
    CompensationRaised,
    CompensationRetryDue,
    NotExecuted,
    PendingExpired,
    ProbeDue,
    ProbeRaised,
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
from saga_choreography.state import Compensating, Completed, Executing, ExecutionPhase, Failed, Quarantined
from saga_choreography.types import InDoubt, RetryPolicy, SagaOrigin

Heard: TypeAlias = Mapping[str, SagaChoreographyEvent]
Last: TypeAlias = Callable[..., Decision]
Line: TypeAlias = Callable[..., SagaOrigin]

RUN = RunGranted()
DONE = StepReturned(b"out", b"undo")
AMBIGUOUS = StepRaised(Raised.AMBIGUOUS, "timeout")
UNEXPECTED = StepRaised(Raised.UNEXPECTED, "bug")
RETRYABLE = StepRaised(Raised.RETRYABLE, "busy")
PENDING = StepDeferred(5_000)
RESTART = Recovered()


def told(decision: Decision) -> list[SagaChoreographyEvent]:
    return [command.event for command in decision.commands if isinstance(command, Publish)]


def phase_of(decision: Decision) -> ExecutionPhase:
    state = decision.entry.state
    assert isinstance(state, Executing)
    return state.phase


def is_parked(decision: Decision) -> bool:
    acks = [event.status for event in told(decision) if isinstance(event, StepAck)]
    assert isinstance(decision.commands[-1], NotifyQuarantined)
    return isinstance(decision.entry.state, Quarantined) and acks == [AckStatus.QUARANTINED]


DOUBTS: dict[str, tuple[Stimulus, ...]] = {
    "ambiguous": (RUN, AMBIGUOUS),
    "expired": (RUN, PENDING, PendingExpired(1)),
    "crashed": (RUN, RESTART),
    "exhausted": (RUN, UNEXPECTED, RetryDue(1), UNEXPECTED, RetryDue(2), UNEXPECTED),
}


@pytest.mark.parametrize("doubt", DOUBTS)
def test_a_step_in_doubt_is_probed_if_it_can_be(doubt: str, last: Last, line: Line, heard: Heard) -> None:
    decision = last(line(), heard["a completed"], *DOUBTS[doubt], probe=True)
    assert decision.commands == (RunProbe(),)
    assert phase_of(decision) is ExecutionPhase.IN_DOUBT
    (record,) = decision.records
    assert isinstance(record.event, StepAttemptFailed)
    assert record.event.retry_at_millis is None
    assert record.event.doubtful


@pytest.mark.parametrize("doubt", ["ambiguous", "expired", "exhausted"])
def test_without_a_probe_a_step_in_doubt_runs_again_by_timer(doubt: str, last: Last, line: Line, heard: Heard) -> None:
    decision = last(line(), heard["a completed"], *DOUBTS[doubt])
    (timer,) = decision.commands
    assert isinstance(timer, ArmTimer)
    assert isinstance(timer.stimulus, RetryDue)
    assert last(line(), heard["a completed"], *DOUBTS[doubt], timer.stimulus).commands[-1] == RunStep()


def test_without_a_probe_a_crashed_step_runs_again_at_once_as_doubtful(last: Last, line: Line, heard: Heard) -> None:
    decision = last(line(), heard["a completed"], RUN, RESTART)
    assert decision.commands[-1] == RunStep()
    state = decision.entry.state
    assert isinstance(state, Executing)
    assert (state.attempt, state.doubtful) == (2, True)


@pytest.mark.parametrize("doubt", DOUBTS)
def test_a_step_that_wants_quarantine_is_parked_instead_of_run_again(
    doubt: str, last: Last, line: Line, heard: Heard
) -> None:
    assert is_parked(last(line(in_doubt=InDoubt.QUARANTINE), heard["a completed"], *DOUBTS[doubt]))


def test_a_step_that_crashes_the_program_every_time_is_parked_in_the_end(last: Last, line: Line, heard: Heard) -> None:
    origin = line(in_doubt_attempts=4)
    assert last(origin, heard["a completed"], RUN, *[RESTART] * 3).commands[-1] == RunStep()
    assert is_parked(last(origin, heard["a completed"], RUN, *[RESTART] * 4))


def test_the_bound_of_doubt_is_never_below_the_retry_policy(last: Last, line: Line, heard: Heard) -> None:
    origin = line(in_doubt_attempts=1, retry=RetryPolicy(max_attempts=3))
    assert last(origin, heard["a completed"], RUN, RESTART, RESTART).commands[-1] == RunStep()
    assert is_parked(last(origin, heard["a completed"], RUN, RESTART, RESTART, RESTART))


class TestProbing:
    """What a probe may find out."""

    def test_an_output_completes_the_step(self, last: Last, line: Line, heard: Heard) -> None:
        decision = last(line(), heard["a completed"], RUN, AMBIGUOUS, DONE, probe=True)
        assert isinstance(decision.entry.state, Completed)

    def test_an_output_behind_the_fence_is_undone(self, last: Last, line: Line, heard: Heard) -> None:
        stimuli = (heard["a completed"], RUN, AMBIGUOUS, heard["fence"], heard["c never ran"], DONE)
        assert last(line(), *stimuli, probe=True).commands[-1] == RunCompensation()

    def test_no_effect_runs_the_step_again_without_doubt(self, last: Last, line: Line, heard: Heard) -> None:
        decision = last(line(), heard["a completed"], RUN, AMBIGUOUS, NotExecuted(), probe=True)
        assert decision.commands[-1] == RunStep()
        state = decision.entry.state
        assert isinstance(state, Executing)
        assert (state.attempt, state.doubtful) == (2, False)

    def test_no_effect_behind_the_fence_is_a_failure_without_effect(self, last: Last, line: Line, heard: Heard) -> None:
        decision = last(line(), heard["a completed"], RUN, AMBIGUOUS, heard["fence"], NotExecuted(), probe=True)
        assert [type(event) for event in told(decision)] == [StepFailed]
        assert RunStep() not in decision.commands

    def test_no_effect_again_and_again_fails_in_the_end(self, last: Last, line: Line, heard: Heard) -> None:
        rounds = [AMBIGUOUS, NotExecuted()] * 5
        decision = last(line(), heard["a completed"], RUN, *rounds, probe=True)
        assert isinstance(decision.entry.state, Failed)

    def test_still_running_makes_it_pending(self, last: Last, line: Line, heard: Heard) -> None:
        decision = last(line(), heard["a completed"], RUN, AMBIGUOUS, PENDING, probe=True)
        assert phase_of(decision) is ExecutionPhase.PENDING

    def test_unknown_runs_it_again_under_the_same_key(self, last: Last, line: Line, heard: Heard) -> None:
        decision = last(line(), heard["a completed"], RUN, AMBIGUOUS, StillUnknown("?"), probe=True)
        assert phase_of(decision) is ExecutionPhase.RETRYING
        again = last(line(), heard["a completed"], RUN, AMBIGUOUS, StillUnknown("?"), RetryDue(1), probe=True)
        assert again.commands[-1] == RunStep()

    def test_unknown_parks_it_if_the_step_wants_that(self, last: Last, line: Line, heard: Heard) -> None:
        origin = line(in_doubt=InDoubt.QUARANTINE)
        assert is_parked(last(origin, heard["a completed"], RUN, AMBIGUOUS, StillUnknown("?"), probe=True))

    def test_a_probe_that_raises_is_repeated_and_then_counts_as_unknown(
        self, last: Last, line: Line, heard: Heard
    ) -> None:
        doubt = (heard["a completed"], RUN, AMBIGUOUS)
        first = last(line(), *doubt, ProbeRaised("x"), probe=True)
        assert first.records == ()
        assert first.commands == (ArmTimer(1_140, ProbeDue(1)),)
        assert last(line(), *doubt, ProbeRaised("x"), ProbeDue(1), probe=True).commands == (RunProbe(),)
        third = last(line(), *doubt, *[ProbeRaised("x")] * 3, probe=True)
        assert phase_of(third) is ExecutionPhase.RETRYING

    @pytest.mark.parametrize(
        "stray", [NotExecuted(), StillUnknown("?"), ProbeRaised("x"), ProbeDue(1)], ids=lambda s: type(s).__name__
    )
    def test_an_answer_nobody_waits_for_is_ignored(self, stray: Stimulus, last: Last, line: Line, heard: Heard) -> None:
        for before in ((), (RUN,), (RUN, RETRYABLE), (RUN, DONE), (RUN, StepRaised(Raised.NO_EFFECT, "no"))):
            decision = last(line(), heard["a completed"], *before, stray, probe=True)
            assert (decision.records, decision.commands) == ((), ())

    def test_a_stale_probe_timer_is_ignored(self, last: Last, line: Line, heard: Heard) -> None:
        decision = last(line(), heard["a completed"], RUN, AMBIGUOUS, ProbeDue(2), probe=True)
        assert decision.commands == ()


class TestFenceInDoubt:
    """A fence while nobody knows whether the effect exists."""

    def test_the_probe_under_way_settles_it(self, last: Last, line: Line, heard: Heard) -> None:
        decision = last(line(), heard["a completed"], RUN, AMBIGUOUS, heard["fence"], probe=True)
        assert decision.commands == ()

    def test_an_ambiguous_end_behind_the_fence_is_settled_first(self, last: Last, line: Line, heard: Heard) -> None:
        stimuli = (heard["a completed"], RUN, heard["fence"], AMBIGUOUS)
        assert last(line(), *stimuli, probe=True).commands == (RunProbe(),)
        (timer,) = last(line(), *stimuli).commands
        assert isinstance(timer, ArmTimer)
        assert is_parked(last(line(in_doubt=InDoubt.QUARANTINE), *stimuli))

    def test_an_unexpected_end_behind_the_fence_is_probed_rather_than_retried(
        self, last: Last, line: Line, heard: Heard
    ) -> None:
        stimuli = (heard["a completed"], RUN, heard["fence"], UNEXPECTED)
        assert last(line(), *stimuli, probe=True).commands == (RunProbe(),)

    def test_a_crash_behind_the_fence_runs_again_to_learn_the_undo_data(
        self, last: Last, line: Line, heard: Heard
    ) -> None:
        assert last(line(), heard["a completed"], RUN, heard["fence"], RESTART).commands[-1] == RunStep()

    def test_a_crash_of_a_pure_step_behind_the_fence_just_fails(self, last: Last, line: Line, heard: Heard) -> None:
        decision = last(line(pure=True), heard["a completed"], RUN, heard["fence"], RESTART)
        assert [type(event) for event in told(decision)] == [StepFailed]


class TestRecovery:
    """A restart goes on where the journal ends."""

    def test_a_triggered_step_asks_to_run_unless_fenced(self, last: Last, line: Line, heard: Heard) -> None:
        assert last(line(), heard["a completed"], RESTART).commands == (AwaitRun(),)
        assert last(line(), heard["a completed"], heard["fence"], RESTART).commands == ()

    def test_a_waiting_retry_is_armed_again_for_the_same_instant(self, last: Last, line: Line, heard: Heard) -> None:
        before = last(line(), heard["a completed"], RUN, RETRYABLE)
        after = last(line(), heard["a completed"], RUN, RETRYABLE, RESTART)
        assert after.commands == before.commands
        assert after.records == ()

    def test_a_pending_step_is_resumed_with_its_timeout(self, last: Last, line: Line, heard: Heard) -> None:
        decision = last(line(), heard["a completed"], RUN, PENDING, RESTART)
        assert decision.commands == (ArmTimer(5_000, PendingExpired(1)), ResumePending())
        assert last(line(), heard["a completed"], RUN, StepDeferred(None), RESTART).commands == (ResumePending(),)

    def test_a_pending_step_behind_the_fence_is_cancelled_again(self, last: Last, line: Line, heard: Heard) -> None:
        stimuli = (heard["a completed"], RUN, PENDING, heard["fence"], RESTART)
        assert last(line(), *stimuli, cancel=True).commands[-1] == RunCancel()
        assert last(line(), *stimuli).commands[-1] == ResumePending()

    def test_a_doubt_is_probed_again(self, last: Last, line: Line, heard: Heard) -> None:
        decision = last(line(), heard["a completed"], RUN, AMBIGUOUS, RESTART, probe=True)
        assert (decision.records, decision.commands) == ((), (RunProbe(),))

    def test_a_completed_step_waits_for_its_dependents_to_tell_again(
        self, last: Last, line: Line, heard: Heard
    ) -> None:
        done = (heard["a completed"], RUN, DONE)
        assert last(line(), *done, RESTART).commands == ()
        assert last(line(), *done, heard["fence"], RESTART).commands == ()
        assert last(line(), *done, heard["fence"], RESTART, heard["c undone"]).commands[-1] == RunCompensation()

    def test_an_undo_cut_off_is_tried_again_with_the_next_attempt(self, last: Last, line: Line, heard: Heard) -> None:
        undoing = (heard["a completed"], RUN, DONE, heard["fence"], heard["c undone"])
        decision = last(line(), *undoing, RESTART)
        assert decision.commands[-1] == RunCompensation()
        state = decision.entry.state
        assert isinstance(state, Compensating)
        assert state.attempt == 2

    def test_an_undo_that_crashes_the_program_every_time_is_parked(self, last: Last, line: Line, heard: Heard) -> None:
        undoing = (heard["a completed"], RUN, DONE, heard["fence"], heard["c undone"])
        decision = last(line(), *undoing, *[RESTART] * 5)
        assert isinstance(decision.entry.state, Quarantined)
        assert decision.entry.state.undo == b"undo"

    def test_a_waiting_undo_is_armed_again_for_the_same_instant(self, last: Last, line: Line, heard: Heard) -> None:
        undoing = (heard["a completed"], RUN, DONE, heard["fence"], heard["c undone"], CompensationRaised(True, "x"))
        decision = last(line(), *undoing, RESTART)
        assert decision.commands == (ArmTimer(1_160, CompensationRetryDue(1)),)

    @pytest.mark.parametrize("quiet", [(), (RUN, StepRaised(Raised.NO_EFFECT, "no"))], ids=["idle", "failed"])
    def test_a_step_at_rest_stays_at_rest(
        self, quiet: tuple[Stimulus, ...], last: Last, line: Line, heard: Heard
    ) -> None:
        stimuli = (heard["a completed"], *quiet) if quiet else (heard["fence"],)
        decision = last(line(), *stimuli, RESTART)
        assert (decision.records, decision.commands) == ((), ())

    def test_a_second_restart_right_after_the_first_adds_nothing_to_what_waits(
        self, last: Last, line: Line, heard: Heard
    ) -> None:
        for before in ((RUN, RETRYABLE), (RUN, PENDING), (RUN, DONE), ()):
            once = last(line(), heard["a completed"], *before, RESTART)
            twice = last(line(), heard["a completed"], *before, RESTART, RESTART)
            assert twice == once


def test_a_crash_is_recorded_as_such(last: Last, line: Line, heard: Heard) -> None:
    (record,) = last(line(), heard["a completed"], RUN, RESTART, probe=True).records
    assert isinstance(record.event, StepAttemptFailed)
    assert record.event.failure is AttemptFailure.CRASHED
    assert record.event.error == "the program ended during attempt 1"
