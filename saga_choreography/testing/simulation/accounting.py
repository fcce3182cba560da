"""What is checked when a record is committed: starts of attempts, evidence, the one outcome and its accounting."""

from collections.abc import Mapping

from saga_choreography.events import (
    FenceRecorded,
    InitiatorEvent,
    OutcomeKind,
    ParticipantEvent,
    SagaResolved,
    StepExecutionStarted,
    StepQuarantined,
    TimestampedEvent,
)
from saga_choreography.protocol.facts import is_settled
from saga_choreography.state import Completed, Quarantined, is_in
from saga_choreography.testing.simulation.roles import InitiatorDisk, ParticipantDisk
from saga_choreography.testing.simulation.violation import Violation
from saga_choreography.types import SagaId, SagaOrigin


def check_step_record(disk: ParticipantDisk, saga_id: SagaId, record: TimestampedEvent[ParticipantEvent]) -> None:
    """I4: nothing starts behind a fence. I11: what is parked has all an operator needs.

    Raises:
        Violation: one of them is broken.
    """
    event = record.event
    if isinstance(event, StepExecutionStarted) and event.attempt == 1:
        before = disk.records[saga_id][: record.sequence - 1]
        if any(isinstance(known.event, FenceRecorded) for known in before):
            raise Violation("I4", f"{disk.name} starts behind the fence", saga_id)
    elif isinstance(event, StepQuarantined):
        entry = disk.entries[saga_id][record.sequence - 1]
        if not is_in(entry, Quarantined):
            raise Violation("I11", f"{disk.name} is parked as {type(entry.state).__name__}", saga_id)
        parked = entry.state
        is_complete = bool(parked.reason and parked.error and parked.attempts and parked.input)
        if parked.while_compensating:
            is_complete = is_complete and parked.output is not None and parked.undo is not None
        if not is_complete:
            raise Violation("I11", f"{disk.name} is parked without evidence: {parked}", saga_id)


def outcome_in(
    disk: InitiatorDisk, saga_id: SagaId, record: TimestampedEvent[InitiatorEvent]
) -> tuple[SagaOrigin, OutcomeKind] | None:
    """I2: the outcome a record holds, if it holds one.

    Raises:
        Violation: it is not the first.
    """
    if not isinstance(record.event, SagaResolved):
        return None
    outcomes = [known for known in disk.records[saga_id] if isinstance(known.event, SagaResolved)]
    if len(outcomes) != 1:
        raise Violation("I2", f"{len(outcomes)} terminal records", saga_id)
    return disk.entries[saga_id][-1].origin, record.event.outcome


def check_accounting(origin: SagaOrigin, outcome: OutcomeKind, disks: Mapping[str, ParticipantDisk]) -> None:
    """I3 on disk: an outcome is committed only when every step (by name) has answered for good.

    Raises:
        Violation: one has not.
    """
    for name in origin.plan.step_names:
        entry = disks[name].last(origin.saga_id)
        if entry is None:
            answered = False
        elif outcome is OutcomeKind.COMPLETED:
            answered = is_in(entry, Completed) and entry.fence is None
        else:
            answered = is_settled(entry)
        if not answered:
            state = "unheard of" if entry is None else type(entry.state).__name__
            raise Violation("I3", f"{outcome.value} while {name} is {state}", origin.saga_id)
