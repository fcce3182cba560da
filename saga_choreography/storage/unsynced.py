"""The note that a store is written without waiting for the medium (`Durability.PROCESS`).

The note is durable before the first such commit and goes when the store is closed and written out. Found at an opening,
it tells that its writer was killed. If the machine went down as well, pages of many commits may be missing in the data
file, in any order; then nothing in it is believed before all of it was checked.
"""

from pathlib import Path
from typing import Final, final

from attrs import frozen

from saga_choreography.errors import StoreDamaged
from saga_choreography.storage.files import read_document, write_document
from saga_choreography.storage.lmdb_pages import DATA_NAME, structure_faults

UNSYNCED_NAME: Final = "unsynced.json"
POWER_LOSS: Final = "the machine went down while Durability.PROCESS was in use"
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_REMEDY: Final = "keep the directory as evidence and restore it from a backup; Durability.FSYNC survives power loss"


@final
@frozen(kw_only=True)
class Unsynced:
    """`boot`: the run of the operating system that holds the rest. `commits`: so many were on the medium before."""

    boot: str | None
    commits: int

    def save(self, directory: Path) -> None:
        write_document(directory / UNSYNCED_NAME, {"boot": self.boot, "commits": self.commits})


def boot_id() -> str | None:
    """Identifies this run of the operating system, or None when it does not say."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip() or None
    except OSError:
        return None


def forget(directory: Path) -> None:
    """Everything is on the medium. If the removal itself is lost, the next opening checks once too often."""
    (directory / UNSYNCED_NAME).unlink(missing_ok=True)


def needs_check(store: str, directory: Path) -> Unsynced | None:
    """The note, when the operating system may have taken unwritten pages with it.

    Raises:
        StoreDamaged: the note is unreadable.
        OSError: it cannot be read.
    """
    match read_document(store, directory / UNSYNCED_NAME):
        case None:
            return None
        case {"boot": None | str() as boot, "commits": int(commits)}:
            return None if boot is not None and boot == boot_id() else Unsynced(boot=boot, commits=commits)
        case document:
            raise StoreDamaged(store, f"{UNSYNCED_NAME} is not what was written: {document!r:.200}", _REMEDY)


def require_whole(store: str, directory: Path, note: Unsynced, commits: int) -> None:
    """Refuse a data file in which pages are missing, as far as its structure tells. Never runs the engine.

    Raises:
        StoreDamaged: it is older than it was once for sure, or its pages do not fit together.
    """
    if commits < note.commits:
        raise StoreDamaged(store, f"{POWER_LOSS}: it has {commits} commits, {note.commits} were durable", _REMEDY)
    faults = structure_faults(directory / DATA_NAME)
    if faults:
        raise StoreDamaged(store, f"{POWER_LOSS}: {faults[0]}", _REMEDY)
