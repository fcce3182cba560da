"""Where the server of Restate is looked for: in `RESTATE_SERVER`, then as `restate-server` on the PATH."""

import os
import shutil
from typing import Final

VARIABLE: Final = "RESTATE_SERVER"
_PROGRAM: Final = "restate-server"


def find() -> str | None:
    """The program, as a path."""
    named = os.environ.get(VARIABLE)
    return shutil.which(_PROGRAM if named is None else named)


def missing() -> str | None:
    """What is missing, and where to get it."""
    if find() is not None:
        return None
    named = os.environ.get(VARIABLE)
    where = f"{_PROGRAM} is not on the PATH" if named is None else f"{VARIABLE} names no program: {named}"
    return (
        f"{where} (npm install @restatedev/restate-server, then set {VARIABLE} to its node_modules/.bin/{_PROGRAM}; "
        f"or take a binary of its releases)"
    )
