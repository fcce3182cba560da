"""`saga-choreography`: what a programmer and an operator do from a shell. Needs the extra `cli`."""

import sys
from typing import Final

MISSING_EXTRA: Final = 127
"""Exit code: the packages of the extra are not installed."""
_EXTRA: Final = frozenset({"click", "jinja2"})


def main() -> None:
    """Entry point of the console script.

    Raises:
        SystemExit: always, with the exit code of the command.
    """
    try:
        from saga_choreography.cli.commands import commands
    except ModuleNotFoundError as error:
        if error.name not in _EXTRA:
            raise
        print(f"The package {error.name!r} is missing: pip install 'saga_choreography[cli]'", file=sys.stderr)
        sys.exit(MISSING_EXTRA)
    commands()
