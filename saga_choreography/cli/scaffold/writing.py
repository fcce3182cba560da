"""Files are put in place all at once or not at all.

They are written into a hidden folder beside the target, which is then renamed. Whatever goes wrong before that removes
the hidden folder again; the rename itself is one step.
"""

import errno
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from uuid import uuid4

from saga_choreography.cli.faults import PlaceFault, TakenFault

_TAKEN: Final = frozenset({errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR})


def refuse_if_taken(target: Path) -> None:
    """Nothing is ever written over, a broken link included.

    Raises:
        TakenFault: something is there.
    """
    if os.path.lexists(target):
        raise TakenFault(f"{target} exists already; nothing was changed. Choose another name or directory")


def write_tree(target: Path, files: Mapping[str, str]) -> None:
    """Make the folder `target` with these files, by their paths inside of it.

    Raises:
        TakenFault: something is at `target`.
        PlaceFault: it cannot be written there; nothing is left behind.
    """
    refuse_if_taken(target)
    hidden = target.with_name(f".{target.name}-{uuid4().hex}")
    try:
        hidden.mkdir()
        for path, text in files.items():
            _write(hidden / path, text)
        hidden.rename(target)
    except BaseException as error:
        shutil.rmtree(hidden, ignore_errors=True)
        if not isinstance(error, OSError):
            raise
        if error.errno in _TAKEN:
            raise TakenFault(f"{target} has come into being meanwhile; nothing was changed") from error
        raise PlaceFault(f"{target} cannot be written: {error}; nothing was left behind") from error


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
