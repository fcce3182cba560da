"""Every rule by which an initiator finds the one outcome of a saga."""

from collections.abc import Callable
from typing import TypeAlias

import pytest

from saga_choreography.events import (
    AckStatus,
    CompensationCompleted,
    CompensationFailed,
    CompensationRequested,
    CompensationStarted,
    FenceRaised,
    InitiatorEvent,
    OutcomeKind,
    QuarantinedStep,
    SagaAccepted,
    SagaChoreographyEvent,
    SagaCompleted,
    SagaFailed,
    SagaParked,
    SagaQuarantined,
    SagaResolved,
    SagaStarted,
    SagaUnparked,
    StepAck,
    StepCompleted,
    StepEvent,
    StepFailed,
    StepStarted,
    TimestampedEvent,
)
from saga_choreography.protocol.resolver import accept, quarantined_event, resolve, saga_facts
from saga_choreography.protocol.resolver_commands import (
    ArmDeadline,
    CancelRequested,
    DeadlineDue,
    Ended,
    Parked,
    Resolution,
    ResolverRecovered,
    ResolverStimulus,
    Tell,
    TellStep,
    Unparked,
)
from saga_choreography.protocol.resolver_fold import fold_saga
from saga_choreography.types import After, AnyOf, FailureCause, FailureKind, OnSagaStart, SagaOrigin, StepPlan

Build: TypeAlias = Callable[..., SagaOrigin]

OVERALL = DeadlineDue(FailureKind.OVERALL_TIMEOUT)
STALLED = DeadlineDue(FailureKind.STALLED_TIMEOUT)
CANCEL = CancelRequested("enough")
RESTART = ResolverRecovered()


@pytest.fixture(scope="module")
def abc(build: Build) -> SagaOrigin:
    """a -> b -> c, with both timeouts."""
    return build(
        StepPlan(step_name="a", after=OnSagaStart()),
        StepPlan(step_name="b", after=After("a")),
        StepPlan(step_name="c", after=After("b")),
        overall=10_000,
        stalled=1_000,
    )


@pytest.fixture(scope="module")
def fan(build: Build) -> SagaOrigin:
    """Branches a -> c, and b."""
    return build(
        StepPlan(step_name="a", after=OnSagaStart()),
        StepPlan(step_name="b", after=OnSagaStart()),
        StepPlan(step_name="c", after=After("a")),
    )


def completed(origin: SagaOrigin, name: str, sequence: int = 3, *, late: bool = False) -> StepCompleted:
    return StepCompleted(origin=origin, at_millis=1, step_name=name, sequence=sequence, output=b"", late=late)


def failed(origin: SagaOrigin, name: str, sequence: int = 3) -> StepFailed:
    return StepFailed(origin=origin, at_millis=1, step_name=name, sequence=sequence, reason="no money")


def ack(origin: SagaOrigin, name: str, status: AckStatus, sequence: int = 3) -> StepAck:
    return StepAck(origin=origin, at_millis=1, step_name=name, sequence=sequence, status=status, reason="why")


def never_ran(origin: SagaOrigin, name: str) -> StepAck:
    return ack(origin, name, AckStatus.NOT_APPLICABLE)


def in_doubt(origin: SagaOrigin, name: str, sequence: int = 3) -> StepAck:
    return ack(origin, name, AckStatus.QUARANTINED, sequence)


def undone(origin: SagaOrigin, name: str, sequence: int = 6) -> CompensationCompleted:
    return CompensationCompleted(origin=origin, at_millis=1, step_name=name, sequence=sequence)


def not_undone(origin: SagaOrigin, name: str, sequence: int = 6) -> CompensationFailed:
    return CompensationFailed(origin=origin, at_millis=1, step_name=name, sequence=sequence, reason="stuck")


def last(origin: SagaOrigin, *stimuli: ResolverStimulus, gap_millis: int = 10) -> Resolution:
    """What the last stimulus led to; time goes on by `gap_millis` a stimulus."""
    resolution = accept(origin, b"payload", b"digest")
    journal: list[TimestampedEvent[InitiatorEvent]] = list(resolution.records)
    for number, stimulus in enumerate(stimuli, 1):
        resolution = resolve(resolution.memory, stimulus, origin.started_at_millis + number * gap_millis)
        journal += resolution.records
    entry = None
    for number, record in enumerate(journal, 1):
        assert record.sequence == number
        entry = fold_saga(entry, record)
    assert entry == resolution.memory.entry
    return resolution


