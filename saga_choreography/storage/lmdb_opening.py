"""Opening an LMDB environment: make a new one durable, recognise a known one, refuse anything else.

What an opened store shows is on the medium: a process that was killed may have left names and commits that only the
operating system knows, and whoever reads them acts on them.
"""

import errno
import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeAlias, TypedDict

import lmdb

from saga_choreography.errors import StoreDamaged, StoreError, StoreFull
from saga_choreography.storage.durability import Durability
from saga_choreography.storage.files import sync_directory
from saga_choreography.storage.layout import TABLES
from saga_choreography.storage.lmdb_faults import opening_fault
from saga_choreography.storage.lmdb_identity import (
    IDENTITY_NAME,
    StoreIdentity,
    StoreState,
    check_inside,
    check_owner,
    load_identity,
)
from saga_choreography.storage.lmdb_pages import DATA_NAME, WALKED_AFTER_KILL_BYTES, WALKED_BYTES, check_data_file
from saga_choreography.storage.unsynced import Unsynced, needs_check, require_whole

Handles: TypeAlias = "Mapping[str, lmdb._Database]"


class _Settings(TypedDict):
    map_size: int
    max_dbs: int
    max_spare_txns: int
    mode: int
    sync: bool
    metasync: bool


READERS_NAME: Final = "lock.mdb"
_READER_MAP_BYTES: Final = 1 << 30
_READERS_BYTES: Final = 16_384
_IDENTITY_TABLE: Final = b"identity"
_IDENTITY_KEY: Final = b"identity"
_FIRST_BYTES: Final = 1 << 20
_REMEDY: Final = "keep the directory as evidence and restore it from a backup"


def open_for_writing(
    store: str,
    path: Path,
    owner: str,
    durability: Durability,
    map_bytes: int,
    *,
    must_exist: bool,
    closed_well: bool,
) -> tuple[lmdb.Environment, Handles, Unsynced | None]:
    """Open, or create, the environment in a directory whose lock is held; the note, when its rows must be audited.

    Raises:
        StoreDamaged, StoreVersionError, StoreFull, StoreError: it may not or cannot be used; nothing was changed.
        OSError: a file cannot be read or written.
    """
    identity = load_identity(store, path)
    if identity is None:
        for name in (DATA_NAME, READERS_NAME):
            if (path / name).exists():
                raise StoreDamaged(store, f"{name} is there, but {IDENTITY_NAME} is missing", _REMEDY)
        if must_exist:
            raise StoreDamaged(store, "it existed before and is gone", _REMEDY)
        _require_space(store, path)
        identity = StoreIdentity.fresh(owner)
        identity.save(path)
    check_owner(store, identity, owner)
    if must_exist and identity.state is not StoreState.READY:
        raise StoreDamaged(store, f"it existed before, {IDENTITY_NAME} says it was never finished", _REMEDY)
    # "ready" may not be forgotten once it was believed, nor may the identity vanish from beside its data.
    sync_directory(path)
    if identity.state is StoreState.CREATING:
        return *_create(store, path, identity, durability, map_bytes), None
    walked_bytes = WALKED_BYTES if closed_well else WALKED_AFTER_KILL_BYTES
    commits = check_data_file(store, path / DATA_NAME, walked_bytes=walked_bytes)
    doubt = needs_check(store, path)
    if doubt is not None:
        require_whole(store, path, doubt, commits)
    return *_open_known(store, path, identity, durability, map_bytes), doubt


def open_for_reading(store: str, path: Path) -> tuple[lmdb.Environment, Handles, StoreIdentity, Unsynced | None]:
    """Open an existing environment for inspection, beside its writer.

    Raises:
        StoreError: there is no finished store; or as for writing.
        OSError: a file cannot be read.
    """
    identity = load_identity(store, path)
    if identity is None or identity.state is not StoreState.READY:
        raise StoreError(store, "there is no store here", "check the path, and whether its actor ever started")
    commits = check_data_file(store, path / DATA_NAME)
    doubt = needs_check(store, path)
    if doubt is not None:
        require_whole(store, path, doubt, commits)
    try:
        reserve_readers(path)
    except OSError as error:
        # On a read-only medium there is no writer either, and LMDB reads without its lock file.
        if error.errno != errno.EROFS:
            raise
    try:
        raw = lmdb.open(
            str(path),
            readonly=True,
            create=False,
            # Twice the file, so that a writer does not outgrow it while we open.
            map_size=max(_READER_MAP_BYTES, 2 * (path / DATA_NAME).stat().st_size),
            max_dbs=len(TABLES) + 1,
            max_spare_txns=2,
            readahead=False,
        )
    except lmdb.Error as error:
        raise opening_fault(store, error) from error
    return raw, _known_handles(store, raw, identity), identity, doubt


