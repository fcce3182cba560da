"""What must hold when everything has come to rest, for a while or for good."""

from collections.abc import Mapping, Sequence

from saga_choreography.events import (
    CompensationStarted,
    OutcomeKind,
    SagaChoreographyEvent,
    SagaEnded,
    SagaOutcome,
    SagaQuarantined,
    StepStarted,
)
from saga_choreography.protocol.facts import is_settled
from saga_choreography.protocol.resolver import outcome_event
from saga_choreography.state import Quarantined, is_in
from saga_choreography.testing.simulation.program import Program
from saga_choreography.testing.simulation.subject import Start, Subject
from saga_choreography.testing.simulation.violation import Violation
from saga_choreography.types import SagaId


def check_end(program: Program, subject: Subject, parked: frozenset[SagaId]) -> None:
    """I1, I2, I3, I7, I13. Sagas in `parked` wait for an operator for ever; all others have ended.

    Raises:
        Violation: one of them is broken.
    """
    starts = subject.starts
    for start in starts:
        if start.saga_id not in parked:
            _check_saga(program, start)
    for node in program.nodes.values():
        for role in node.roles:
            for saga_id in (*role.remembered(), *role.disk.live_sagas()):
                if saga_id not in parked:
                    raise Violation("I1", f"{node.peer_id} still remembers an ended saga", saga_id)
            role.check_memory()
    if program.initiator.admission.in_flight != len(parked):
        raise Violation("I13", f"{program.initiator.admission.in_flight} places are taken")
    _check_one_outcome(program.told)
    faults = program.chance.faults
    facts = [event for event in program.told if not isinstance(event, StepStarted | CompensationStarted)]
    if program.weather.keeps_order:
        _check_nothing_is_repeated(program, facts)
    if program.weather.is_smooth and faults["timers"] and not subject.needs_timers:
        raise Violation("I7", "a timer was needed without any fault")
    _check_chatter(program, starts, facts, faults)


def check_rest(program: Program) -> None:
    """When nothing moves but an operator can help, the initiator says so and names exactly the quarantined steps.

    Raises:
        Violation: it names others.
    """
    for saga_id, entry in program.initiator.entries().items():
        quarantined = {
            state.step_name
            for node in program.nodes.values()
            if node.participant is not None
            and (state := node.participant.states.get(saga_id)) is not None
            and is_in(state, Quarantined)
        }
        parked = {step.step_name for step in entry.parked}
        if quarantined != parked:
            raise Violation("I11", f"{sorted(quarantined)} wait for an operator, {sorted(parked)} are named", saga_id)


def _check_saga(program: Program, start: Start) -> None:
    """The saga ended, everybody knows its one outcome, and the journals say the same."""
    saga_id = start.saga_id
    entry = program.initiator.disk.last(saga_id)
    if entry is None or entry.outcome is None:
        raise Violation("I1", "the saga has not ended", saga_id)
    handle = program.initiator.handles.get(saga_id)
    if handle is not None and handle.verdict != outcome_event(entry):
        raise Violation("I1", f"who waits for the saga hears {type(handle.verdict).__name__}", saga_id)
    for name in start.plan.step_names:
        disk = program.disk_of(name)
        records = disk.records.get(saga_id)
        last = records[-1].event if records else None
        if not isinstance(last, SagaEnded) or last.outcome is not entry.outcome:
            raise Violation("I2", f"{name} has not heard of the outcome", saga_id)
        if is_settled(disk.entries[saga_id][-1]) is (entry.outcome is OutcomeKind.COMPLETED):
            state = type(disk.entries[saga_id][-1].state).__name__
            raise Violation("I3", f"{name} is {state} at the end", saga_id)


def _check_one_outcome(told: Sequence[SagaChoreographyEvent]) -> None:
    """Terminal events of one saga are all the same."""
    outcomes: dict[SagaId, SagaChoreographyEvent] = {}
    for event in told:
        if isinstance(event, SagaOutcome) and outcomes.setdefault(event.saga_id, event) != event:
            raise Violation("I2", "two different outcomes were told", event.saga_id)


def _check_nothing_is_repeated(program: Program, facts: Sequence[SagaChoreographyEvent]) -> None:
    """With perfect messages and actors, telling anything twice would hide a lost one."""
    if program.chance.faults["answered late"]:
        raise Violation("I7", "an outcome was told late without any fault")
    for node in program.nodes.values():
        if node.participant is not None:
            retold = node.participant.count_retold()
            if retold:
                raise Violation("I7", f"{node.peer_id} told {retold} facts again without any fault")
    for number, event in enumerate(facts):
        # A saga that is parked again behind its fence says so again.
        if event in facts[:number] and not isinstance(event, SagaQuarantined):
            raise Violation("I7", f"{type(event).__name__} was told twice without any fault", event.saga_id)


def _check_chatter(
    program: Program, starts: Sequence[Start], facts: Sequence[SagaChoreographyEvent], faults: Mapping[str, int]
) -> None:
    """Facts told are bounded by steps and faults: no reply to a reply."""
    sagas = len(starts)
    steps = sum(len(start.plan.steps) for start in starts)
    restarts = faults["actors killed"] + faults["actors stopped"]
    bound = 6 * steps + 4 * sagas + 2 * faults["operator words"] + restarts * (sagas + 1)
    if len(facts) > bound:
        raise Violation("I7", f"{len(facts)} facts were told, {bound} are enough")