def told(resolution: Resolution) -> list[SagaChoreographyEvent]:
    return [command.event for command in resolution.commands if isinstance(command, Tell)]


def recorded(resolution: Resolution) -> list[InitiatorEvent]:
    return [record.event for record in resolution.records]


def cause_of(resolution: Resolution) -> FailureCause:
    cause = resolution.memory.entry.fence
    assert cause is not None
    return cause


class TestStart:
    """A saga begins with one record."""

    def test_the_start_is_recorded_told_and_its_deadlines_armed(self, abc: SagaOrigin) -> None:
        resolution = last(abc)
        assert recorded(resolution) == [SagaAccepted(origin=abc, payload=b"payload", digest=b"digest")]
        assert told(resolution) == [SagaStarted(origin=abc, at_millis=1_000, payload=b"payload")]
        assert resolution.commands[1:] == (ArmDeadline(11_000, OVERALL), ArmDeadline(2_000, STALLED))

    def test_without_timeouts_no_deadline_is_armed(self, fan: SagaOrigin) -> None:
        assert [type(command) for command in last(fan).commands] == [Tell]


class TestOutcome:
    """One outcome, when every step has answered."""

    def test_the_last_completion_completes_the_saga(self, abc: SagaOrigin) -> None:
        facts = [completed(abc, name) for name in "abc"]
        for number in range(2):
            assert last(abc, *facts[: number + 1]).records == ()
        resolution = last(abc, *facts)
        assert recorded(resolution) == [SagaResolved(outcome=OutcomeKind.COMPLETED)]
        event = SagaCompleted(origin=abc, at_millis=1_030)
        assert resolution.commands == (Tell(event), Ended(event))

    def test_a_failure_raises_the_fence_with_its_cause(self, abc: SagaOrigin) -> None:
        resolution = last(abc, completed(abc, "a"), failed(abc, "b"))
        cause = FailureCause(kind=FailureKind.STEP_FAILED, reason="no money", steps=("b",))
        assert recorded(resolution) == [FenceRaised(cause=cause)]
        assert told(resolution) == [CompensationRequested(origin=abc, at_millis=1_020, cause=cause)]

    def test_the_saga_has_failed_once_every_step_has_settled(self, abc: SagaOrigin) -> None:
        facts = (completed(abc, "a"), failed(abc, "b"), never_ran(abc, "c"))
        assert last(abc, *facts).records == ()
        resolution = last(abc, *facts, undone(abc, "a"))
        assert recorded(resolution) == [SagaResolved(outcome=OutcomeKind.FAILED)]
        (event,) = told(resolution)
        assert isinstance(event, SagaFailed)
        assert event.cause == FailureCause(kind=FailureKind.STEP_FAILED, reason="no money", steps=("b",))
        assert event.reason == "step_failed [b]: no money"

    @pytest.mark.parametrize("status", [AckStatus.NOT_APPLICABLE, AckStatus.NOTHING_TO_UNDO])
    def test_never_ran_and_nothing_to_undo_settle_a_step(self, status: AckStatus, abc: SagaOrigin) -> None:
        resolution = last(abc, CANCEL, *(ack(abc, name, status) for name in "abc"))
        assert recorded(resolution) == [SagaResolved(outcome=OutcomeKind.FAILED)]

    def test_a_completion_behind_the_fence_is_not_settled(self, abc: SagaOrigin) -> None:
        resolution = last(abc, CANCEL, never_ran(abc, "c"), never_ran(abc, "b"), completed(abc, "a", late=True))
        assert resolution.memory.entry.outcome is None
        assert resolution.records == ()

    def test_completions_of_all_steps_behind_the_fence_do_not_complete_the_saga(self, abc: SagaOrigin) -> None:
        resolution = last(abc, CANCEL, *(completed(abc, name) for name in "abc"))
        assert resolution.memory.entry.outcome is None

    def test_an_initiator_that_lost_its_fence_takes_the_participants_word(self, abc: SagaOrigin) -> None:
        first = last(abc, never_ran(abc, "b"))
        assert first.memory.entry.fence is not None
        assert cause_of(first).steps == ("b",)
        resolution = last(abc, *(never_ran(abc, name) for name in "abc"))
        assert resolution.memory.entry.outcome is OutcomeKind.FAILED

    def test_the_saga_is_one_saga_with_the_first_cause(self, fan: SagaOrigin) -> None:
        resolution = last(fan, failed(fan, "b"), failed(fan, "a"))
        assert resolution.records == ()
        assert cause_of(resolution).steps == ("b",)

    def test_a_fact_of_an_ended_saga_is_answered_to_its_teller_alone(self, abc: SagaOrigin) -> None:
        facts = [completed(abc, name) for name in "abc"]
        resolution = last(abc, *facts, completed(abc, "b"))
        assert resolution.records == ()
        assert resolution.commands == (TellStep("b", SagaCompleted(origin=abc, at_millis=1_030)),)

    def test_the_terminal_event_is_the_same_every_time(self, abc: SagaOrigin) -> None:
        facts = [completed(abc, name) for name in "abc"]
        (first,) = told(last(abc, *facts))
        again = last(abc, *facts, RESTART, completed(abc, "c"))
        assert again.commands == (TellStep("c", first),)
        assert saga_facts(again.memory) == (first,)

    @pytest.mark.parametrize("stray", [OVERALL, STALLED, CANCEL, RESTART], ids=repr)
    def test_an_ended_saga_ignores_timers_cancels_and_restarts(self, stray: ResolverStimulus, abc: SagaOrigin) -> None:
        facts = [completed(abc, name) for name in "abc"]
        resolution = last(abc, *facts, stray, gap_millis=20_000)
        assert (resolution.records, resolution.commands) == ((), ())

    def test_progress_news_of_an_ended_saga_gets_no_answer(self, abc: SagaOrigin) -> None:
        facts = [completed(abc, name) for name in "abc"]
        news = StepStarted(origin=abc, at_millis=1, step_name="b", sequence=2, attempt=1)
        assert last(abc, *facts, news).commands == ()


