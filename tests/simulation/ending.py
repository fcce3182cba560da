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
from saga_choreography.state import Quarantined, is_in
from saga_choreography.types import SagaId, SagaOrigin
from tests.simulation.fate import Profile
from tests.simulation.invariants import replay, replay_saga
from tests.simulation.scene import Scene
from tests.simulation.violation import Violation


def check(scene: Scene, profile: Profile, told: Sequence[SagaChoreographyEvent], faults: Mapping[str, int]) -> None:
    """I1, I2, I7.

    Raises:
        Violation: one of them is broken.
    """
    for origin in scene.origins:
        _check_saga(scene, origin)
    for node in scene.nodes.values():
        for saga_id in (*node.remembered(), *node.disk.live):
            raise Violation("I1", f"{node.name} still remembers an ended saga", saga_id)
    _check_one_outcome(told)
    facts = [event for event in told if not isinstance(event, StepStarted | CompensationStarted)]
    if profile.keeps_order:
        _check_nothing_is_repeated(facts, faults)
    if profile.is_smooth and faults["timers"]:
        raise Violation("I7", "a timer was needed without any fault")
    _check_chatter(scene, facts, faults)


def check_parked(scene: Scene) -> None:
    """When nothing moves but an operator can help, the initiator says so and names exactly the quarantined steps."""
    for saga_id, memory in scene.initiator.sagas.items():
        quarantined = {
            name
            for name, node in scene.participants.items()
            if saga_id in node.memories and is_in(node.memories[saga_id].entry, Quarantined)
        }
        parked = {step.step_name for step in memory.entry.parked}
        if quarantined != parked:
            raise Violation("I11", f"{sorted(quarantined)} wait for an operator, {sorted(parked)} are named", saga_id)


def _check_saga(scene: Scene, origin: SagaOrigin) -> None:
    """An accepted saga ended, everybody knows its one outcome, and the journals say the same."""
    saga_id = origin.saga_id
    entry = replay_saga(scene.initiator.disk.all_of(saga_id))
    if entry is None or entry.outcome is None:
        raise Violation("I1", "the saga has not ended", saga_id)
    for name in origin.plan.step_names:
        records = scene.participants[name].disk.all_of(saga_id)
        last = records[-1].event if records else None
        if not isinstance(last, SagaEnded) or last.outcome is not entry.outcome:
            raise Violation("I2", f"{name} has not heard of the outcome", saga_id)
        ended = replay(records)
        if is_settled(ended) is (entry.outcome is OutcomeKind.COMPLETED):
            raise Violation("I3", f"{name} is {type(ended.state).__name__} at the end", saga_id)


def _check_one_outcome(told: Sequence[SagaChoreographyEvent]) -> None:
    """Terminal events of one saga are all the same."""
    outcomes: dict[SagaId, SagaChoreographyEvent] = {}
    for event in told:
        if isinstance(event, SagaOutcome) and outcomes.setdefault(event.saga_id, event) != event:
            raise Violation("I2", "two different outcomes were told", event.saga_id)


def _check_nothing_is_repeated(facts: Sequence[SagaChoreographyEvent], faults: Mapping[str, int]) -> None:
    """With perfect messages and nodes, telling anything twice would hide a lost one."""
    if faults["answered late"]:
        raise Violation("I7", "an outcome was told late without any fault")
    for number, event in enumerate(facts):
        # A saga that is parked again behind its fence says so again.
        if event in facts[:number] and not isinstance(event, SagaQuarantined):
            raise Violation("I7", f"{type(event).__name__} was told twice without any fault", event.saga_id)


def _check_chatter(scene: Scene, facts: Sequence[SagaChoreographyEvent], faults: Mapping[str, int]) -> None:
    """Facts told are bounded by steps and faults: no reply to a reply."""
    sagas = len(scene.origins)
    steps = sum(len(origin.plan.steps) for origin in scene.origins)
    crashes = faults["crashes of one"] + len(scene.nodes) * faults["crashes of all"]
    bound = 6 * steps + 4 * sagas + 2 * faults["operator words"] + crashes * (sagas + 1)
    if len(facts) > bound:
        raise Violation("I7", f"{len(facts)} facts were told, {bound} are enough")
