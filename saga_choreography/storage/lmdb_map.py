"""The open map of one environment: short reads from any thread, whole stages in one write transaction, growth.

When the map is full, at a put or at the commit, it is enlarged and the stage applied again. After damage every call is
refused until the environment is opened again.
"""

import os
from collections.abc import Callable
from typing import Final, final

import lmdb
from attrs import frozen
from typing_extensions import TypeVar

from saga_choreography.errors import StoreDamaged, StoreError, StoreFull, StoreMisused
from saga_choreography.storage.gate import Gate
from saga_choreography.storage.layout import AFTER_ALL_KEYS
from saga_choreography.storage.lmdb_faults import store_fault
from saga_choreography.storage.lmdb_opening import Handles
from saga_choreography.storage.lmdb_pages import DATA_NAME
from saga_choreography.storage.staging import Reads, Stage

T = TypeVar("T")

MAP_UNIT: Final = 1 << 16
_RESERVE_SHARE: Final = 8
_NO_ROOM_BYTES: Final = 256 << 10
_COMMITS_PER_CHECK: Final = 512
"""How often readers that died are looked for: until then no page is reused that they could see."""


@final
@frozen(kw_only=True)
class StoreUsage:
    """Sizes in bytes. `limit` is None when only the disk limits the map. `commits` counts all commits so far."""

    used: int
    map: int
    limit: int | None
    commits: int