class TestFacts:
    """Duplicates, old news and strangers change nothing."""

    def test_the_same_fact_again_changes_nothing(self, abc: SagaOrigin) -> None:
        once = last(abc, completed(abc, "a"))
        again = last(abc, completed(abc, "a"), completed(abc, "a"))
        assert (again.records, again.commands) == ((), ())
        assert again.memory == once.memory

    def test_an_older_fact_does_not_replace_a_newer_one(self, abc: SagaOrigin) -> None:
        settled = (CANCEL, never_ran(abc, "b"), never_ran(abc, "c"))
        assert last(abc, *settled, completed(abc, "a"), undone(abc, "a")).memory.entry.outcome is OutcomeKind.FAILED
        overtaken = last(abc, CANCEL, undone(abc, "a"), completed(abc, "a"), *settled[1:])
        assert overtaken.memory.entry.outcome is OutcomeKind.FAILED

    def test_a_step_the_plan_does_not_name_is_ignored(self, abc: SagaOrigin) -> None:
        for fact in (failed(abc, "z"), completed(abc, "z"), undone(abc, "z"), in_doubt(abc, "z")):
            resolution = last(abc, fact)
            assert (resolution.records, resolution.commands) == ((), ())
            assert resolution.memory.facts == {}

    def test_news_of_attempts_is_no_fact(self, abc: SagaOrigin) -> None:
        news: list[StepEvent] = [
            StepStarted(origin=abc, at_millis=1, step_name="a", sequence=2, attempt=1),
            CompensationStarted(origin=abc, at_millis=1, step_name="a", sequence=2, attempt=1),
        ]
        for event in news:
            assert last(abc, event).memory.facts == {}


