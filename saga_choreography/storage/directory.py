"""The data directory of a system: one owner, and a manifest of which actors have stores and in how many shards.

LOCK            held by the system that runs
manifest.json   {"format": 1, "actors": {"FlightDesk": {"shards": 1, "ready": [0]}}}
actors/NAME/SHARD/   one environment each
"""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Final, TypeGuard, final

from attrs import evolve, frozen

from saga_choreography.errors import StoreDamaged, StoreMisused, StoreVersionError
from saga_choreography.storage.files import (
    Json,
    file_fault,
    make_directory,
    read_document,
    sync_directory,
    write_document,
)
from saga_choreography.storage.lockfile import FileLock

MANIFEST_NAME: Final = "manifest.json"
DIRECTORY_FORMAT: Final = 1
_LONGEST_NAME: Final = 100
_SAFE: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
_REMEDY: Final = "keep the directory as evidence and restore it from a backup"


@final
@frozen(kw_only=True)
class _Actor:
    """`ready`: the shards whose stores were opened once, and must exist from then on."""

    shards: int
    ready: frozenset[int] = frozenset()


@final
class DataDirectory:
    """The directory of one running system. A context manager; `close` lets go of it."""

    def __init__(self, path: Path, lock: FileLock | None, actors: Mapping[str, _Actor]) -> None:
        self.path = path
        self._store = str(path)
        self._lock = lock
        self._readonly = lock is None
        self._actors = dict(actors)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> "DataDirectory":
        """Take the directory, creating it when it does not exist.

        Raises:
            StoreLocked: a running system has it; the message names its process.
            StoreVersionError: a newer format.
            StoreDamaged: the manifest is lost or unreadable.
            StoreError: not a directory, or no permission.
        """
        directory = Path(path).absolute()
        store = str(directory)
        try:
            make_directory(directory)
            lock = FileLock.acquire(directory, store)
            try:
                actors = _load(store, directory)
                if actors is None:
                    if (directory / "actors").exists():
                        raise StoreDamaged(store, f"{MANIFEST_NAME} is missing, but there are stores", _REMEDY)
                    actors = {}
                    _save(directory, actors)
                else:
                    # A process that was killed may have left a manifest that only the operating system knows.
                    sync_directory(directory)
                return cls(directory, lock, actors)
            except BaseException:
                lock.give_back()
                raise
        except OSError as error:
            raise file_fault(store, error) from error

    @classmethod
    def open_readonly(cls, path: str | os.PathLike[str]) -> "DataDirectory":
        """Look at a directory without owning it, whether a system runs there or not.

        Raises:
            StoreDamaged: there is no readable manifest.
            StoreVersionError, StoreError: as for `open`.
        """
        directory = Path(path).absolute()
        store = str(directory)
        try:
            actors = _load(store, directory)
        except OSError as error:
            raise file_fault(store, error) from error
        if actors is None:
            raise StoreDamaged(store, f"there is no {MANIFEST_NAME}", "check the path")
        return cls(directory, None, actors)

    @property
    def actors(self) -> Mapping[str, int]:
        """Shard counts by actor name."""
        return MappingProxyType({name: actor.shards for name, actor in self._actors.items()})

    def shards_of(self, actor_name: str) -> int | None:
        """How many shards an actor has, or None when it never had a store here."""
        actor = self._actors.get(actor_name)
        return None if actor is None else actor.shards

    def set_shards(self, actor_name: str, shards: int) -> None:
        """Note the shard count of an actor, durably, before its stores are made.

        Raises:
            StoreMisused: an empty name, less than one shard, or the directory is not owned.
            StoreFull, StoreError: the manifest cannot be written; the old one stands.
        """
        if not actor_name or shards < 1:
            raise StoreMisused(self._store, f"{shards} shard(s) for actor {actor_name!r}", "name one or more")
        known = self._actors.get(actor_name, _Actor(shards=0))
        kept = frozenset(shard for shard in known.ready if shard < shards)
        self._replace(actor_name, _Actor(shards=shards, ready=kept))

    def is_ready(self, actor_name: str, shard: int) -> bool:
        """True when the store of this shard was opened once: `LmdbEnvironment.open(..., must_exist=...)`."""
        actor = self._actors.get(actor_name)
        return actor is not None and shard in actor.ready

    def mark_ready(self, actor_name: str, shard: int) -> None:
        """Note, durably, that the store of this shard exists; from then on its absence is a loss.

        Raises:
            StoreMisused: no such shard.
            StoreFull, StoreError: the manifest cannot be written; the old one stands.
        """
        actor = self._actors.get(actor_name)
        if actor is None or not 0 <= shard < actor.shards:
            raise StoreMisused(self._store, f"actor {actor_name!r} has no shard {shard}", "set its shards first")
        self._replace(actor_name, evolve(actor, ready=actor.ready | {shard}))

    def env_path(self, actor_name: str, shard: int = 0) -> Path:
        """Where the environment of one shard lives."""
        return self.path / "actors" / safe_name(actor_name) / str(shard)

    def close(self) -> None:
        """Let go of the directory. Idempotent."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def __enter__(self) -> "DataDirectory":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _replace(self, actor_name: str, actor: _Actor) -> None:
        if self._lock is None:
            why = "is open for reading only" if self._readonly else "is closed"
            raise StoreMisused(self._store, f"it {why}", "open it for writing")
        if self._actors.get(actor_name) == actor:
            return
        actors = {**self._actors, actor_name: actor}
        try:
            _save(self.path, actors)
        except OSError as error:
            raise file_fault(self._store, error) from error
        self._actors = actors


def safe_name(actor_name: str) -> str:
    """A file name for an actor: letters, digits, '-' and '_' stand for themselves; long names end in a digest."""
    raw = actor_name.encode(errors="surrogatepass")
    safe = "".join(chr(byte) if chr(byte) in _SAFE else f"%{byte:02X}" for byte in raw)
    if len(safe) > _LONGEST_NAME:
        return f"{safe[:_LONGEST_NAME]}%{hashlib.blake2b(raw, digest_size=8).hexdigest()}"
    return safe


def _save(directory: Path, actors: Mapping[str, _Actor]) -> None:
    listed = {name: {"shards": actor.shards, "ready": sorted(actor.ready)} for name, actor in actors.items()}
    write_document(directory / MANIFEST_NAME, {"format": DIRECTORY_FORMAT, "actors": listed})


def _load(store: str, directory: Path) -> dict[str, _Actor] | None:
    document = read_document(store, directory / MANIFEST_NAME)
    if document is None:
        return None
    written = document.get("format")
    if isinstance(written, int) and written > DIRECTORY_FORMAT:
        raise StoreVersionError(
            store, f"it has format {written}, this library reads {DIRECTORY_FORMAT}", "use the version that wrote it"
        )
    match document:
        case {"format": 1, "actors": dict(listed)} if written is not True:
            return {name: _actor(store, name, raw) for name, raw in listed.items()}
        case _:
            raise StoreDamaged(store, f"{MANIFEST_NAME} is not what was written: {document!r:.200}", _REMEDY)


def _actor(store: str, name: str, raw: Json) -> _Actor:
    match raw:
        case {"shards": int(shards), **rest} if shards >= 1 and shards is not True:
            listed = rest.get("ready", [])
            ready = [shard for shard in listed if _is_shard(shard, shards)] if isinstance(listed, list) else None
            # A shard that is not noted as ready is made anew when its store is gone: none may be lost here.
            if ready is not None and ready == listed:
                return _Actor(shards=shards, ready=frozenset(ready))
        case _:
            pass
    raise StoreDamaged(store, f"{MANIFEST_NAME}: actor {name!r:.80} is not what was written: {raw!r:.80}", _REMEDY)


def _is_shard(raw: Json, shards: int) -> TypeGuard[int]:
    return isinstance(raw, int) and not isinstance(raw, bool) and 0 <= raw < shards
