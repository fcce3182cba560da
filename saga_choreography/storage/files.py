"""Files a store stands on: written so that a crash leaves the old or the new one, never half of one."""

import errno
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeAlias

from saga_choreography.errors import StoreDamaged, StoreError, StoreFull

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_REFUSED: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_NO_DIRECTORY: Final = frozenset({errno.ENOTDIR, errno.EEXIST, errno.ENOENT})


def file_fault(store: str, error: OSError) -> StoreError:
    """The store error that an error of the operating system amounts to."""
    why = error.strerror or str(error)
    if error.filename is not None:
        why = f"{why}: {error.filename}"
    if error.errno in _FULL:
        return StoreFull(store, why, "free space on this disk, then try again")
    if error.errno in _REFUSED:
        return StoreError(store, why, "give this user write permission, or choose another directory")
    if error.errno in _NO_DIRECTORY:
        return StoreError(store, why, "choose a path that is a directory, or does not exist and can be created")
    return StoreError(store, why, "check the disk and the system log, then try again")


def sync_directory(path: Path) -> None:
    """Make the names inside a directory survive power loss."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_directory(path: Path) -> None:
    """Create a directory and its parents so that their names survive power loss.

    Raises:
        OSError: something else is in the way, or it may not be created.
    """
    missing: list[Path] = []
    here = path
    while not here.exists():
        missing.append(here)
        here = here.parent
    # The last one that is there may be ours, made by a process that was killed before it could make the name durable.
    # A parent that may not be read is not: we would have failed to make anything in it.
    with suppress(PermissionError):
        sync_directory(here.parent)
    for directory in reversed(missing):
        directory.mkdir(exist_ok=True)
        sync_directory(directory.parent)
    if not path.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))


def write_document(path: Path, document: Mapping[str, object]) -> None:
    """Replace a JSON file as a whole: after a crash it is the old one or the new one."""
    draft = path.with_name(path.name + ".tmp")
    with draft.open("w", encoding="utf-8") as file:
        json.dump(document, file, indent=1, sort_keys=True)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync_directory(path.parent)


def parse_document(store: str, what: str, raw: bytes) -> dict[str, Json]:
    """A JSON object.

    Raises:
        StoreDamaged: the bytes are something else.
    """
    try:
        document: Json = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise StoreDamaged(store, f"{what} is unreadable: {error}", "restore it from a backup") from error
    if not isinstance(document, dict):
        raise StoreDamaged(store, f"{what} is unreadable: not an object", "restore it from a backup")
    return document


def read_document(store: str, path: Path) -> dict[str, Json] | None:
    """The JSON object in a file, or None when there is no such file.

    Raises:
        StoreDamaged: the file is something else.
        OSError: it cannot be read.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    return parse_document(store, path.name, raw)