class TestDeadlines:
    """Timeouts lead to the fence, and name what the saga waited for."""

    def test_the_overall_timeout_fences_and_names_the_blocking_steps(self, abc: SagaOrigin) -> None:
        cause = cause_of(last(abc, completed(abc, "a"), OVERALL, gap_millis=5_000))
        assert cause == FailureCause(
            kind=FailureKind.OVERALL_TIMEOUT, reason="not finished within 10000 ms", steps=("b",)
        )

    def test_progress_puts_the_stalled_timeout_off(self, abc: SagaOrigin) -> None:
        resolution = last(abc, completed(abc, "a"), STALLED, gap_millis=600)
        assert resolution.records == ()
        assert resolution.commands == (ArmDeadline(1_600 + 1_000, STALLED),)

    def test_silence_raises_the_stalled_timeout(self, abc: SagaOrigin) -> None:
        cause = cause_of(last(abc, STALLED, gap_millis=1_000))
        assert (cause.kind, cause.steps) == (FailureKind.STALLED_TIMEOUT, ("a",))

    def test_a_duplicate_is_no_progress(self, abc: SagaOrigin) -> None:
        resolution = last(abc, completed(abc, "a"), completed(abc, "a"), STALLED, gap_millis=500)
        assert cause_of(resolution).kind is FailureKind.STALLED_TIMEOUT

    def test_parallel_branches_are_all_named(self, fan: SagaOrigin) -> None:
        assert cause_of(last(fan, OVERALL)).steps == ("a", "b")
        assert cause_of(last(fan, completed(fan, "a"), OVERALL)).steps == ("b", "c")

    @pytest.mark.parametrize("late", [OVERALL, STALLED, CANCEL], ids=repr)
    def test_behind_the_fence_no_second_cause_is_recorded(self, late: ResolverStimulus, abc: SagaOrigin) -> None:
        resolution = last(abc, failed(abc, "a"), late, gap_millis=20_000)
        assert (resolution.records, resolution.commands) == ((), ())

    def test_a_cancel_fences_with_its_reason(self, abc: SagaOrigin) -> None:
        assert cause_of(last(abc, CANCEL)) == FailureCause(kind=FailureKind.CANCELLED, reason="enough")

    def test_a_restart_arms_the_same_overall_deadline_and_a_fresh_stalled_one(self, abc: SagaOrigin) -> None:
        resolution = last(abc, completed(abc, "a"), RESTART, gap_millis=700)
        assert resolution.commands == (ArmDeadline(11_000, OVERALL), ArmDeadline(3_400, STALLED))
        assert resolution.records == ()

    def test_a_restart_behind_the_fence_arms_nothing(self, abc: SagaOrigin) -> None:
        assert last(abc, CANCEL, RESTART).commands == ()

    def test_a_clock_that_goes_back_only_puts_the_stall_off(self, abc: SagaOrigin) -> None:
        memory = last(abc, completed(abc, "a"), gap_millis=500).memory
        resolution = resolve(memory, STALLED, 10)
        assert resolution.records == ()
        assert resolution.commands == (ArmDeadline(2_500, STALLED),)


