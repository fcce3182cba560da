"""Strategies for any record and plan there can be, and a plan table in memory."""

from typing import TypeAlias
from uuid import UUID

from hypothesis import strategies as st

from saga_choreography.events import (
    AttemptFailure,
    CompensationAttemptFailed,
    CompensationExecutionCompleted,
    CompensationExecutionStarted,
    FenceRaised,
    FenceRecorded,
    InitiatorEvent,
    OutcomeKind,
    ParticipantEvent,
    QuarantinedStep,
    QuarantineResolved,
    ResolutionKind,
    SagaAccepted,
    SagaEnded,
    SagaParked,
    SagaResolved,
    SagaUnparked,
    StepAttemptFailed,
    StepExecutionCompleted,
    StepExecutionFailed,
    StepExecutionStarted,
    StepQuarantined,
    StepSuspended,
    StepTriggered,
)
from saga_choreography.types import (
    After,
    AllOf,
    AnyOf,
    DependencySpec,
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

AnyEvent: TypeAlias = ParticipantEvent | InitiatorEvent
SAGA = SagaId(UUID(int=0x0123456789ABCDEF0123456789ABCDEF))

MILLIS = st.integers(-(2**63), 2**63 - 1)
MAYBE_MILLIS = st.none() | MILLIS
ATTEMPTS = st.integers(1, 2**31)
NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_.-]{0,20}", fullmatch=True)
TEXTS = st.text(max_size=30)
BYTES = st.binary(max_size=40)

SPECS: st.SearchStrategy[DependencySpec] = st.recursive(
    st.just(OnSagaStart()) | st.builds(After, NAMES),
    lambda part: (
        st.builds(AllOf, st.lists(part, max_size=3).map(tuple))
        | st.builds(AnyOf, st.lists(part, max_size=3).map(tuple))
    ),
    max_leaves=6,
)
POLICIES = st.builds(
    RetryPolicy,
    max_attempts=st.integers(1, 100),
    initial_delay_millis=st.integers(0, 10**6),
    max_delay_millis=st.integers(0, 10**9),
    backoff_multiplier=st.floats(1.0, 10.0),
    jitter=st.floats(0.0, 1.0),
)
STEP_NAMES = st.lists(NAMES, max_size=3).map(tuple)
STEPS = st.builds(
    StepPlan,
    step_name=NAMES,
    after=SPECS,
    dependents=STEP_NAMES,
    undo_after=STEP_NAMES,
    tells_settled=STEP_NAMES,
    retry=POLICIES,
    compensation_retry=POLICIES,
    in_doubt=st.sampled_from(InDoubt),
    in_doubt_attempts=st.integers(0, 100),
    pure=st.booleans(),
)
PLANS = st.builds(
    SagaPlan,
    saga_type=NAMES,
    steps=st.lists(STEPS, max_size=4).map(tuple),
    overall_timeout_millis=st.none() | st.integers(1, 10**12),
    stalled_timeout_millis=st.none() | st.integers(1, 10**12),
)
ORIGINS = st.builds(
    SagaOrigin, saga_id=st.just(SAGA), initiator=TEXTS.map(PeerId), started_at_millis=MILLIS, plan=PLANS
)
CAUSES = st.builds(FailureCause, kind=st.sampled_from(FailureKind), reason=TEXTS, steps=STEP_NAMES)
INPUTS = st.lists(st.tuples(NAMES, BYTES), max_size=3).map(tuple)
PARKED = st.builds(QuarantinedStep, step_name=NAMES, reason=TEXTS)

