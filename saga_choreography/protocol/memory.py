"""What a participant keeps in memory of its step of one live saga, beside the entry that its journal gives."""

from collections.abc import Mapping
from typing import Final, final

from attrs import frozen

from saga_choreography.state import SagaStateEntry
from saga_choreography.types import StepPlan

_NOTHING: Final[Mapping[str, bytes]] = {}


@final
@frozen(kw_only=True)
class Told:
    """What others told, which needs no disk: it is told again after a restart.

    `arrived` holds the values of satisfied sources while a join waits for more; `answered` the dependents that have
    settled; `probes` counts failed probes of the current doubt.
    """

    arrived: Mapping[str, bytes] = _NOTHING
    answered: frozenset[str] = frozenset()
    probes: int = 0

    def holding(self, arrived: Mapping[str, bytes]) -> "Told":
        """The same, with other values that have arrived."""
        return Told(arrived=arrived, answered=self.answered, probes=self.probes)

    def answered_by(self, step_name: str) -> "Told":
        """The same, and one more dependent has settled."""
        return Told(arrived=self.arrived, answered=self.answered | {step_name}, probes=self.probes)

    def probed(self, probes: int) -> "Told":
        """The same, with another count of failed probes."""
        return Told(arrived=self.arrived, answered=self.answered, probes=probes)

    def __bool__(self) -> bool:
        """Whether there is anything to keep."""
        return bool(self.arrived or self.answered or self.probes)


NOTHING_TOLD: Final = Told()
"""Shared by all sagas of which nobody told anything that must be kept: most of them, most of the time."""


def plan_of(entry: SagaStateEntry) -> StepPlan | None:
    """The entry's own slice of the plan; None when the plan does not name this step."""
    return entry.origin.plan.step(entry.step_name)