def reserve_readers(path: Path) -> None:
    """Give LMDB's lock file its blocks: on a full disk LMDB would die of SIGBUS when it touches a sparse one.

    Raises:
        OSError: the disk is full, or the file may not be written.
    """
    descriptor = os.open(path / READERS_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, _READERS_BYTES)
        else:
            present = os.fstat(descriptor).st_size
            if present < _READERS_BYTES:
                os.pwrite(descriptor, bytes(_READERS_BYTES - present), present)
    finally:
        os.close(descriptor)


def _open_raw(store: str, path: Path, durability: Durability, map_bytes: int, *, create: bool) -> lmdb.Environment:
    reserve_readers(path)
    safe = durability is Durability.FSYNC
    settings: _Settings = {
        "map_size": map_bytes,
        "max_dbs": len(TABLES) + 1,
        "max_spare_txns": 2,
        "mode": 0o644,
        "sync": safe,
        "metasync": safe,
    }
    try:
        # An existing file picks its engine; naming one would refuse files of another.
        raw = (
            lmdb.open(str(path), create=True, lib_version=0, **settings)
            if create
            else lmdb.open(str(path), create=False, **settings)
        )
        raw.reader_check()
    except lmdb.Error as error:
        raise opening_fault(store, error) from error
    return raw


def _create(
    store: str, path: Path, identity: StoreIdentity, durability: Durability, map_bytes: int
) -> tuple[lmdb.Environment, Handles]:
    """Make, or finish making, a store that was never used. A half-made data file holds nothing anybody was promised."""
    _require_space(store, path)
    for name in (DATA_NAME, READERS_NAME):
        (path / name).unlink(missing_ok=True)
    raw = _open_raw(store, path, durability, map_bytes, create=True)
    try:
        with raw.begin(write=True) as txn:
            handles = {name: raw.open_db(name.encode(), txn=txn) for name in TABLES}
            about = raw.open_db(_IDENTITY_TABLE, txn=txn)
            txn.put(_IDENTITY_KEY, identity.inside(), db=about)
        raw.sync(True)
        sync_directory(path)
        identity.ready().save(path)
    except lmdb.Error as error:
        raw.close()
        raise opening_fault(store, error) from error
    except BaseException:
        raw.close()
        raise
    return raw, MappingProxyType(handles)


def _open_known(
    store: str, path: Path, identity: StoreIdentity, durability: Durability, map_bytes: int
) -> tuple[lmdb.Environment, Handles]:
    raw = _open_raw(store, path, durability, map_bytes, create=False)
    handles = _known_handles(store, raw, identity)
    try:
        raw.sync(True)
    except lmdb.Error as error:
        raw.close()
        raise opening_fault(store, error) from error
    return raw, handles


def _known_handles(store: str, raw: lmdb.Environment, identity: StoreIdentity) -> Handles:
    """The tables of an existing environment, which is closed again when it is not the one it should be."""
    try:
        while True:
            try:
                return MappingProxyType(_tables(store, raw, identity))
            except lmdb.MapResizedError:
                # A reader met the writer of another process growing the file.
                raw.set_mapsize(0)
    except lmdb.Error as error:
        raw.close()
        raise opening_fault(store, error) from error
    except BaseException:
        raw.close()
        raise


def _tables(store: str, raw: lmdb.Environment, identity: StoreIdentity) -> Handles:
    """The tables of the right environment; each in a transaction of LMDB's own, for handles opened in a read
    transaction would end with it."""
    try:
        about = raw.open_db(_IDENTITY_TABLE, create=False)
    except lmdb.NotFoundError:
        check_inside(store, identity, None)
        raise
    with raw.begin() as txn:
        inside = txn.get(_IDENTITY_KEY, db=about)
    check_inside(store, identity, inside)
    return {name: raw.open_db(name.encode(), create=False) for name in TABLES}


def _require_space(store: str, path: Path) -> None:
    disk = os.statvfs(path)
    free = disk.f_bavail * disk.f_frsize
    if free < _FIRST_BYTES:
        raise StoreFull(store, f"{free} bytes are free, a new store needs {_FIRST_BYTES}", "free space on this disk")