PARTICIPANT_EVENTS: st.SearchStrategy[ParticipantEvent] = st.one_of(
    st.builds(StepTriggered, origin=ORIGINS, step_name=NAMES, input=INPUTS),
    st.builds(StepExecutionStarted, attempt=ATTEMPTS, doubtful=st.booleans()),
    st.builds(
        StepAttemptFailed,
        failure=st.sampled_from(AttemptFailure),
        error=TEXTS,
        doubtful=st.booleans(),
        retry_at_millis=MAYBE_MILLIS,
    ),
    st.builds(StepSuspended, pending_until_millis=MAYBE_MILLIS),
    st.builds(StepExecutionCompleted, output=BYTES, undo=BYTES),
    st.builds(StepExecutionFailed, error=TEXTS),
    st.builds(FenceRecorded, origin=ORIGINS, step_name=NAMES, cause=CAUSES),
    st.builds(CompensationExecutionStarted, attempt=ATTEMPTS),
    st.builds(CompensationAttemptFailed, error=TEXTS, retry_at_millis=MILLIS),
    st.just(CompensationExecutionCompleted()),
    st.builds(StepQuarantined, reason=TEXTS, error=st.none() | TEXTS),
    st.builds(
        QuarantineResolved,
        resolution=st.sampled_from(ResolutionKind),
        by=TEXTS,
        why=TEXTS,
        output=st.none() | BYTES,
        undo=st.none() | BYTES,
    ),
    st.builds(SagaEnded, outcome=st.sampled_from(OutcomeKind)),
)
INITIATOR_EVENTS: st.SearchStrategy[InitiatorEvent] = st.one_of(
    st.builds(SagaAccepted, origin=ORIGINS, payload=BYTES, digest=BYTES),
    st.builds(FenceRaised, cause=CAUSES),
    st.builds(SagaParked, steps=st.lists(PARKED, max_size=3).map(tuple)),
    st.just(SagaUnparked()),
    st.builds(SagaResolved, outcome=st.sampled_from(OutcomeKind)),
)


class PlansInMemory:
    """A plan table that is a dictionary."""

    def __init__(self) -> None:
        self._plans: dict[bytes, bytes] = {}

    def save_plan(self, digest: bytes, plan: bytes) -> None:
        self._plans[digest] = plan

    def load_plan(self, digest: bytes) -> bytes | None:
        return self._plans.get(digest)


def _one_of_every_kind() -> tuple[AnyEvent, ...]:
    """One record of every kind, every field away from its default."""
    step = StepPlan(step_name="pay", after=OnSagaStart())
    plan = SagaPlan(saga_type="order", steps=(step,))
    origin = SagaOrigin(saga_id=SAGA, initiator=PeerId("shop"), started_at_millis=5, plan=plan)
    cause = FailureCause(kind=FailureKind.STEP_FAILED, reason="no money", steps=("pay",))
    parked = QuarantinedStep(step_name="pay", reason="stuck")
    return (
        StepTriggered(origin=origin, step_name="pay", input=(("@start", b"in"), ("a", b""))),
        StepExecutionStarted(attempt=2, doubtful=True),
        StepAttemptFailed(failure=AttemptFailure.AMBIGUOUS, error="cut", doubtful=True, retry_at_millis=9),
        StepSuspended(pending_until_millis=77),
        StepExecutionCompleted(output=b"out", undo=b"undo"),
        StepExecutionFailed(error="no"),
        FenceRecorded(origin=origin, step_name="pay", cause=cause),
        CompensationExecutionStarted(attempt=3),
        CompensationAttemptFailed(error="busy", retry_at_millis=12),
        CompensationExecutionCompleted(),
        StepQuarantined(reason="stuck", error="why"),
        QuarantineResolved(resolution=ResolutionKind.COMPLETED, by="ada", why="looked", output=b"o", undo=b"u"),
        SagaEnded(outcome=OutcomeKind.FAILED),
        SagaAccepted(origin=origin, payload=b"p", digest=b"d" * 16),
        FenceRaised(cause=cause),
        SagaParked(steps=(parked,)),
        SagaUnparked(),
        SagaResolved(outcome=OutcomeKind.COMPLETED),
    )


SAMPLES = _one_of_every_kind()
