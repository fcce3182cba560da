"""The line a -> b -> c, what its step `b` can hear, and `last`: decide on stimuli one by one, checking every turn."""

from collections.abc import Callable, Mapping
from uuid import UUID

import pytest

from saga_choreography.events import (
    AckStatus,
    CompensationCompleted,
    CompensationFailed,
    CompensationRequested,
    CompensationStarted,
    ParticipantEvent,
    SagaChoreographyEvent,
    SagaCompleted,
    SagaFailed,
    SagaQuarantined,
    SagaStarted,
    StepAck,
    StepCompleted,
    StepEvent,
    StepFailed,
    StepStarted,
    TimestampedEvent,
)
from saga_choreography.protocol.commands import Decision, Publish
from saga_choreography.protocol.decide import decide
from saga_choreography.protocol.facts import fact_of
from saga_choreography.protocol.fold import fold
from saga_choreography.protocol.memory import NOTHING_TOLD, Told
from saga_choreography.protocol.spec import ParticipantSpec
from saga_choreography.protocol.stimuli import Stimulus
from saga_choreography.protocol.workflow import link
from saga_choreography.state import Compensating, Executing, SagaStateEntry
from saga_choreography.state.transitions import new
from saga_choreography.types import (
    After,
    FailureCause,
    FailureKind,
    InDoubt,
    OnSagaStart,
    PeerId,
    RetryPolicy,
    SagaId,
    SagaOrigin,
    SagaPlan,
    StepPlan,
)

QUICK = RetryPolicy(max_attempts=3, initial_delay_millis=100, jitter=0.0)
START_MILLIS = 1_000
TURN_MILLIS = 10


def origin_of(*steps: StepPlan, overall: int | None = None, stalled: int | None = None) -> SagaOrigin:
    plan = SagaPlan(
        saga_type="order", steps=link(steps), overall_timeout_millis=overall, stalled_timeout_millis=stalled
    )
    return SagaOrigin(saga_id=SagaId(UUID(int=1)), initiator=PeerId("shop"), started_at_millis=START_MILLIS, plan=plan)


def line_of(
    *, pure: bool = False, in_doubt: InDoubt = InDoubt.RETRY, in_doubt_attempts: int = 5, retry: RetryPolicy = QUICK
) -> SagaOrigin:
    """a -> b -> c, with these policies for `b`."""
    b = StepPlan(
        step_name="b",
        after=After("a"),
        retry=retry,
        compensation_retry=QUICK,
        in_doubt=in_doubt,
        in_doubt_attempts=in_doubt_attempts,
        pure=pure,
    )
    return origin_of(StepPlan(step_name="a", after=OnSagaStart()), b, StepPlan(step_name="c", after=After("b")))


def replay(records: list[TimestampedEvent[ParticipantEvent]]) -> SagaStateEntry | None:
    entry: SagaStateEntry | None = None
    for record in records:
        entry = fold(entry, record)
    return entry


def check_publish(event: SagaChoreographyEvent, journal: list[TimestampedEvent[ParticipantEvent]]) -> None:
    """A published event follows from the journal as it is when the event may be told."""
    assert isinstance(event, StepEvent)
    assert event.sequence <= len(journal)
    basis = replay(journal[: event.sequence])
    assert basis is not None
    match event:
        case StepStarted():
            assert isinstance(basis.state, Executing)
            assert basis.state.attempt == event.attempt
        case CompensationStarted():
            assert isinstance(basis.state, Compensating)
            assert basis.state.attempt == event.attempt
        case _:
            assert fact_of(basis) == event


