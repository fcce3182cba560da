"""What a participant keeps in memory of its step of one live saga."""

from collections.abc import Mapping
from typing import Final, final

from attrs import frozen

from saga_choreography.state import SagaStateEntry
from saga_choreography.state.transitions import new
from saga_choreography.types import SagaOrigin, StepPlan

_NOTHING: Final[Mapping[str, bytes]] = {}


@final
@frozen(kw_only=True)
class StepMemory:
    """The entry (always equal to the replay of its journal) and what others told, which needs no disk.

    `arrived` holds the values of satisfied sources while a join waits for more; `answered` the dependents that have
    settled; `probes` counts failed probes of the current doubt.
    """

    entry: SagaStateEntry
    arrived: Mapping[str, bytes] = _NOTHING
    answered: frozenset[str] = frozenset()
    probes: int = 0

    def holding(self, arrived: Mapping[str, bytes]) -> "StepMemory":
        """The same memory with other values that have arrived."""
        return StepMemory(entry=self.entry, arrived=arrived, answered=self.answered, probes=self.probes)

    def answered_by(self, step_name: str) -> "StepMemory":
        """The same memory, and one more dependent has settled."""
        answered = self.answered | {step_name}
        return StepMemory(entry=self.entry, arrived=self.arrived, answered=answered, probes=self.probes)

    def moved_to(self, entry: SagaStateEntry) -> "StepMemory":
        """The same memory of others, beside another entry."""
        return StepMemory(entry=entry, arrived=self.arrived, answered=self.answered, probes=self.probes)


def unheard_of(origin: SagaOrigin, step_name: str, now_millis: int) -> StepMemory:
    """Memory of a saga this participant has not met before."""
    return StepMemory(entry=new(origin, step_name, now_millis))


def plan_of(entry: SagaStateEntry) -> StepPlan | None:
    """The entry's own slice of the plan; None when the plan does not name this step."""
    return entry.origin.plan.step(entry.step_name)
