"""The guarantees that are checked at every commit and every publish."""

from collections.abc import Mapping, Sequence

from saga_choreography.events import (
    CompensationRequested,
    CompensationStarted,
    FenceRaised,
    InitiatorEvent,
    OutcomeKind,
    ParticipantEvent,
    ResolutionKind,
    SagaChoreographyEvent,
    SagaCompleted,
    SagaFailed,
    SagaQuarantined,
    SagaResolved,
    SagaStarted,
    StepEvent,
    StepStarted,
    TimestampedEvent,
)
from saga_choreography.protocol.commands import Refuse
from saga_choreography.protocol.decide import decide
from saga_choreography.protocol.facts import fact_of, is_settled
from saga_choreography.protocol.fold import fold
from saga_choreography.protocol.memory import StepMemory
from saga_choreography.protocol.resolver_commands import SagaEntry, TellStep
from saga_choreography.protocol.resolver_fold import fold_saga
from saga_choreography.protocol.spec import ParticipantSpec
from saga_choreography.protocol.stimuli import OperatorResolved
from saga_choreography.state import Compensating, Completed, Executing, Quarantined, SagaStateEntry, is_in
from saga_choreography.types import SagaId, SagaOrigin
from tests.simulation.ledger import output_of, undo_of
from tests.simulation.node import Disk
from tests.simulation.ports import Outgoing
from tests.simulation.violation import Violation


def replay(journal: Sequence[TimestampedEvent[ParticipantEvent]]) -> SagaStateEntry:
    """The entry a participant's journal gives; it has a record at least."""
    entry = fold(None, journal[0])
    for record in journal[1:]:
        entry = fold(entry, record)
    return entry


def replay_saga(journal: Sequence[TimestampedEvent[InitiatorEvent]]) -> SagaEntry | None:
    """The entry the initiator's journal gives, or None when there is none."""
    entry: SagaEntry | None = None
    for record in journal:
        entry = fold_saga(entry, record)
    return entry


def check_step_event(out: Outgoing, disk: Disk[ParticipantEvent]) -> None:
    """I8: a participant tells nothing but what follows from its committed records."""
    if not isinstance(out, StepEvent):
        raise Violation("I8", f"a participant tells {type(out).__name__}")
    journal = disk.journals.get(out.saga_id, ())
    if not 0 < out.sequence <= len(journal):
        raise Violation("I8", f"{out.step_name} tells {type(out).__name__} before its commit", out.saga_id)
    basis = replay(journal[: out.sequence])
    if isinstance(out, StepStarted):
        follows = is_in(basis, Executing) and basis.state.attempt == out.attempt
    elif isinstance(out, CompensationStarted):
        follows = is_in(basis, Compensating) and basis.state.attempt == out.attempt
    else:
        follows = fact_of(basis) == out
    if not follows:
        raise Violation("I8", f"{type(out).__name__} of {out.step_name} does not follow from its record", out.saga_id)


def check_saga_event(out: Outgoing, disk: Disk[InitiatorEvent]) -> None:
    """I8 for the initiator: what it tells was decided on disk."""
    event: SagaChoreographyEvent = out.event if isinstance(out, TellStep) else out
    events = [record.event for record in disk.all_of(event.saga_id)]
    outcomes = [known.outcome for known in events if isinstance(known, SagaResolved)]
    match event:
        case SagaStarted():
            follows = bool(events)
        case CompensationRequested():
            follows = any(isinstance(known, FenceRaised) and known.cause == event.cause for known in events)
        case SagaCompleted():
            follows = OutcomeKind.COMPLETED in outcomes
        case SagaFailed():
            follows = OutcomeKind.FAILED in outcomes
        case SagaQuarantined():
            follows = len(events) > 1
        case _:
            follows = False
    if not follows:
        raise Violation("I8", f"the initiator tells {type(event).__name__} before its commit", event.saga_id)


def check_evidence(entry: SagaStateEntry) -> None:
    """I11: a parked step has everything an operator needs."""
    saga_id, name = entry.saga_id, entry.step_name
    if not is_in(entry, Quarantined):
        raise Violation("I11", f"{name} calls for an operator and is {type(entry.state).__name__}", saga_id)
    parked = entry.state
    good = bool(parked.reason and parked.error and parked.attempts and parked.input)
    if parked.while_compensating:
        good = good and parked.output == output_of(saga_id, name) and parked.undo == undo_of(saga_id, name)
    if not good:
        raise Violation("I11", f"{name} is parked without evidence: {parked}", saga_id)


def check_refused(memory: StepMemory, spec: ParticipantSpec, now_millis: int) -> None:
    """I15: an operator's word that does not fit is refused, and nothing has changed."""
    for kind in ResolutionKind:
        word = OperatorResolved(resolution=kind, by="operator", why="too late")
        decision = decide(memory, word, spec, now_millis)
        refused = decision.memory is memory and not decision.records
        if not refused or [type(command) for command in decision.commands] != [Refuse]:
            raise Violation("I15", f"{spec.step_name} obeys {kind.value} in {type(memory.entry.state).__name__}")


def check_resolved_once(disk: Disk[InitiatorEvent], saga_id: SagaId) -> None:
    """I2: one terminal record."""
    outcomes = [record for record in disk.all_of(saga_id) if isinstance(record.event, SagaResolved)]
    if len(outcomes) != 1:
        raise Violation("I2", f"{len(outcomes)} terminal records", saga_id)


def check_accounting(origin: SagaOrigin, disks: Mapping[str, Disk[ParticipantEvent]], *, completed: bool) -> None:
    """I3 on disk: an outcome is committed only when every step has answered for good."""
    for name in origin.plan.step_names:
        journal = disks[name].all_of(origin.saga_id)
        entry = replay(journal) if journal else None
        if entry is None or not (is_in(entry, Completed) and entry.fence is None if completed else is_settled(entry)):
            state = "unheard of" if entry is None else type(entry.state).__name__
            raise Violation("I3", f"{'completed' if completed else 'failed'} while {name} is {state}", origin.saga_id)