def turn(
    entry: SagaStateEntry,
    told: Told,
    stimulus: Stimulus,
    spec: ParticipantSpec,
    now_millis: int,
    journal: list[TimestampedEvent[ParticipantEvent]],
    *,
    may_run: bool = False,
) -> Decision:
    """One call of decide, checked; its records are appended to `journal`."""
    decision = decide(entry, told, stimulus, spec, now_millis, may_run=may_run)
    assert decide(entry, told, stimulus, spec, now_millis, may_run=may_run) == decision, "decide is deterministic"
    for record in decision.records:
        journal.append(record)
        assert record.sequence == len(journal), "sequences are dense"
        assert record.at_millis == now_millis
    entry = decision.entry
    assert entry.sequence == len(journal)
    if journal:
        assert replay(journal) == entry, "the journal replayed is the live entry"
    for command in decision.commands:
        if isinstance(command, Publish):
            check_publish(command.event, journal)
    return decision


def last_of(
    origin: SagaOrigin, *stimuli: Stimulus, step: str = "b", probe: bool = False, cancel: bool = False
) -> Decision:
    """What the last of `stimuli` led to; time goes on by 10 ms a stimulus."""
    spec = ParticipantSpec(step_name=step, has_probe=probe, has_cancel=cancel)
    journal: list[TimestampedEvent[ParticipantEvent]] = []
    decision = Decision(new(origin, step, START_MILLIS), NOTHING_TOLD)
    for number, stimulus in enumerate(stimuli, 1):
        now_millis = START_MILLIS + number * TURN_MILLIS
        decision = turn(decision.entry, decision.told, stimulus, spec, now_millis, journal)
    return decision


@pytest.fixture(scope="session")
def build() -> Callable[..., SagaOrigin]:
    """build(*steps, overall=None, stalled=None): an origin whose plan is linked."""
    return origin_of


@pytest.fixture(scope="session")
def line() -> Callable[..., SagaOrigin]:
    return line_of


@pytest.fixture(scope="session")
def last() -> Callable[..., Decision]:
    return last_of


@pytest.fixture(scope="session")
def checked_turn() -> Callable[..., Decision]:
    return turn


@pytest.fixture(scope="session")
def heard() -> Mapping[str, SagaChoreographyEvent]:
    """Everything the step `b` of the line can hear, by a few words."""
    origin = line_of()
    cause = FailureCause(kind=FailureKind.STEP_FAILED, reason="no", steps=("c",))

    def ack(name: str, status: AckStatus) -> StepAck:
        return StepAck(origin=origin, at_millis=5, step_name=name, sequence=2, status=status)

    return {
        "saga started": SagaStarted(origin=origin, at_millis=1, payload=b"payload"),
        "a started": StepStarted(origin=origin, at_millis=2, step_name="a", sequence=2, attempt=1),
        "a completed": StepCompleted(origin=origin, at_millis=3, step_name="a", sequence=3, output=b"from a"),
        "a completed late": StepCompleted(
            origin=origin, at_millis=3, step_name="a", sequence=4, output=b"from a", late=True
        ),
        "c completed": StepCompleted(origin=origin, at_millis=6, step_name="c", sequence=3, output=b"from c"),
        "c failed": StepFailed(origin=origin, at_millis=6, step_name="c", sequence=3, reason="no"),
        "c undone": CompensationCompleted(origin=origin, at_millis=9, step_name="c", sequence=6),
        "c never ran": ack("c", AckStatus.NOT_APPLICABLE),
        "c changed nothing": ack("c", AckStatus.NOTHING_TO_UNDO),
        "c in doubt": ack("c", AckStatus.QUARANTINED),
        "c not undone": CompensationFailed(origin=origin, at_millis=9, step_name="c", sequence=6, reason="stuck"),
        "c is being undone": CompensationStarted(origin=origin, at_millis=8, step_name="c", sequence=5, attempt=1),
        "a never ran": ack("a", AckStatus.NOT_APPLICABLE),
        "fence": CompensationRequested(origin=origin, at_millis=7, cause=cause),
        "another fence": CompensationRequested(
            origin=origin, at_millis=8, cause=FailureCause(kind=FailureKind.CANCELLED, reason="later")
        ),
        "saga completed": SagaCompleted(origin=origin, at_millis=10),
        "saga failed": SagaFailed(origin=origin, at_millis=10, cause=cause),
        "saga parked": SagaQuarantined(origin=origin, at_millis=10, steps=()),
    }
