"""What can go wrong at the command line. Every error shows itself and carries its exit code.

0: all is well. 1: the command ran and found faults. 2: wrong usage. 3 and up: see the classes.
"""

from collections.abc import Sequence
from typing import Final, final

import click

FOUND_FAULTS: Final = 1
"""The command ran to its end, and what it looked at is not as it should be."""


class CommandFault(click.ClickException):
    """The command could not be carried out; nothing was changed."""


@final
class TargetFault(CommandFault):
    """`module:NAME` cannot be imported, or is not what was asked for."""

    exit_code = 3


@final
class WorkflowFault(CommandFault):
    """The workflow that was asked for, or one in the same module, was refused when it was built."""

    exit_code = FOUND_FAULTS

    def __init__(self, target: str, saga_type: str, faults: Sequence[str]) -> None:
        self.target = target
        self.saga_type = saga_type
        self.faults: tuple[str, ...] = tuple(faults)
        lines = "".join(f"\n  - {fault}" for fault in self.faults)
        super().__init__(f"{target}: workflow {saga_type!r} cannot run, {len(self.faults)} fault(s):{lines}")


@final
class NameFault(CommandFault):
    """A name that cannot be the name of what is to be made."""

    exit_code = 4


@final
class TakenFault(CommandFault):
    """The place where something is to be made is taken."""

    exit_code = 5


@final
class StoreFault(CommandFault):
    """A store cannot be read."""

    exit_code = 6


@final
class PlaceFault(CommandFault):
    """The place where something is to be made cannot be used."""

    exit_code = 7
