"""What really happened outside: one line per idempotency key, and the checks that need nothing else."""

from collections.abc import Iterable, Mapping
from typing import final

from attrs import define

from saga_choreography.protocol.dependencies import sources
from saga_choreography.testing.simulation.violation import Violation
from saga_choreography.types import SAGA_START, SagaContext, SagaId, SagaPlan


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


def output_of(saga_id: SagaId, source: str) -> bytes:
    """The one right output of a step (or payload of a saga, for SAGA_START)."""
    return f"{saga_id.int % 1000}/{source}".encode()


def undo_of(saga_id: SagaId, step_name: str) -> bytes:
    """The one right undo data of a step."""
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
class Ledger:
    """All effects of one schedule."""

    def __init__(self, plans: Mapping[SagaId, SagaPlan]) -> None:
        self._plans = plans
        self._effects = {
            saga_id: {step.step_name: Effect(saga_id, step.step_name, step.pure) for step in plan.steps}
            for saga_id, plan in plans.items()
        }
        self._keys: dict[tuple[SagaId, str, str], str] = {}
        self._owner: dict[str, tuple[SagaId, str, str]] = {}
        self._order: dict[str, Mapping[str, frozenset[str]]] = {}
        self._ended: set[SagaId] = set()

    def effect(self, saga_id: SagaId, step_name: str) -> Effect:
        """The line of one step."""
        return self._effects[saga_id][step_name]

    def check_key(self, context: SagaContext, direction: str) -> None:
        """I6: one key per step and direction, and no key for two of them.

        Raises:
            Violation: it is broken.
        """
        owner = (context.saga_id, context.step_name, direction)
        key = context.idempotency_key
        if self._keys.setdefault(owner, key) != key or self._owner.setdefault(key, owner) != owner:
            raise Violation("I6", f"{context.step_name} {direction} uses key {key}", context.saga_id)

    def check_do(self, effect: Effect, given: Iterable[bytes]) -> None:
        """Nothing is done after its undo or the saga's end, nor from an input that is gone or wrong.

        Raises:
            Violation: it is.
        """
        saga_id, name = effect.saga_id, effect.step_name
        if saga_id in self._ended:
            raise Violation("I2", f"{name} runs after the saga ended", saga_id)
        if effect.undone:
            raise Violation("I3", f"{name} is done again after its undo", saga_id)
        for value in given:
            source = value.decode().partition("/")[2]
            if value != output_of(saga_id, source):
                raise Violation("I7", f"{name} got {value!r}", saga_id)
            if source == SAGA_START:
                continue
            line = self.effect(saga_id, source)
            if not line.happened or line.undone:
                raise Violation("I5", f"{name} runs while {source} is not there", saga_id)

    def check_undo(self, effect: Effect, undo: bytes) -> None:
        """I5: whatever depends on an effect is gone before the effect is. Only what is there is undone.

        Raises:
            Violation: it is broken.
        """
        saga_id, name = effect.saga_id, effect.step_name
        if saga_id in self._ended:
            raise Violation("I2", f"{name} is undone after the saga ended", saga_id)
        if not effect.happened or effect.pure:
            raise Violation("I3", f"{name} is undone and has no effect", saga_id)
        if undo != undo_of(saga_id, name):
            raise Violation("I11", f"{name} is undone with {undo!r}", saga_id)
        plan = self._plans[saga_id]
        if plan.saga_type not in self._order:
            self._order[plan.saga_type] = waits_for_undo(plan)
        for dependent in self._order[plan.saga_type][name]:
            if self.effect(saga_id, dependent).is_live:
                raise Violation("I5", f"{name} is undone before {dependent}", saga_id)

    def check_outcome(self, saga_id: SagaId, *, completed: bool) -> None:
        """I3 at the moment the outcome is committed.

        Raises:
            Violation: it is broken.
        """
        self._ended.add(saga_id)
        for line in self._effects[saga_id].values():
            if completed and not (line.happened and not line.undone and not line.pending):
                raise Violation("I3", f"completed without the effect of {line.step_name}", saga_id)
            if not completed and line.is_live:
                raise Violation("I3", f"failed with a live effect of {line.step_name}", saga_id)
