"""`resolve(memory, stimulus, now) -> Resolution`: how an initiator finds the one outcome of a saga, purely.

It orchestrates nothing. It listens to facts and commits three kinds of decision: all steps completed -> SagaCompleted;
a failure, a deadline or a cancel -> the fence; every step settled behind the fence -> SagaFailed with the first cause.
While only quarantined steps stand in the way, the saga is parked for an operator.
"""

from typing import Final, assert_never

from attrs import evolve

from saga_choreography.events import (
    AckStatus,
    CompensationCompleted,
    CompensationFailed,
    CompensationRequested,
    CompensationStarted,
    FenceRaised,
    InitiatorEvent,
    OutcomeKind,
    SagaAccepted,
    SagaCompleted,
    SagaFailed,
    SagaOutcome,
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
from saga_choreography.protocol.blocking import blocking_steps, parked_steps
from saga_choreography.protocol.resolver_commands import (
    SETTLED,
    ArmDeadline,
    CancelRequested,
    DeadlineDue,
    Ended,
    Parked,
    Resolution,
    ResolverCommand,
    ResolverRecovered,
    ResolverStimulus,
    SagaEntry,
    SagaMemory,
    StepFact,
    StepStatus,
    Tell,
    TellStep,
    Unparked,
)
from saga_choreography.protocol.resolver_fold import fold_saga
from saga_choreography.types import FailureCause, FailureKind, SagaOrigin


def accept(origin: SagaOrigin, payload: bytes, digest: bytes) -> Resolution:
    """Begin a saga; it exists once the record is committed."""
    now = origin.started_at_millis
    record: TimestampedEvent[InitiatorEvent] = TimestampedEvent(
        1, now, SagaAccepted(origin=origin, payload=payload, digest=digest)
    )
    memory = SagaMemory(entry=fold_saga(None, record), progress_at_millis=now)
    started = SagaStarted(origin=origin, at_millis=now, payload=payload)
    return Resolution(memory, (record,), (Tell(started), *_deadlines(memory, now)))


def resolve(memory: SagaMemory, stimulus: ResolverStimulus, now_millis: int) -> Resolution:
    """What the initiator does about one stimulus. `now_millis` is Unix time in milliseconds."""
    turn = _Turn(memory, now_millis)
    if memory.entry.outcome is not None:
        turn.answer_late(stimulus)
        return turn.resolution()
    match stimulus:
        case ResolverRecovered():
            # What was heard before the restart is gone and will be told again: that the silence was long is no stall.
            turn.memory = evolve(turn.memory, progress_at_millis=now_millis)
            turn.commands.extend(_deadlines(turn.memory, now_millis))
        case DeadlineDue():
            turn.deadline(stimulus.kind)
        case CancelRequested():
            turn.raise_fence(FailureCause(kind=FailureKind.CANCELLED, reason=stimulus.reason))
        case _:
            turn.hear(stimulus)
    turn.conclude()
    return turn.resolution()


def saga_facts(memory: SagaMemory) -> tuple[SagaStarted | CompensationRequested | SagaOutcome, ...]:
    """What an initiator can tell of a saga at any time."""
    entry = memory.entry
    if entry.outcome is not None:
        return (outcome_event(entry),)
    if entry.fence is not None:
        return (CompensationRequested(origin=entry.origin, at_millis=entry.updated_at_millis, cause=entry.fence),)
    return (SagaStarted(origin=entry.origin, at_millis=entry.origin.started_at_millis, payload=entry.payload),)


def outcome_event(entry: SagaEntry) -> SagaOutcome:
    """The terminal event of an ended saga; the same one every time."""
    origin, at = entry.origin, entry.updated_at_millis
    if entry.outcome is OutcomeKind.FAILED and entry.fence is not None:
        return SagaFailed(origin=origin, at_millis=at, cause=entry.fence)
    return SagaCompleted(origin=origin, at_millis=at)


def quarantined_event(entry: SagaEntry) -> SagaQuarantined:
    """The event of a parked saga."""
    return SagaQuarantined(origin=entry.origin, at_millis=entry.updated_at_millis, steps=entry.parked)


def _deadlines(memory: SagaMemory, now_millis: int) -> list[ResolverCommand]:
    entry, plan = memory.entry, memory.entry.origin.plan
    armed: list[ResolverCommand] = []
    if entry.fence is not None or entry.outcome is not None:
        return armed
    if plan.overall_timeout_millis is not None:
        due = entry.origin.started_at_millis + plan.overall_timeout_millis
        armed.append(ArmDeadline(due, DeadlineDue(FailureKind.OVERALL_TIMEOUT)))
    if plan.stalled_timeout_millis is not None:
        armed.append(ArmDeadline(now_millis + plan.stalled_timeout_millis, DeadlineDue(FailureKind.STALLED_TIMEOUT)))
    return armed


def _fact(event: StepEvent) -> StepFact | None:
    match event:
        case StepCompleted():
            return StepFact(StepStatus.COMPLETED, event.sequence)
        case StepFailed():
            return StepFact(StepStatus.FAILED, event.sequence, event.reason)
        case StepAck(status=AckStatus.NOT_APPLICABLE):
            return StepFact(StepStatus.NEVER_RAN, event.sequence)
        case StepAck(status=AckStatus.NOTHING_TO_UNDO):
            return StepFact(StepStatus.NOTHING_TO_UNDO, event.sequence)
        case StepAck():
            return StepFact(StepStatus.QUARANTINED, event.sequence, event.reason)
        case CompensationCompleted():
            return StepFact(StepStatus.UNDONE, event.sequence)
        case CompensationFailed():
            return StepFact(StepStatus.QUARANTINED, event.sequence, event.reason)
        case StepStarted() | CompensationStarted():
            return None
        case _:
            assert_never(event)


def _knows_of_a_fence(event: StepEvent, fact: StepFact) -> bool:
    """Whether a fact can only follow from a fence its teller has seen."""
    late = isinstance(event, StepCompleted) and event.late
    undoing = isinstance(event, CompensationFailed)
    return late or undoing or (fact.status in SETTLED and fact.status is not StepStatus.FAILED)


_ALL_COMPLETED: Final = {StepStatus.COMPLETED}


class _Turn:
    """State of one call of `resolve`; never leaves it."""

    def __init__(self, memory: SagaMemory, now_millis: int) -> None:
        self.memory = memory
        self.now = now_millis
        self.records: list[TimestampedEvent[InitiatorEvent]] = []
        self.commands: list[ResolverCommand] = []

    def record(self, event: InitiatorEvent) -> None:
        record = TimestampedEvent(self.memory.entry.sequence + 1, self.now, event)
        self.memory = self.memory.moved_to(fold_saga(self.memory.entry, record))
        self.records.append(record)

    def resolution(self) -> Resolution:
        return Resolution(self.memory, tuple(self.records), tuple(self.commands))

    def answer_late(self, stimulus: ResolverStimulus) -> None:
        """A fact of an ended saga: its teller was down and has not heard the outcome."""
        if isinstance(stimulus, ResolverRecovered | DeadlineDue | CancelRequested | StepStarted | CompensationStarted):
            return
        self.commands.append(TellStep(stimulus.step_name, outcome_event(self.memory.entry)))

    def hear(self, event: StepEvent) -> None:
        """Take the newest fact of a step; an older or repeated one changes nothing."""
        fact = _fact(event)
        plan = self.memory.entry.origin.plan
        known = self.memory.facts.get(event.step_name)
        if (
            fact is None
            or plan.step(event.step_name) is None
            or (known is not None and known.sequence >= fact.sequence)
        ):
            return
        facts = {**self.memory.facts, event.step_name: fact}
        self.memory = SagaMemory(entry=self.memory.entry, facts=facts, progress_at_millis=self.now)
        if fact.status is StepStatus.FAILED:
            self.raise_fence(FailureCause(kind=FailureKind.STEP_FAILED, reason=fact.reason, steps=(event.step_name,)))
        elif _knows_of_a_fence(event, fact):
            # Ours is lost (a restored backup, a power failure without fsync): the participants' word stands.
            reason = "a participant was told to undo it before this initiator's store lost the decision"
            self.raise_fence(FailureCause(kind=FailureKind.STEP_FAILED, reason=reason, steps=(event.step_name,)))

    def raise_fence(self, cause: FailureCause) -> None:
        """The first cause is final."""
        if self.memory.entry.fence is None:
            self.record(FenceRaised(cause=cause))
            self._unpark()  # steps can move again: they are undone
            origin = self.memory.entry.origin
            self.commands.append(Tell(CompensationRequested(origin=origin, at_millis=self.now, cause=cause)))

    def deadline(self, kind: FailureKind) -> None:
        """A timer fired. Progress in the meantime, or waiting for an operator, is no stall."""
        entry, plan = self.memory.entry, self.memory.entry.origin.plan
        if entry.fence is not None:
            return
        limit = plan.overall_timeout_millis
        if kind is FailureKind.STALLED_TIMEOUT:
            limit = plan.stalled_timeout_millis
            since = self.now if entry.parked else self.memory.progress_at_millis
            if limit is not None and self.now < since + limit:
                self.commands.append(ArmDeadline(since + limit, DeadlineDue(kind)))
                return
        steps = blocking_steps(self.memory)
        self.raise_fence(FailureCause(kind=kind, reason=f"not finished within {limit} ms", steps=steps))

    def conclude(self) -> None:
        """Decide what the facts allow."""
        entry, facts = self.memory.entry, self.memory.facts
        # Only facts of steps of the plan are kept, so as many facts as steps are facts of all of them.
        if len(facts) == len(entry.origin.plan.steps):
            statuses = {fact.status for fact in facts.values()}
            if entry.fence is None and statuses == _ALL_COMPLETED:
                self._end(OutcomeKind.COMPLETED)
                return
            if entry.fence is not None and statuses <= SETTLED:
                self._end(OutcomeKind.FAILED)
                return
        self._park()

    def _end(self, outcome: OutcomeKind) -> None:
        self.record(SagaResolved(outcome=outcome))
        event = outcome_event(self.memory.entry)
        self.commands += (Tell(event), Ended(event))

    def _park(self) -> None:
        """Park, park anew, or go on, as what was heard says."""
        entry = self.memory.entry
        if not entry.parked and all(fact.status is not StepStatus.QUARANTINED for fact in self.memory.facts.values()):
            return
        heard = [self.memory.facts.get(step.step_name) for step in entry.parked]
        if any(fact is not None and fact.status is not StepStatus.QUARANTINED for fact in heard):
            self._unpark()
        parked = parked_steps(self.memory)
        if parked and parked != self.memory.entry.parked:
            self.record(SagaParked(steps=parked))
            event = quarantined_event(self.memory.entry)
            self.commands += (Tell(event), Parked(event))

    def _unpark(self) -> None:
        if self.memory.entry.parked:
            self.record(SagaUnparked())
            self.commands.append(Unparked())
