"""One LMDB environment per actor and shard: one writer, any number of readers in this and other processes.

A staged transaction becomes one LMDB write transaction, begun and committed inside one call of the owning thread: none
is ever open across user code.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, final

import lmdb
from typing_extensions import TypeVar, override

from saga_choreography.errors import StoreDamaged, StoreError, StoreMisused
from saga_choreography.storage.audit import audit
from saga_choreography.storage.durability import Durability
from saga_choreography.storage.files import file_fault, make_directory
from saga_choreography.storage.lmdb_map import LmdbMap, StoreUsage, round_up
from saga_choreography.storage.lmdb_opening import open_for_reading, open_for_writing
from saga_choreography.storage.lockfile import FileLock
from saga_choreography.storage.staging import Reads, Stage, StagedEnvironment
from saga_choreography.storage.unsynced import POWER_LOSS, Unsynced, boot_id, forget

T = TypeVar("T")

DEFAULT_MAP_BYTES: Final = 1 << 30
SMALLEST_MAP_BYTES: Final = 1 << 18


@final
class LmdbEnvironment(StagedEnvironment):
    """The environment of one actor. Made by `open` (one writer) or `open_readonly` (inspection, any process)."""

    def __init__(self, path: Path, owner: str, tables: LmdbMap, lock: FileLock | None) -> None:
        super().__init__(str(path))
        self.path = path
        self.owner = owner
        self._map = tables
        self._lock = lock
        self._readonly = lock is None
        self._snapshot: lmdb.Transaction[bytes] | None = None

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        owner: str,
        durability: Durability = Durability.FSYNC,
        map_size_bytes: int = DEFAULT_MAP_BYTES,
        max_map_bytes: int | None = None,
        must_exist: bool = False,
    ) -> "LmdbEnvironment":
        """Open the environment in `path`, or create it (unless `must_exist`), for writing by this process alone.

        `map_size_bytes` is address space, not disk; the map doubles when it is full, up to `max_map_bytes` (pruning may
        go one eighth beyond).

        Raises:
            StoreLocked: it is open already, here or in another process.
            StoreVersionError: another format, or another owner.
            StoreDamaged: the data file is not the one that was written; it was not touched.
            StoreFull, StoreError: no room, no permission, no directory.
        """
        directory = Path(path).absolute()
        store = str(directory)
        map_bytes = round_up(max(map_size_bytes, SMALLEST_MAP_BYTES))
        if max_map_bytes is None:
            limit = None
        else:
            limit = round_up(max(max_map_bytes, SMALLEST_MAP_BYTES))
            map_bytes = min(map_bytes, limit)
        try:
            make_directory(directory)
            lock = FileLock.acquire(directory, store)
            try:
                raw, handles, doubt = open_for_writing(
                    store,
                    directory,
                    owner,
                    durability,
                    map_bytes,
                    must_exist=must_exist,
                    closed_well=lock.was_released,
                )
                environment = cls(directory, owner, LmdbMap(store, raw, handles, limit), lock)
                environment._settle(durability, doubt)
                return environment
            except BaseException:
                lock.give_back()
                raise
        except OSError as error:
            raise file_fault(store, error) from error

    @classmethod
    def open_readonly(cls, path: str | os.PathLike[str]) -> "LmdbEnvironment":
        """Open an existing environment for reading, while its writer lives in another process or not.

        Raises:
            StoreLocked: it is open in this process already; share that environment.
            StoreDamaged, StoreVersionError, StoreError: as for `open`, or there is no store.
        """
        directory = Path(path).absolute()
        store = str(directory)
        try:
            raw, handles, identity, doubt = open_for_reading(store, directory)
            environment = cls(directory, identity.owner, LmdbMap(store, raw, handles, None), None)
            environment._require_sound_rows(doubt)
            return environment
        except OSError as error:
            raise file_fault(store, error) from error

    @property
    def readonly(self) -> bool:
        return self._readonly

    @override
    def consistent(self, look: Callable[[Reads], T]) -> T:
        self._ownership.require_process()
        return self._map.consistent(look)

    @override
    def value(self, table: str, key: bytes) -> bytes | None:
        self._ownership.require_process()
        return self._map.value(table, key)

    @override
    def rows(self, table: str, start: bytes, stop: bytes, limit: int | None = None) -> list[tuple[bytes, bytes]]:
        self._ownership.require_process()
        return self._map.rows(table, start, stop, limit)

    @override
    def all_rows(self, table: str) -> list[tuple[bytes, bytes]]:
        self._ownership.require_process()
        return self._map.all_rows(table)

    @override
    def snapshot_value(self, table: str, key: bytes) -> bytes | None:
        """One read transaction serves all checks of a write transaction."""
        if self._snapshot is None:
            self._snapshot = self._map.begin_snapshot()
        return self._map.snapshot_value(self._snapshot, table, key)

    @override
    def begin(self) -> None:
        if self._readonly:
            raise StoreMisused(self.store, "it is open for reading only", "write where its actor runs")
        self._map.require_open()
        super().begin()

    def check_readers(self) -> int:
        """Free the slots of readers that died, lest they keep pages from being reused; returns how many."""
        self._ownership.require_process()
        return self._map.check_readers()

    def usage(self) -> StoreUsage:
        """How full the map is. Any thread may call it."""
        self._ownership.require_process()
        return self._map.usage()

    @override
    def close(self) -> None:
        """Release map and lock. Idempotent; any thread may call it while no transaction is open.

        Raises:
            StoreMisused: a transaction is open, or this is a forked process.
        """
        self._ownership.require_process()
        self.refuse_stage("close")
        lock, self._lock = self._lock, None
        try:
            is_whole = self._map.close(flush=not self._readonly)
        except BaseException:
            if lock is not None:
                lock.abandon()
            raise
        if lock is None:
            return
        if is_whole:
            with suppress(OSError):  # the note stays, and the next opening looks closer than it needs to
                forget(self.path)
            lock.release()
        else:
            lock.abandon()

    def _settle(self, durability: Durability, doubt: Unsynced | None) -> None:
        """Believe what is stored, or refuse it; note how it is written from now on. It is on the medium already."""
        self._require_sound_rows(doubt)
        try:
            if durability is Durability.PROCESS:
                Unsynced(boot=boot_id(), commits=self._map.usage().commits).save(self.path)
            else:
                forget(self.path)
        except BaseException:
            self._map.close(flush=False)
            raise

    def _require_sound_rows(self, doubt: Unsynced | None) -> None:
        if doubt is None:
            return
        try:
            audit(self)
        except StoreError as error:
            self._map.close(flush=False)
            raise StoreDamaged(self.store, f"{POWER_LOSS}: {error.why}", error.remedy) from error

    @override
    def _discard(self) -> None:
        super()._discard()
        snapshot, self._snapshot = self._snapshot, None
        if snapshot is not None:
            snapshot.abort()

    @override
    def _commit(self, stage: Stage) -> None:
        self._map.commit(stage)
