"""What a commit promises. Named for the promise, not for the mechanism."""

from enum import Enum


class Durability(Enum):
    """What an acknowledged commit survives."""

    FSYNC = "fsync"
    """The death of the process, of the operating system, and power loss: every commit waits for the medium.

    Also what a killed process left behind is on the medium before the next one acts on it.
    """
    PROCESS = "process"
    """The death of the process only, `kill -9` included: a commit waits for the operating system, not for the medium.

    Power loss, or a crash of the operating system, may cost any number of the last commits, acknowledged or not, and
    may leave a data file that does not fit together. Such a store is never believed blindly: its directory says that it
    was in use, so the next start (on another run of the machine) walks every page and reads every row before anything
    is resumed. It then opens in a state it once had, which may be an older one, or is refused with `StoreDamaged`,
    untouched. What was on the medium when the store was last opened is never missing without that error. Stores of
    several actors may be at different points: a saga that one of them has forgotten may have had effects. For tests,
    and for programs whose world ends with the machine.
    """
