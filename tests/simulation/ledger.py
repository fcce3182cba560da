"""What really happened outside: one line per idempotency key, and the checks that need nothing else."""

from collections.abc import Mapping
from typing import final

from attrs import define, field

from saga_choreography.protocol.dependencies import sources
from saga_choreography.types import SAGA_START, SagaContext, SagaId, SagaOrigin, SagaPlan, StepInput
from tests.simulation.violation import Violation


@final
@define(eq=False)
class Effect:
    """One step's effect outside, under one key."""

    saga_id: SagaId
    step_name: str
    pure: bool
    happened: bool = False
    undone: bool = False
    pending: bool = False
    excused: bool = False
    """An operator said that it need not be undone."""
    watcher: int = -1
    """The incarnation of the participant that watches for the end of a pending step."""

    @property
    def is_live(self) -> bool:
        """Whether something is left that somebody would have to undo."""
        return not self.pure and (self.pending or (self.happened and not self.undone and not self.excused))


def output_of(saga_id: SagaId, step_name: str) -> bytes:
    """The one right output of a step (or payload of a saga, for SAGA_START)."""
    return f"{saga_id.int % 1000}/{step_name}".encode()


def undo_of(saga_id: SagaId, step_name: str) -> bytes:
    return b"undo " + output_of(saga_id, step_name)


def waits_for_undo(plan: SagaPlan) -> Mapping[str, frozenset[str]]:
    """For each step all steps that must be gone before it is undone, worked out anew from the declared graph."""
    direct: dict[str, set[str]] = {name: set() for name in plan.step_names}
    for step in plan.steps:
        for source in sources(step.after):
            if source != SAGA_START:
                direct[source].add(step.step_name)
    pure = {step.step_name for step in plan.steps if step.pure}
    changed = True
    while changed:
        changed = False
        for dependents in direct.values():
            seen_through = {far for near in dependents & pure for far in direct[near]}
            if not seen_through <= dependents:
                dependents |= seen_through
                changed = True
    return {name: frozenset(dependents) for name, dependents in direct.items()}


@final
@define(eq=False)
class Ledger:
    """All effects of one schedule."""

    effects: dict[SagaId, dict[str, Effect]] = field(factory=dict)
    """By saga, then by step; a step that used two keys is caught before it gets here."""
    _keys: dict[tuple[SagaId, str, str], str] = field(factory=dict)
    _owner: dict[str, tuple[SagaId, str, str]] = field(factory=dict)
    _order: dict[str, Mapping[str, frozenset[str]]] = field(factory=dict)
    ended: set[SagaId] = field(factory=set)

    def effect(self, origin: SagaOrigin, step_name: str) -> Effect:
        """The line of one step."""
        lines = self.effects.setdefault(origin.saga_id, {})
        if step_name not in lines:
            plan = origin.plan.step(step_name)
            lines[step_name] = Effect(origin.saga_id, step_name, plan is not None and plan.pure)
        return lines[step_name]

    def check_key(self, context: SagaContext, direction: str) -> None:
        """I6: one key per step and direction, and no key for two of them."""
        owner = (context.saga_id, context.step_name, direction)
        key = context.idempotency_key
        if self._keys.setdefault(owner, key) != key or self._owner.setdefault(key, owner) != owner:
            raise Violation("I6", f"{context.step_name} {direction} uses key {key}", context.saga_id)

    def check_do(self, origin: SagaOrigin, effect: Effect, step_input: StepInput) -> None:
        """Nothing is done after its undo or the saga's end, nor from an input that is gone or wrong."""
        if effect.saga_id in self.ended:
            raise Violation("I2", f"{effect.step_name} runs after the saga ended", effect.saga_id)
        if effect.undone:
            raise Violation("I3", f"{effect.step_name} is done again after its undo", effect.saga_id)
        for source, value in step_input:
            if value != output_of(effect.saga_id, source):
                raise Violation("I7", f"{effect.step_name} got {value!r} from {source}", effect.saga_id)
            if source == SAGA_START:
                continue
            line = self.effect(origin, source)
            if not line.happened or line.undone:
                raise Violation("I5", f"{effect.step_name} runs while {source} is not there", effect.saga_id)

    def check_undo(self, origin: SagaOrigin, effect: Effect, undo: bytes) -> None:
        """I5: whatever depends on an effect is gone before the effect is. Only what is there is undone."""
        saga_id, name = effect.saga_id, effect.step_name
        if saga_id in self.ended:
            raise Violation("I2", f"{name} is undone after the saga ended", saga_id)
        if not effect.happened or effect.pure:
            raise Violation("I3", f"{name} is undone and has no effect", saga_id)
        if undo != undo_of(saga_id, name):
            raise Violation("I11", f"{name} is undone with {undo!r}", saga_id)
        plan = origin.plan
        order = self._order.setdefault(plan.saga_type, waits_for_undo(plan))
        for dependent in order[name]:
            if self.effect(origin, dependent).is_live:
                raise Violation("I5", f"{name} is undone before {dependent}", saga_id)

    def check_outcome(self, origin: SagaOrigin, *, completed: bool) -> None:
        """I3 at the moment the outcome is committed."""
        self.ended.add(origin.saga_id)
        for step in origin.plan.steps:
            line = self.effect(origin, step.step_name)
            if completed and not (line.happened and not line.undone and not line.pending):
                raise Violation("I3", f"completed without the effect of {step.step_name}", origin.saga_id)
            if not completed and line.is_live:
                raise Violation("I3", f"failed with a live effect of {step.step_name}", origin.saga_id)
