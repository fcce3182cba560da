"""How one cycle kills the program: at a random moment, at a fault point, or again while it recovers."""

import random
from enum import Enum, unique
from typing import Final, final

from attrs import frozen

from saga_choreography import Durability
from saga_choreography.helpers.fault_points import FaultPoint
from tests.crash.program import FatalPoint

FSYNC_SHARE: Final = 0.15
TWICE_SHARE: Final = 0.2
_REACHED: Final = {
    FaultPoint.BEFORE_COMMIT: 250,
    FaultPoint.AFTER_COMMIT: 250,
    FaultPoint.AFTER_PUBLISH: 250,
    FaultPoint.BEFORE_CALL: 200,
    FaultPoint.AFTER_CALL: 200,
    FaultPoint.RECOVERING: 60,
}
"""Up to the how-maniest time a fault point is deadly: about as often as it is reached within half a second."""


@unique
class KillKind(Enum):
    """When SIGKILL comes."""

    MOMENT = "at a moment of work"
    STARTING = "at a moment of its start"
    POINT = "at a fault point"


@final
@frozen(kw_only=True)
class Kill:
    """One life of the program: how long after its start (STARTING) or after it was ready (MOMENT) it is killed."""

    kind: KillKind
    seconds: float = 0.0
    fatal: FatalPoint | None = None
    durability: Durability = Durability.PROCESS


def plan_cycle(chance: random.Random, cycle: int) -> list[Kill]:
    """The kills of one cycle: one, or two in quick succession. Every third cycle begins with a fault point."""
    kills = [_at_a_point(chance, tuple(_REACHED)) if cycle % 3 == 2 else _at_work(chance)]
    if chance.random() < TWICE_SHARE:
        kills.append(_while_recovering(chance))
    return kills


def _durability(chance: random.Random) -> Durability:
    return Durability.FSYNC if chance.random() < FSYNC_SHARE else Durability.PROCESS


def _at_work(chance: random.Random) -> Kill:
    return Kill(kind=KillKind.MOMENT, seconds=chance.uniform(0.02, 0.7), durability=_durability(chance))


def _at_a_point(chance: random.Random, points: tuple[FaultPoint, ...]) -> Kill:
    point = chance.choice(points)
    at_work = point is not FaultPoint.RECOVERING and chance.random() < 0.6
    fatal = FatalPoint(point, chance.randint(1, _REACHED[point]), at_work)
    return Kill(kind=KillKind.POINT, fatal=fatal, durability=_durability(chance))


def _while_recovering(chance: random.Random) -> Kill:
    if chance.random() < 0.5:
        return _at_a_point(chance, (FaultPoint.RECOVERING,))
    return Kill(kind=KillKind.STARTING, seconds=chance.uniform(0.0, 0.3), durability=_durability(chance))
