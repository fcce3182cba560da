"""What an error of LMDB means for the store, and what to do about it."""

import errno
from typing import Final

import lmdb

from saga_choreography.errors import (
    StoreDamaged,
    StoreError,
    StoreFull,
    StoreLocked,
    StoreMisused,
    StoreVersionError,
)

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
# No transaction is used any further after an error: one that LMDB itself finds spoilt has met a bad page. A cursor is
# full when pages refer to each other in a circle.
_DAMAGE: Final = (
    lmdb.PanicError,
    lmdb.CorruptedError,
    lmdb.PageNotFoundError,
    lmdb.InvalidError,
    lmdb.BadTxnError,
    lmdb.CursorFullError,
)
_RESTORE: Final = "close it and open it again; if that fails, keep the directory as evidence and restore a backup"


def store_fault(store: str, error: lmdb.Error, *, is_disk_full: bool = False) -> StoreError:
    """The store error for an error in a transaction. After `StoreDamaged` the environment must be opened again.

    On a full disk (`is_disk_full`) a write may be cut short, which LMDB reports as EIO.
    """
    why = str(error)
    code: int = getattr(error, "code", 0)  # only errors that LMDB itself reported have one
    if isinstance(error, lmdb.MapFullError):
        return StoreFull(store, f"it reached its size limit ({why})", "raise max_map_bytes, or prune finished sagas")
    cut_short = is_disk_full and code == errno.EIO and not isinstance(error, _DAMAGE)
    if isinstance(error, lmdb.DiskError) or code in _FULL or cut_short:
        return StoreFull(store, f"the disk is full ({why})", "free space on this disk, then try again")
    if isinstance(error, _DAMAGE) or code == errno.EIO:
        return StoreDamaged(store, f"the medium failed ({why})", _RESTORE)
    if isinstance(error, lmdb.ReadersFullError):
        return StoreError(store, f"too many readers ({why})", "close some of the processes that inspect it")
    if isinstance(error, lmdb.TxnFullError):
        return StoreMisused(store, f"one transaction is too large ({why})", "write it in several transactions")
    return StoreError(store, f"LMDB failed ({why})", "try again; if it stays so, restart this process")


def opening_fault(store: str, error: lmdb.Error) -> StoreError:
    """The store error for an error while opening."""
    if "already open in this process" in str(error):
        return StoreLocked(store, "it is already open in this process", "share the environment that has it open")
    if isinstance(error, lmdb.VersionMismatchError):
        return StoreVersionError(store, f"another LMDB wrote it ({error})", "use the library version that wrote it")
    if isinstance(error, lmdb.NotFoundError | lmdb.IncompatibleError):
        return StoreDamaged(store, f"tables are missing in its data file ({error})", _RESTORE)
    return store_fault(store, error)
