"""The environment variable that sets faults in a process of its own: how it is read, and what is wrong with it."""

import re
from enum import Enum, unique
from typing import Final, final

from attrs import frozen

from saga_choreography.helpers.fault_points import FaultPoint

VARIABLE: Final = "SAGA_CHOREOGRAPHY_FAULT"
ANY_ACTOR: Final = "*"


@unique
class FaultAction(Enum):
    """What can be set from outside a process."""

    KILL = "kill"
    FAIL = "fail"


@final
@frozen(kw_only=True)
class FaultSetting:
    """One part of the variable; `actor` None means any."""

    action: FaultAction
    point: FaultPoint
    actor: str | None
    nth: int


class FaultSettingError(ValueError):
    """The variable cannot be read: `part` of it is wrong, `why` says how."""

    def __init__(self, part: str, why: str) -> None:
        self.part = part
        self.why = why
        super().__init__(part, why)

    def __str__(self) -> str:
        return (
            f"environment variable {VARIABLE}: {self.part!r}: {self.why}; write ACTION@POINT[@ACTOR[@NTH]], for example"
            " kill@after_commit@FlightDesk@3, several of them separated by ';', or unset the variable"
        )


def parse_faults(value: str) -> list[FaultSetting]:
    """Read the variable's value; an empty one sets nothing.

    Raises:
        FaultSettingError: a part is malformed.
    """
    return [_parse(part.strip()) for part in value.split(";")] if value.strip() else []


def _parse(part: str) -> FaultSetting:
    words = part.split("@")
    if not 2 <= len(words) <= 4:
        raise FaultSettingError(part, f"it has {len(words)} field(s) between '@' instead of 2 to 4")
    actor = words[2] if len(words) > 2 else ANY_ACTOR
    if not actor:
        raise FaultSettingError(part, f"the actor is empty; {ANY_ACTOR!r} means any actor")
    nth = words[3] if len(words) > 3 else "1"
    if not re.fullmatch(r"0*[1-9][0-9]{0,8}", nth):
        raise FaultSettingError(part, f"the number {nth!r} is no whole number from 1")
    return FaultSetting(
        action=_action(part, words[0]),
        point=_point(part, words[1]),
        actor=None if actor == ANY_ACTOR else actor,
        nth=int(nth),
    )


def _action(part: str, word: str) -> FaultAction:
    try:
        return FaultAction(word)
    except ValueError:
        known = ", ".join(action.value for action in FaultAction)
        raise FaultSettingError(part, f"there is no action {word!r}; there are: {known}") from None


def _point(part: str, word: str) -> FaultPoint:
    try:
        return FaultPoint(word)
    except ValueError:
        known = ", ".join(point.value for point in FaultPoint)
        raise FaultSettingError(part, f"there is no fault point {word!r}; there are: {known}") from None
