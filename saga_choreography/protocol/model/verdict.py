"""What a check of a plan found: how much was looked at, what holds, and a story for everything that does not."""

from enum import Enum
from typing import final

from attrs import frozen


class Property(Enum):
    """What must hold for every run of a plan."""

    TRIGGERED = "every step is triggered once what it waits for has completed"
    ORDER = "a step is undone only after every step that depends on it has settled"
    NO_CYCLE = "no steps wait for each other while they are undone"
    REACHED = "every failure reaches all who must undo, and each of them hears what it waits for"
    ONE_OUTCOME = "every run ends, in exactly one outcome that fits what was done"


@final
@frozen
class PlanFault:
    """A run that breaks a property: the steps at fault, in a sentence, and what happened, event by event."""

    breaks: Property
    steps: tuple[str, ...]
    what: str
    trace: tuple[str, ...] = ()


@final
@frozen(kw_only=True)
class PlanVerdict:
    """The result for one plan.

    `explored`: whether runs were explored; otherwise the plan has too many steps and only its structure was checked.
    `states`: sets of completed steps a saga can reach; `runs`: endings followed from them; `turns`: different turns of
    participants and initiator that took place.
    """

    faults: tuple[PlanFault, ...]
    explored: bool
    states: int = 0
    runs: int = 0
    turns: int = 0

    @property
    def proven(self) -> tuple[Property, ...]:
        """The properties no fault was found against; none when runs were not explored."""
        broken = {fault.breaks for fault in self.faults}
        return tuple(each for each in Property if each not in broken) if self.explored else ()
