"""One outcome, one fence: whatever is told twice, late or out of order."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st

from saga_choreography.events import (
    AckStatus,
    CompensationCompleted,
    CompensationFailed,
    CompensationRequested,
    CompensationStarted,
    FenceRaised,
    InitiatorEvent,
    OutcomeKind,
    SagaCompleted,
    SagaFailed,
    SagaResolved,
    StepAck,
    StepCompleted,
    StepEvent,
    StepFailed,
    StepStarted,
    TimestampedEvent,
)
from saga_choreography.protocol.resolver import accept, resolve
from saga_choreography.protocol.resolver_commands import (
    CancelRequested,
    DeadlineDue,
    Ended,
    ResolverRecovered,
    ResolverStimulus,
    SagaMemory,
    Tell,
    TellStep,
)
from saga_choreography.protocol.resolver_fold import fold_saga
from saga_choreography.types import After, AllOf, FailureKind, OnSagaStart, SagaOrigin, StepPlan

Build: TypeAlias = Callable[..., SagaOrigin]
Journal: TypeAlias = list[TimestampedEvent[InitiatorEvent]]

STEPS = ("a", "b", "c", "d")
NAMES = st.sampled_from((*STEPS, "z"))


def diamond(build: Build) -> SagaOrigin:
    return build(
        StepPlan(step_name="a", after=OnSagaStart()),
        StepPlan(step_name="b", after=After("a")),
        StepPlan(step_name="c", after=After("a"), pure=True),
        StepPlan(step_name="d", after=AllOf((After("b"), After("c")))),
        overall=5_000,
        stalled=700,
    )


def facts(origin: SagaOrigin) -> st.SearchStrategy[StepEvent]:
    at, sequence, kept = st.just(1), st.integers(1, 9), st.just(origin)
    return st.one_of(
        st.builds(StepStarted, origin=kept, at_millis=at, step_name=NAMES, sequence=sequence, attempt=st.just(1)),
        st.builds(StepCompleted, origin=kept, at_millis=at, step_name=NAMES, sequence=sequence, output=st.just(b"")),
        st.builds(StepFailed, origin=kept, at_millis=at, step_name=NAMES, sequence=sequence, reason=st.just("no")),
        st.builds(
            StepAck, origin=kept, at_millis=at, step_name=NAMES, sequence=sequence, status=st.sampled_from(AckStatus)
        ),
        st.builds(
            CompensationStarted, origin=kept, at_millis=at, step_name=NAMES, sequence=sequence, attempt=st.just(1)
        ),
        st.builds(CompensationCompleted, origin=kept, at_millis=at, step_name=NAMES, sequence=sequence),
        st.builds(
            CompensationFailed, origin=kept, at_millis=at, step_name=NAMES, sequence=sequence, reason=st.just("x")
        ),
    )


def stimuli(origin: SagaOrigin) -> st.SearchStrategy[ResolverStimulus]:
    kinds = st.sampled_from([FailureKind.OVERALL_TIMEOUT, FailureKind.STALLED_TIMEOUT])
    others: st.SearchStrategy[ResolverStimulus] = st.one_of(
        st.just(ResolverRecovered()), st.builds(DeadlineDue, kinds), st.builds(CancelRequested, st.just("enough"))
    )
    return st.one_of(facts(origin), facts(origin), facts(origin), others)


def play(origin: SagaOrigin, history: Sequence[ResolverStimulus], gaps: Sequence[int]) -> tuple[SagaMemory, Journal]:
    """Resolve stimulus by stimulus, checking what must hold in every turn; returns memory and journal."""
    resolution = accept(origin, b"p", b"d")
    memory, journal, now = resolution.memory, list(resolution.records), origin.started_at_millis
    outcomes: list[SagaCompleted | SagaFailed] = []
    fences = 0
    for stimulus, gap in zip(history, gaps, strict=True):
        now += gap
        resolution = resolve(memory, stimulus, now)
        assert resolve(memory, stimulus, now) == resolution
        journal += resolution.records
        for command in resolution.commands:
            match command:
                case Tell(SagaCompleted() | SagaFailed() as event):
                    outcomes.append(event)
                    assert SagaResolved in [type(record.event) for record in resolution.records]
                case Tell(CompensationRequested()):
                    fences += 1
                    assert FenceRaised in [type(record.event) for record in resolution.records]
                case TellStep(_, event):
                    assert [event] == outcomes, "an ended saga has one answer for everybody"
                case Ended(event):
                    assert [event] == outcomes
                case _:
                    pass
        memory = resolution.memory
    kinds = [type(record.event) for record in journal]
    assert kinds.count(SagaResolved) == len(outcomes) <= 1
    assert kinds.count(FenceRaised) == fences <= 1
    assert [record.sequence for record in journal] == list(range(1, len(journal) + 1))
    entry = None
    for record in journal:
        entry = fold_saga(entry, record)
    assert entry == memory.entry
    return memory, journal


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_history_has_one_outcome_at_most_and_one_fence_at_most(build: Build, data: st.DataObject) -> None:
    origin = diamond(build)
    history = data.draw(st.lists(stimuli(origin), max_size=40))
    gaps = data.draw(st.lists(st.integers(-300, 900), min_size=len(history), max_size=len(history)))
    memory, journal = play(origin, history, gaps)
    if memory.entry.outcome is OutcomeKind.COMPLETED:
        assert memory.entry.fence is None
    if memory.entry.outcome is OutcomeKind.FAILED:
        assert memory.entry.fence is not None
    if memory.entry.outcome is not None:
        assert type(journal[-1].event) is SagaResolved


@st.composite
def accounts(draw: st.DrawFn, origin: SagaOrigin) -> tuple[OutcomeKind | None, list[StepEvent]]:
    """Everything the four steps ever tell, and the outcome that must follow (None: it is parked)."""

    def completed(name: str, *, late: bool = False) -> StepEvent:
        return StepCompleted(origin=origin, at_millis=1, step_name=name, sequence=3, output=b"", late=late)

    def ack(name: str, status: AckStatus, sequence: int = 1) -> StepEvent:
        return StepAck(origin=origin, at_millis=1, step_name=name, sequence=sequence, status=status)

    failing = draw(st.sampled_from([None, *STEPS]))
    if failing is None:
        return OutcomeKind.COMPLETED, [completed(name) for name in STEPS]
    told: list[StepEvent] = []
    parked = False
    for name in STEPS:
        if name == failing:
            told.append(StepFailed(origin=origin, at_millis=1, step_name=name, sequence=3, reason="no"))
            continue
        match draw(st.sampled_from(["never ran", "undone", "nothing", "stuck", "resolved"])):
            case "never ran":
                told.append(ack(name, AckStatus.NOT_APPLICABLE))
            case "nothing":
                told += [completed(name), ack(name, AckStatus.NOTHING_TO_UNDO, 4)]
            case "undone":
                told += [
                    completed(name, late=draw(st.booleans())),
                    CompensationCompleted(origin=origin, at_millis=1, step_name=name, sequence=6),
                ]
            case way:
                told.append(CompensationFailed(origin=origin, at_millis=1, step_name=name, sequence=6, reason="x"))
                if way == "resolved":
                    told.append(CompensationCompleted(origin=origin, at_millis=1, step_name=name, sequence=7))
                else:
                    parked = True
    return None if parked else OutcomeKind.FAILED, told


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_facts_told_twice_and_out_of_order_lead_to_the_same_outcome(build: Build, data: st.DataObject) -> None:
    origin = diamond(build)
    expected, told = data.draw(accounts(origin))
    repeated = told + data.draw(st.lists(st.sampled_from(told), max_size=10))
    history: list[ResolverStimulus] = list(data.draw(st.permutations(repeated)))
    memory, _ = play(origin, history, [1] * len(history))
    assert memory.entry.outcome is expected
    assert bool(memory.entry.parked) == (expected is None)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_restart_that_hears_everything_again_ends_like_a_run_without_one(build: Build, data: st.DataObject) -> None:
    origin = diamond(build)
    expected, told = data.draw(accounts(origin))
    cut = data.draw(st.integers(0, len(told)))
    memory, _ = play(origin, told[:cut], [1] * cut)
    memory = SagaMemory(entry=memory.entry, progress_at_millis=memory.entry.updated_at_millis)
    for stimulus in (ResolverRecovered(), *data.draw(st.permutations(told))):
        memory = resolve(memory, stimulus, 1_500).memory
    assert memory.entry.outcome is expected
