"""Every interleaving of a small plan, literally: each letter in flight may be the next one delivered.

Nothing here knows the reductions of the model checker: what it says of a plan must agree with what is found here.
"""

from typing import TypeAlias
from uuid import UUID

from attrs import frozen

from saga_choreography.events import SagaChoreographyEvent, SagaCompleted, SagaFailed, StepEvent
from saga_choreography.protocol.commands import AwaitRun, Decision, Forget, Publish, RunCompensation, RunStep
from saga_choreography.protocol.decide import decide
from saga_choreography.protocol.dependencies import can_be_satisfied, sources
from saga_choreography.protocol.facts import is_settled
from saga_choreography.protocol.resolver import accept, resolve
from saga_choreography.protocol.resolver_commands import CancelRequested, Ended, SagaMemory, Tell
from saga_choreography.protocol.routing import addressees
from saga_choreography.protocol.spec import ParticipantSpec
from saga_choreography.protocol.stimuli import (
    CompensationReturned,
    Raised,
    RunGranted,
    StepRaised,
    StepReturned,
    Stimulus,
)
from saga_choreography.state import Completed, Idle
from saga_choreography.state.transitions import new
from saga_choreography.types import PeerId, SagaId, SagaOrigin, SagaPlan

INITIATOR = "@initiator"
DONE = StepReturned(b"", b"")
FAILED = StepRaised(Raised.NO_EFFECT, "no")
CANCEL = CancelRequested("changed my mind")

Letter: TypeAlias = tuple[str, object]
"""Whom it reaches, and the name of what it is."""


@frozen(eq=False)
class World:
    """A state of the whole system. `letters` is what can happen next: events told twice are one, for no rule counts
    them. `ended` counts decisions on an outcome."""

    steps: tuple[Decision, ...]
    saga: SagaMemory
    letters: frozenset[Letter]
    ended: int = 0

    def key(self) -> object:
        """Equal for states that differ in nothing that any rule reads."""
        saga = self.saga
        facts = frozenset((name, fact.status, fact.sequence) for name, fact in saga.facts.items())
        steps = tuple(
            (type(entry.state), entry.sequence, entry.fence is None, frozenset(each.told.arrived), each.told.answered)
            for each in self.steps
            for entry in (each.entry,)
        )
        return steps, saga.entry.fence is None, saga.entry.outcome, facts, self.letters, self.ended


def _behind(plan: SagaPlan, name: str) -> set[str]:
    """Steps that depend on one, looking through pure ones; by the definition, walked step by step."""
    found: set[str] = set()
    fresh = {name}
    while fresh:
        fresh = {
            each.step_name
            for each in plan.steps
            if each.step_name not in found and any(source in fresh for source in sources(each.after))
        }
        found |= fresh
        fresh = {each for each in fresh if (known := plan.step(each)) is not None and known.pure}
    return found


class Interleavings:
    """Follows them all; `faults` are the kinds of faults found, `worlds` the number of states."""

    def __init__(self, plan: SagaPlan) -> None:
        self.plan = plan
        self.faults: set[str] = set()
        self.worlds = 0
        self._behind = {name: _behind(plan, name) for name in plan.step_names}
        origin = SagaOrigin(saga_id=SagaId(UUID(int=0)), initiator=PeerId("i"), started_at_millis=0, plan=plan)
        accepted = accept(origin, b"", b"")
        self._named: dict[object, CancelRequested | Stimulus] = {}
        letters = {self._letter(INITIATOR, CANCEL)}
        for command in accepted.commands:
            if isinstance(command, Tell):
                letters |= self._posted(command.event)
        steps = tuple(Decision(new(origin, name, 0)) for name in plan.step_names)
        self._start = World(steps, accepted.memory, frozenset(letters))

    def follow(self) -> None:
        """Visit every state."""
        seen = {self._start.key()}
        waiting = [self._start]
        while waiting:
            world = waiting.pop()
            self._look(world)
            for letter in world.letters:
                following = self._after(world, letter)
                key = following.key()
                if key not in seen:
                    seen.add(key)
                    waiting.append(following)
        self.worlds = len(seen)

    def _letter(self, whom: str, what: CancelRequested | Stimulus) -> Letter:
        name = (type(what), getattr(what, "step_name", None), getattr(what, "sequence", None))
        self._named.setdefault(name, what)
        return whom, name

    def _posted(self, event: SagaChoreographyEvent) -> set[Letter]:
        interested = addressees(event)
        whom = {name for name in interested.steps if name in self.plan.step_names}
        return {self._letter(each, event) for each in (whom | {INITIATOR} if interested.initiator else whom)}

    def _after(self, world: World, letter: Letter) -> World:
        whom, name = letter
        what = self._named[name]
        letters = set(world.letters - {letter})
        if whom == INITIATOR:
            assert isinstance(what, StepEvent | CancelRequested)
            resolution = resolve(world.saga, what, 0)
            ended = world.ended
            for command in resolution.commands:
                if isinstance(command, Tell):
                    letters |= self._posted(command.event)
                elif isinstance(command, Ended):
                    ended += 1
            return World(world.steps, resolution.memory, frozenset(letters), ended)
        assert not isinstance(what, CancelRequested)
        letters -= {self._letter(whom, DONE), self._letter(whom, FAILED)} if what in (DONE, FAILED) else set()
        number = self.plan.step_names.index(whom)
        turned = self._turn(world, whom, what, letters)
        steps = (*world.steps[:number], turned, *world.steps[number + 1 :])
        return World(steps, world.saga, frozenset(letters), world.ended)

    def _turn(self, world: World, name: str, stimulus: Stimulus, letters: set[Letter]) -> Decision:
        before = world.steps[self.plan.step_names.index(name)]
        decision = decide(before.entry, before.told, stimulus, ParticipantSpec(step_name=name), 0)
        ends = any(isinstance(command, Forget) for command in decision.commands)
        if isinstance(stimulus, SagaCompleted | SagaFailed) and not ends:
            self.faults.add("disagrees")
        for command in decision.commands:
            match command:
                case Publish(event):
                    letters |= self._posted(event)
                case AwaitRun():
                    letters.add(self._letter(name, RunGranted()))
                case RunStep():
                    letters |= {self._letter(name, DONE), self._letter(name, FAILED)}
                case RunCompensation():
                    self._check_order(world, name)
                    letters.add(self._letter(name, CompensationReturned()))
                case _:
                    pass
        return decision

    def _check_order(self, world: World, name: str) -> None:
        for other, memory in zip(self.plan.step_names, world.steps, strict=True):
            ran = not isinstance(memory.entry.state, Idle)
            if other in self._behind[name] and other != name and ran and not is_settled(memory.entry):
                self.faults.add("order")

    def _look(self, world: World) -> None:
        if world.ended > 1:
            self.faults.add("outcomes")
        addressed = {whom for whom, name in world.letters if self._named[name] is not CANCEL}
        if not addressed and world.ended == 0:
            self.faults.add("stuck")
        done = {each.entry.step_name for each in world.steps if isinstance(each.entry.state, Completed)}
        for step, memory in zip(self.plan.steps, world.steps, strict=True):
            waits = isinstance(memory.entry.state, Idle) and memory.entry.fence is None
            if waits and step.step_name not in addressed and can_be_satisfied(step.after, done):
                self.faults.add("untriggered")