class TestParking:
    """A saga only an operator can move is parked, and goes on by itself after the word."""

    def test_a_step_in_doubt_raises_no_fence(self, fan: SagaOrigin) -> None:
        resolution = last(fan, in_doubt(fan, "a"))
        assert resolution.memory.entry.fence is None
        assert resolution.records == ()

    def test_the_saga_is_parked_once_nothing_else_can_move(self, fan: SagaOrigin) -> None:
        resolution = last(fan, in_doubt(fan, "a"), completed(fan, "b"))
        parked = (QuarantinedStep(step_name="a", reason="why"),)
        assert recorded(resolution) == [SagaParked(steps=parked)]
        event = SagaQuarantined(origin=fan, at_millis=1_020, steps=parked)
        assert resolution.commands == (Tell(event), Parked(event))
        assert quarantined_event(resolution.memory.entry) == event

    def test_it_is_parked_once(self, fan: SagaOrigin) -> None:
        parked = (in_doubt(fan, "a"), completed(fan, "b"))
        for again in (*parked, RESTART, in_doubt(fan, "a", 5)):
            assert last(fan, *parked, again).records == ()

    def test_a_step_resolved_as_completed_unparks_and_the_saga_completes(self, fan: SagaOrigin) -> None:
        parked = (in_doubt(fan, "a"), completed(fan, "b"))
        resolution = last(fan, *parked, completed(fan, "a", 5))
        assert recorded(resolution) == [SagaUnparked()]
        assert resolution.commands == (Unparked(),)
        done = last(fan, *parked, completed(fan, "a", 5), completed(fan, "c"))
        assert done.memory.entry.outcome is OutcomeKind.COMPLETED

    def test_a_step_resolved_as_not_executed_unparks_and_fences(self, fan: SagaOrigin) -> None:
        parked = (in_doubt(fan, "a"), completed(fan, "b"))
        resolution = last(fan, *parked, failed(fan, "a", 5))
        assert [type(event) for event in recorded(resolution)] == [FenceRaised, SagaUnparked]
        ended = last(fan, *parked, failed(fan, "a", 5), never_ran(fan, "c"), undone(fan, "b"))
        assert ended.memory.entry.outcome is OutcomeKind.FAILED

    def test_a_failed_undo_parks_after_every_other_step_has_settled(self, fan: SagaOrigin) -> None:
        facts = (completed(fan, "a"), completed(fan, "b"), failed(fan, "c"), not_undone(fan, "a"))
        assert last(fan, *facts).records == ()
        resolution = last(fan, *facts, undone(fan, "b"))
        assert recorded(resolution) == [SagaParked(steps=(QuarantinedStep(step_name="a", reason="stuck"),))]
        resolved = last(fan, *facts, undone(fan, "b"), undone(fan, "a", 8))
        assert resolved.memory.entry.outcome is OutcomeKind.FAILED

    def test_steps_that_wait_for_the_parked_one_do_not_hold_the_word_back(self, abc: SagaOrigin) -> None:
        facts = (completed(abc, "a"), completed(abc, "b"), CANCEL, not_undone(abc, "c"))
        resolution = last(abc, *facts)
        assert recorded(resolution) == [SagaParked(steps=(QuarantinedStep(step_name="c", reason="stuck"),))]

    def test_a_second_parked_step_is_told_too(self, fan: SagaOrigin) -> None:
        facts = (completed(fan, "a"), completed(fan, "b"), failed(fan, "c"), not_undone(fan, "a"), undone(fan, "b"))
        assert last(fan, *facts).memory.entry.parked
        both = last(fan, in_doubt(fan, "a"), in_doubt(fan, "b"))
        assert [step.step_name for step in both.memory.entry.parked] == ["a", "b"]

    def test_one_of_two_resolved_leaves_the_other_parked(self, fan: SagaOrigin) -> None:
        both = (in_doubt(fan, "a"), in_doubt(fan, "b"))
        resolution = last(fan, *both, completed(fan, "b", 5))
        assert [type(event) for event in recorded(resolution)] == [SagaUnparked, SagaParked]
        assert [step.step_name for step in resolution.memory.entry.parked] == ["a"]

    def test_waiting_for_an_operator_is_no_stall(self, build: Build) -> None:
        origin = build(StepPlan(step_name="a", after=OnSagaStart()), stalled=1_000)
        resolution = last(origin, in_doubt(origin, "a"), STALLED, gap_millis=5_000)
        assert resolution.memory.entry.parked
        assert resolution.commands == (ArmDeadline(12_000, STALLED),)
        assert resolution.records == ()

    def test_the_overall_timeout_is_hard_also_while_parked(self, build: Build) -> None:
        origin = build(StepPlan(step_name="a", after=OnSagaStart()), overall=1_000)
        resolution = last(origin, in_doubt(origin, "a"), OVERALL, gap_millis=5_000)
        assert cause_of(resolution).kind is FailureKind.OVERALL_TIMEOUT
        assert last(origin, in_doubt(origin, "a"), OVERALL, failed(origin, "a", 5)).memory.entry.outcome is (
            OutcomeKind.FAILED
        )

    def test_an_any_of_step_keeps_the_saga_moving_past_a_parked_source(self, build: Build) -> None:
        origin = build(
            StepPlan(step_name="a", after=OnSagaStart()),
            StepPlan(step_name="b", after=OnSagaStart()),
            StepPlan(step_name="j", after=AnyOf((After("a"), After("b")))),
        )
        assert last(origin, in_doubt(origin, "a"), completed(origin, "b")).memory.entry.parked == ()
        assert last(origin, in_doubt(origin, "a"), completed(origin, "b"), completed(origin, "j")).memory.entry.parked

    def test_a_pure_step_answers_the_fence_by_itself_so_the_saga_is_not_parked_before(self, build: Build) -> None:
        origin = build(
            StepPlan(step_name="a", after=OnSagaStart(), pure=True),
            StepPlan(step_name="b", after=After("a")),
        )
        waiting = (completed(origin, "a"), CANCEL, completed(origin, "b", late=True), not_undone(origin, "b"))
        assert last(origin, *waiting).records == ()
        answered = ack(origin, "a", AckStatus.NOTHING_TO_UNDO, 5)
        assert [type(event) for event in recorded(last(origin, *waiting, answered))] == [SagaParked]
