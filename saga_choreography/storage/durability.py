"""What a commit promises. Named for the promise, not for the mechanism."""

from enum import Enum


class Durability(Enum):
    """What an acknowledged commit survives."""

    FSYNC = "fsync"
    """The death of the process, of the operating system, and power loss: every commit waits for the medium."""
    PROCESS = "process"
    """The death of the process only, `kill -9` included: a commit waits for the operating system, not for the medium.

    After power loss or a crash of the operating system, acknowledged commits may be missing and the store may be
    damaged beyond repair. For tests, and for programs whose world ends with the machine.
    """
