"""Whatever arrives in whatever order: decide never raises, its journal replays, and no fence is ever passed."""

from collections.abc import Callable
from typing import TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st

from saga_choreography.events import (
    AckStatus,
    CompensationCompleted,
    CompensationExecutionCompleted,
    CompensationFailed,
    CompensationRequested,
    CompensationStarted,
    FenceRecorded,
    ParticipantEvent,
    ResolutionKind,
    SagaCompleted,
    SagaEnded,
    SagaFailed,
    SagaQuarantined,
    SagaStarted,
    StepAck,
    StepCompleted,
    StepExecutionCompleted,
    StepExecutionFailed,
    StepExecutionStarted,
    StepFailed,
    StepStarted,
    TimestampedEvent,
)
from saga_choreography.protocol.commands import ArmTimer, Decision, Forget, Publish, RunCompensation, RunStep
from saga_choreography.protocol.fold import fold
from saga_choreography.protocol.memory import NOTHING_TOLD
from saga_choreography.protocol.spec import ParticipantSpec
from saga_choreography.protocol.stimuli import (
    CompensationRaised,
    CompensationRetryDue,
    CompensationReturned,
    NotExecuted,
    OperatorResolved,
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
from saga_choreography.state import Executing, Idle, SagaStateEntry, Triggered
from saga_choreography.state.transitions import new
from saga_choreography.types import (
    After,
    AllOf,
    AnyOf,
    DependencySpec,
    FailureCause,
    FailureKind,
    InDoubt,
    OnSagaStart,
    RetryPolicy,
    SagaOrigin,
    StepPlan,
    context_for,
)

Build: TypeAlias = Callable[..., SagaOrigin]
Turn: TypeAlias = Callable[..., Decision]
Journal: TypeAlias = list[TimestampedEvent[ParticipantEvent]]

NAMES = st.sampled_from(["a", "b", "c", "d", "z"])
ATTEMPTS = st.integers(1, 6)
BYTES = st.binary(max_size=3)
CAUSE = FailureCause(kind=FailureKind.CANCELLED, reason="enough")

INTERNAL: st.SearchStrategy[Stimulus] = st.one_of(
    st.just(Recovered()),
    st.just(RunGranted()),
    st.builds(StepReturned, BYTES, BYTES),
    st.builds(StepDeferred, st.none() | st.integers(0, 5_000)),
    st.builds(StepRaised, st.sampled_from(Raised), st.text(max_size=3)),
    st.just(NotExecuted()),
    st.builds(StillUnknown, st.text(max_size=3)),
    st.builds(ProbeRaised, st.text(max_size=3)),
    st.just(CompensationReturned()),
    st.builds(CompensationRaised, st.booleans(), st.text(max_size=3)),
    st.builds(RetryDue, ATTEMPTS),
    st.builds(ProbeDue, ATTEMPTS),
    st.builds(PendingExpired, ATTEMPTS),
    st.builds(CompensationRetryDue, ATTEMPTS),
    st.builds(
        OperatorResolved,
        resolution=st.sampled_from(ResolutionKind),
        by=st.just("ada"),
        why=st.just("looked"),
        output=st.none() | BYTES,
        undo=st.none() | BYTES,
    ),
)
SPECS = st.builds(ParticipantSpec, step_name=st.just("b"), has_probe=st.booleans(), has_cancel=st.booleans())


@st.composite
def plans(draw: st.DrawFn) -> tuple[StepPlan, ...]:
    """a, c -> b -> d, with any join and any policy for `b`."""
    specs: list[DependencySpec] = [
        After("a"),
        OnSagaStart(),
        AllOf((After("a"), After("c"))),
        AnyOf((After("a"), After("c"), OnSagaStart())),
    ]
    b = StepPlan(
        step_name="b",
        after=draw(st.sampled_from(specs)),
        retry=RetryPolicy(max_attempts=draw(st.integers(1, 4))),
        compensation_retry=RetryPolicy(max_attempts=draw(st.integers(1, 4))),
        in_doubt=draw(st.sampled_from(InDoubt)),
        in_doubt_attempts=draw(st.integers(0, 5)),
        pure=draw(st.booleans()),
    )
    d = StepPlan(step_name="d", after=After("b"), pure=draw(st.booleans()))
    return StepPlan(step_name="a", after=OnSagaStart()), StepPlan(step_name="c", after=OnSagaStart()), b, d


def external(origin: SagaOrigin) -> st.SearchStrategy[Stimulus]:
    at, sequence = st.just(1), st.integers(1, 9)
    kept = st.just(origin)
    return st.one_of(
        st.just(SagaStarted(origin=origin, at_millis=1, payload=b"p")),
        st.builds(StepStarted, origin=kept, at_millis=at, step_name=NAMES, sequence=sequence, attempt=ATTEMPTS),
        st.builds(
            StepCompleted,
            origin=kept,
            at_millis=at,
            step_name=NAMES,
            sequence=sequence,
            output=BYTES,
            late=st.sampled_from([False, False, False, True]),
        ),
        st.builds(StepFailed, origin=kept, at_millis=at, step_name=NAMES, sequence=sequence, reason=st.just("no")),
        st.builds(
            StepAck,
            origin=kept,
            at_millis=at,
            step_name=NAMES,
            sequence=sequence,
            status=st.sampled_from(AckStatus),
        ),
        st.just(CompensationRequested(origin=origin, at_millis=1, cause=CAUSE)),
        st.builds(CompensationStarted, origin=kept, at_millis=at, step_name=NAMES, sequence=sequence, attempt=ATTEMPTS),
        st.builds(CompensationCompleted, origin=kept, at_millis=at, step_name=NAMES, sequence=sequence),
        st.builds(
            CompensationFailed, origin=kept, at_millis=at, step_name=NAMES, sequence=sequence, reason=st.just("")
        ),
        st.just(SagaCompleted(origin=origin, at_millis=1)),
        st.just(SagaFailed(origin=origin, at_millis=1, cause=CAUSE)),
        st.just(SagaQuarantined(origin=origin, at_millis=1, steps=())),
    )


class Watch:
    """Everything that must hold in every history, checked turn by turn."""

    def __init__(self) -> None:
        self.runs: list[SagaStateEntry] = []
        self.undos = 0
        self.never_to_run = False

    def see(self, decision: Decision) -> None:
        entry = decision.entry
        if self.never_to_run:
            assert RunStep() not in decision.commands, "a fenced step was started"
        if entry.fence is not None and isinstance(entry.state, Idle | Triggered):
            self.never_to_run = True
        self.runs += [entry for command in decision.commands if command == RunStep()]
        self.undos += decision.commands.count(RunCompensation())
        assert decision.commands.count(RunStep()) <= 1
        assert decision.commands.count(RunCompensation()) <= 1
        for command in decision.commands:
            if isinstance(command, RunStep):
                assert isinstance(entry.state, Executing)
        if any(isinstance(command, Publish | Forget) for command in decision.commands):
            assert decision.records or isinstance(decision.commands[0], Forget), "a fact without a record"

    def judge(self, origin: SagaOrigin, journal: Journal) -> None:
        forward = {context_for(origin, "b", _attempt(entry), "do").idempotency_key for entry in self.runs}
        assert len(forward) <= 1
        attempts = [_attempt(entry) for entry in self.runs]
        assert attempts == sorted(set(attempts)), "attempts are counted up"
        kinds = [type(record.event) for record in journal]
        for at_most_once in (FenceRecorded, StepExecutionCompleted, StepExecutionFailed, SagaEnded):
            assert kinds.count(at_most_once) <= 1
        assert kinds.count(CompensationExecutionCompleted) <= 1
        if self.undos:
            assert FenceRecorded in kinds, "undone without a fence"
        if StepExecutionStarted not in kinds:
            assert not self.runs


def _attempt(entry: SagaStateEntry) -> int:
    assert isinstance(entry.state, Executing)
    return entry.state.attempt


@settings(max_examples=200, deadline=None)
@given(plans(), SPECS, st.data())
def test_any_history_of_stimuli_keeps_every_promise(
    build: Build, checked_turn: Turn, plan: tuple[StepPlan, ...], spec: ParticipantSpec, data: st.DataObject
) -> None:
    origin = build(*plan)
    stimuli = st.one_of(external(origin), INTERNAL)
    history = data.draw(st.lists(stimuli, max_size=40))
    journal: Journal = []
    before, watch, now = Decision(new(origin, "b", 0)), Watch(), 0
    for stimulus in history:
        now += data.draw(st.integers(-50, 500))
        may_run = data.draw(st.booleans())
        decision = checked_turn(before.entry, before.told, stimulus, spec, now, journal, may_run=may_run)
        watch.see(decision)
        before = decision
        if any(isinstance(command, Forget) for command in decision.commands):
            break
    watch.judge(origin, journal)


@settings(max_examples=200, deadline=None)
@given(plans(), SPECS, st.data())
def test_a_history_that_business_code_and_timers_really_produce_keeps_every_promise(
    build: Build, checked_turn: Turn, plan: tuple[StepPlan, ...], spec: ParticipantSpec, data: st.DataObject
) -> None:
    """Answers only what was asked, so most histories get deep; crashes and foreign events come at any time."""
    origin = build(*plan)
    journal: Journal = []
    foreign = external(origin)
    before, watch, open_questions = Decision(new(origin, "b", 0)), Watch(), list[Stimulus]()
    for number in range(data.draw(st.integers(1, 30))):
        choice = data.draw(st.sampled_from(["answer", "answer", "hear", "crash"] if journal else ["hear"]))
        stimulus: Stimulus
        if choice == "answer" and open_questions:
            stimulus = open_questions.pop(data.draw(st.integers(0, len(open_questions) - 1)))
        elif choice == "crash":
            stimulus, before = Recovered(), Decision(rebuilt(journal), NOTHING_TOLD)
            open_questions.clear()
        else:
            stimulus = data.draw(foreign)
        may_run = data.draw(st.booleans())
        decision = checked_turn(before.entry, before.told, stimulus, spec, number * 100, journal, may_run=may_run)
        watch.see(decision)
        before = decision
        if any(isinstance(command, Forget) for command in decision.commands):
            break
        open_questions += [answer for command in decision.commands for answer in answers(command, data)]
    watch.judge(origin, journal)


def rebuilt(journal: Journal) -> SagaStateEntry:
    entry: SagaStateEntry | None = None
    for record in journal:
        entry = fold(entry, record)
    assert entry is not None
    return entry


def answers(command: object, data: st.DataObject) -> list[Stimulus]:
    """What the shell brings back after a command."""
    forward: list[Stimulus] = [
        StepReturned(b"o", b"u"),
        StepDeferred(50),
        StepDeferred(None),
        *(StepRaised(how, "x") for how in Raised),
    ]
    probed: list[Stimulus] = [StepReturned(b"o", b"u"), NotExecuted(), StillUnknown("?"), ProbeRaised("x")]
    undone: list[Stimulus] = [CompensationReturned(), CompensationRaised(True, "x"), CompensationRaised(False, "x")]
    match type(command).__name__:
        case "AwaitRun":
            return [RunGranted()]
        case "RunStep":
            return [data.draw(st.sampled_from(forward))]
        case "RunProbe" | "RunCancel" | "ResumePending":
            return [data.draw(st.sampled_from(probed))]
        case "RunCompensation":
            return [data.draw(st.sampled_from(undone))]
        case "NotifyQuarantined":
            kind = data.draw(st.sampled_from(ResolutionKind))
            return [OperatorResolved(resolution=kind, by="ada", why="looked", output=b"o", undo=b"u")]
        case _:
            return [command.stimulus] if isinstance(command, ArmTimer) else []