@final
class LmdbMap:
    """Engine, tables and health of one open environment."""

    def __init__(self, store: str, raw: lmdb.Environment, handles: Handles, limit: int | None) -> None:
        self._store = store
        self._raw = raw
        self._handles = handles
        self._limit = limit
        self._gate = Gate(store)
        self._closed = False
        self._broken: str | None = None
        self._commits = 0
        self._data_path = os.path.join(raw.path(), DATA_NAME)
        self._inode = os.stat(self._data_path).st_ino

    def value(self, table: str, key: bytes) -> bytes | None:
        """The committed value of a key."""
        return self._read(lambda txn: txn.get(key, db=self._handles[table]))

    def rows(self, table: str, start: bytes, stop: bytes, limit: int | None) -> list[tuple[bytes, bytes]]:
        """Committed rows with start <= key < stop, at most `limit`."""
        if limit is not None and limit <= 0:
            return []
        return self._read(lambda txn: _walk(txn, self._handles[table], start, stop, limit))

    def consistent(self, look: Callable[[Reads], T]) -> T:
        """What `look` finds in one read transaction."""
        return self._read(lambda txn: look(_Snapshot(txn, self._handles)))

    def all_rows(self, table: str) -> list[tuple[bytes, bytes]]:
        """All committed rows, as many as LMDB has counted: one flipped bit in a page can hide the rest of it."""

        def walk(txn: "lmdb.Transaction[bytes]") -> tuple[list[tuple[bytes, bytes]], int]:
            return _walk(txn, self._handles[table], b"", AFTER_ALL_KEYS, None), txn.stat(db=self._handles[table])[
                "entries"
            ]

        rows, counted = self._read(walk)
        if len(rows) != counted:
            why = f"{len(rows)} of the {counted} rows of {table} are there"
            raise StoreDamaged(self._store, why, "keep the directory as evidence and restore it from a backup")
        return rows

    def begin_snapshot(self) -> "lmdb.Transaction[bytes]":
        """A read transaction for the owning thread, to be aborted before it commits (so before the map may move)."""
        self._enter()
        try:
            return self._raw.begin()
        except lmdb.Error as error:
            raise self._fault(error) from error
        finally:
            self._gate.leave()

    def snapshot_value(self, snapshot: "lmdb.Transaction[bytes]", table: str, key: bytes) -> bytes | None:
        try:
            return snapshot.get(key, db=self._handles[table])
        except lmdb.Error as error:
            raise self._fault(error) from error

    def commit(self, stage: Stage) -> None:
        """Apply a stage as a whole, in a map that grows as it needs.

        Raises:
            StoreFull, StoreDamaged, StoreMisused, StoreError: nothing was applied.
        """
        while True:
            self._enter()
            try:
                self._require_data_file()
                if self._commits % _COMMITS_PER_CHECK == _COMMITS_PER_CHECK - 1:
                    self._raw.reader_check()
                with self._raw.begin(write=True) as txn:
                    self._apply(txn, stage)
                self._commits += 1
                return
            except lmdb.MapFullError as error:
                full = self._fault(error)
            except lmdb.Error as error:
                raise self._fault(error, is_disk_full=self._is_disk_full()) from error
            finally:
                self._gate.leave()
            self._grow(full, uses_reserve=stage.uses_reserve)

    def check_readers(self) -> int:
        """Free the slots of readers that died; returns how many."""
        self._enter()
        try:
            return self._raw.reader_check()
        except lmdb.Error as error:
            raise self._fault(error) from error
        finally:
            self._gate.leave()

    def usage(self) -> StoreUsage:
        self._enter()
        try:
            info = self._raw.info()
            used = (info["last_pgno"] + 1) * self._raw.stat()["psize"]
            return StoreUsage(used=used, map=info["map_size"], limit=self._limit, commits=info["last_txnid"])
        except lmdb.Error as error:
            raise self._fault(error) from error
        finally:
            self._gate.leave()

    def require_open(self) -> None:
        """
        Raises:
            StoreMisused: it is closed.
            StoreDamaged: it met damage and must be opened again.
        """
        if self._closed:
            raise StoreMisused(self._store, "it is closed", "open it again")
        if self._broken is not None:
            raise StoreDamaged(self._store, self._broken, "close it and open it again")

    def close(self, *, flush: bool) -> bool:
        """Wait for readers, write out what the operating system holds if `flush`, let go of the map. Idempotent.

        Returns whether everything is on the medium, as far as is known.
        """
        with self._gate.alone():
            is_whole = flush and self._broken is None
            if self._closed:
                return False
            self._closed = True
            try:
                if is_whole:
                    self._raw.sync(True)
            except lmdb.Error as error:
                raise self._fault(error) from error
            finally:
                self._raw.close()
            return is_whole

    def _read(self, look: "Callable[[lmdb.Transaction[bytes]], T]") -> T:
        while True:
            self._enter()
            try:
                with self._raw.begin() as txn:
                    return look(txn)
            except lmdb.MapResizedError:
                # Only a reader beside the writer's process meets this: the writer made the file larger than our map.
                pass
            except lmdb.Error as error:
                raise self._fault(error) from error
            finally:
                self._gate.leave()
            self._adopt_size()

    def _adopt_size(self) -> None:
        with self._gate.alone():
            self.require_open()
            try:
                self._raw.set_mapsize(0)
            except lmdb.Error as error:
                raise self._fault(error) from error

    def _apply(self, txn: "lmdb.Transaction[bytes]", stage: Stage) -> None:
        handles = self._handles
        for table, inserts in stage.inserts.items():
            with txn.cursor(db=handles[table]) as cursor:
                given, added = cursor.putmulti(inserts.items(), overwrite=False)
            if added != len(inserts) or given != len(inserts):
                raise StoreMisused(self._store, f"a key of {table} is taken", "decide again from what is stored")
        for table, writes in stage.writes.items():
            handle = handles[table]
            kept = [(key, value) for key, value in writes.items() if value is not None]
            if kept:
                with txn.cursor(db=handle) as cursor:
                    cursor.putmulti(kept)
            if len(kept) != len(writes):
                for key, value in writes.items():
                    if value is None:
                        txn.delete(key, db=handle)

    def _grow(self, full: StoreError, *, uses_reserve: bool) -> None:
        """Double the map, up to the limit; pruning may use a reserve beyond it, for deleting needs pages too."""
        size = self._raw.info()["map_size"]
        wanted = size * 2
        if self._limit is not None:
            reserve = round_up(self._limit // _RESERVE_SHARE) if uses_reserve else 0
            wanted = min(wanted, self._limit + reserve)
        if wanted <= size:
            raise full
        with self._gate.alone():
            try:
                self._raw.set_mapsize(wanted)
            except (lmdb.Error, OverflowError) as error:
                raise StoreFull(self._store, f"its map cannot grow to {wanted} bytes ({error})", full.remedy) from error

    def _enter(self) -> None:
        """Pass the gate; the caller leaves it."""
        self._gate.enter()
        try:
            self.require_open()
        except BaseException:
            self._gate.leave()
            raise

    def _require_data_file(self) -> None:
        """LMDB goes on writing to a file that was deleted or replaced, and reports success."""
        try:
            there = os.stat(self._data_path).st_ino == self._inode
        except FileNotFoundError:
            there = False
        except OSError as error:
            raise StoreError(self._store, f"{DATA_NAME}: {error.strerror}", "check the disk, then try again") from error
        if not there:
            self._broken = f"{DATA_NAME} was removed or replaced while it was open"
            self.require_open()

    def _is_disk_full(self) -> bool:
        disk = os.statvfs(os.path.dirname(self._data_path))
        return disk.f_bavail * disk.f_frsize < _NO_ROOM_BYTES

    def _fault(self, error: lmdb.Error, *, is_disk_full: bool = False) -> StoreError:
        fault = store_fault(self._store, error, is_disk_full=is_disk_full)
        if isinstance(fault, StoreDamaged):
            self._broken = fault.why
        return fault


@final
class _Snapshot:
    """Reads in one transaction."""

    def __init__(self, txn: "lmdb.Transaction[bytes]", handles: Handles) -> None:
        self._txn = txn
        self._handles = handles

    def value(self, table: str, key: bytes) -> bytes | None:
        return self._txn.get(key, db=self._handles[table])

    def rows(self, table: str, start: bytes, stop: bytes, limit: int | None = None) -> list[tuple[bytes, bytes]]:
        return _walk(self._txn, self._handles[table], start, stop, limit)


def _walk(
    txn: "lmdb.Transaction[bytes]", handle: "lmdb._Database", start: bytes, stop: bytes, limit: int | None
) -> list[tuple[bytes, bytes]]:
    found: list[tuple[bytes, bytes]] = []
    with txn.cursor(db=handle) as cursor:
        if not (cursor.set_range(start) if start else cursor.first()):
            return found
        for key, value in cursor:
            if key >= stop:
                break
            found.append((key, value))
            if len(found) == limit:
                break
    return found


def round_up(size: int) -> int:
    """The next size a map can have."""
    return -(-size // MAP_UNIT) * MAP_UNIT
