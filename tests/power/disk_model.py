"""A disk as POSIX promises it, fed with recorded calls: what is on the medium for sure, and what only may be.

A write is safe once a sync of its file began after the write had ended, and has itself ended; a write through an
O_DSYNC descriptor is safe when it returns. A name (created, renamed, removed) is safe once its *directory* was synced:
syncing the file does not help. Everything else may be on the medium or not, each 4 KiB piece for itself.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Final, TypeAlias

from attrs import define, evolve, field, frozen

from tests.power.tracing import Call

PAGE: Final = 4096
_NEVER: Final = 1 << 60


@frozen(kw_only=True)
class Bytes:
    """Bytes of one page (or less) written to a file."""

    inode: int
    offset: int
    data: bytes = field(repr=False)


@frozen(kw_only=True)
class Size:
    """A file was cut or stretched."""

    inode: int
    size: int


@frozen(kw_only=True)
class Name:
    """A directory entry came to be. `source`: it was moved from that name of the same directory."""

    inode: int
    name: str
    target: int
    source: str | None = None


@frozen(kw_only=True)
class NoName:
    """A directory entry was removed."""

    inode: int
    name: str


Change: TypeAlias = Bytes | Size | Name | NoName


@frozen(kw_only=True)
class Recorded:
    """A change, when it may have happened first, and since when it is safe."""

    change: Change
    begin: int
    end: int
    safe: int


@frozen(kw_only=True)
class Ack:
    """A line that the program wrote to its acknowledgements."""

    begin: int
    text: str


@define
class _Open:
    inode: int
    dsync: bool
    append: bool
    position: int = 0


class UnknownCall(AssertionError):
    """The recorder met a call whose effect on the medium it does not model."""


class DiskRecorder:
    """Turns calls into changes. The root directory exists, empty and safe; what lies outside of it is ignored."""

    ROOT: Final = 0

    def __init__(self, root: Path, acks: Path) -> None:
        self.root = PurePosixPath(root)
        self.acks_path = str(acks)
        self.names: dict[str, int] = {str(self.root): self.ROOT}
        self.directories: set[int] = {self.ROOT}
        self.sizes: dict[int, int] = {}
        self.changes: list[Recorded] = []
        self.acks: list[Ack] = []
        self._open: dict[int, _Open] = {}
        self._acks_open: set[int] = set()
        self._epoch = 0

    def run(self, calls: Iterable[Call]) -> None:
        """Take the calls of one process; a second process goes on where the first one ended."""
        self._open.clear()
        self._acks_open.clear()
        last = self._epoch
        # In the order of their beginnings, for that is when a change may first be seen.
        for call in sorted(calls, key=lambda one: one.begin):
            end = _NEVER if call.end is None else call.end + self._epoch
            self._take(call, call.begin + self._epoch, end)
            last = max(last, call.begin + self._epoch, 0 if end == _NEVER else end)
        self._epoch = last + 2

    @property
    def now(self) -> int:
        """The moment at which the next process begins."""
        return self._epoch

    def unsync_last_write(self) -> None:
        """As if the process had been killed inside its last O_DSYNC write: written, and waiting for the medium."""
        at = max(
            (at for at, one in enumerate(self.changes) if isinstance(one.change, Bytes) and one.safe == one.end),
            key=lambda at: self.changes[at].end,
        )
        self.changes[at] = evolve(self.changes[at], safe=_NEVER)

    # ------------------------------------------------------------------ calls

    def _take(self, call: Call, begin: int, end: int) -> None:
        match call.name:
            case "open" | "openat" | "creat":
                self._opened(call, begin, end)
            case "close":
                self._open.pop(call.descriptor(), None)
                self._acks_open.discard(call.descriptor())
            case "lseek":
                if (at := self._open.get(call.descriptor())) is not None:
                    at.position = call.result
            case "write" | "writev" | "pwrite64" | "pwritev" | "pwritev2":
                self._wrote(call, begin, end)
            case "ftruncate" | "fallocate":
                self._resized(call, begin, end)
            case "rename" | "renameat" | "renameat2":
                self._renamed(call, begin, end)
            case "unlink" | "unlinkat" | "rmdir":
                (path,) = call.paths()
                if self._is_inside(path):
                    del self.names[path]
                    self._add(NoName(inode=self._parent(path), name=_name(path)), begin, end)
            case "mkdir" | "mkdirat":
                (path,) = call.paths()
                if self._is_inside(path):
                    self._made(path, begin, end, is_directory=True)
            case "fsync" | "fdatasync":
                if (synced := self._open.get(call.descriptor())) is not None:
                    self._synced(synced.inode, begin, end)
            case "mmap":
                # LMDB maps its readers' table, which has no meaning once all processes are gone, and nothing else.
                inside = self._open.get(int(call.arguments.split(", ")[4].partition("<")[0]))
                shared = "MAP_SHARED" in call.arguments and "PROT_WRITE" in call.arguments
                if inside is not None and shared and "lock.mdb" not in self._name_of(inside.inode):
                    raise UnknownCall(f"{self._name_of(inside.inode)} is written through a map")
            case _:
                self._refuse(call)

    def _refuse(self, call: Call) -> None:
        touches = any(self._is_inside(path) for path in call.paths())
        descriptors = [part.partition("<")[0].strip() for part in call.arguments.split(",") if "<" in part]
        if touches or any(int(number) in self._open for number in descriptors if number.isdigit()):
            raise UnknownCall(f"{call.name}({call.arguments[:200]})")

    def _opened(self, call: Call, begin: int, end: int) -> None:
        (path,) = call.paths()
        if path == self.acks_path:
            self._acks_open.add(call.result)
        if not (self._is_inside(path) or path == str(self.root)):
            return
        flags = "O_WRONLY|O_CREAT|O_TRUNC" if call.name == "creat" else call.arguments
        inode = self.names.get(path)
        if inode is None:
            if "O_CREAT" not in flags:
                raise UnknownCall(f"{path} was opened and is not known")
            inode = self._made(path, begin, end, is_directory=False)
        elif "O_TRUNC" in flags:
            self._resize(inode, 0, begin, end)
        # O_SYNC is O_DSYNC and more.
        self._open[call.result] = _Open(inode, "SYNC" in flags, "O_APPEND" in flags)

    def _wrote(self, call: Call, begin: int, end: int) -> None:
        descriptor = call.descriptor()
        data = b"".join(call.texts())[: call.result]
        if descriptor in self._acks_open:
            self.acks += [Ack(begin=begin, text=line) for line in data.decode().splitlines()]
            return
        file = self._open.get(descriptor)
        if file is None:
            return
        size = self.sizes[file.inode]
        if call.name in ("write", "writev"):
            offset = size if file.append else file.position
            file.position = offset + len(data)
        else:
            offset = call.numbers()[-1]
        self.sizes[file.inode] = max(size, offset + len(data))
        at = 0
        while at < len(data):
            piece = data[at : at + PAGE - (offset + at) % PAGE]
            self._add(Bytes(inode=file.inode, offset=offset + at, data=piece), begin, end, safe_at_end=file.dsync)
            at += len(piece)

    def _resized(self, call: Call, begin: int, end: int) -> None:
        file = self._open.get(call.descriptor())
        if file is None:
            return
        size = self.sizes[file.inode]
        if call.name == "ftruncate":
            self._resize(file.inode, call.numbers()[-1], begin, end)
        else:
            mode, offset, length = call.numbers()[-3:]
            if mode:
                raise UnknownCall(f"fallocate in mode {mode}")
            if offset + length > size:
                self._resize(file.inode, offset + length, begin, end)

    def _resize(self, inode: int, size: int, begin: int, end: int) -> None:
        self.sizes[inode] = size
        self._add(Size(inode=inode, size=size), begin, end)

    def _renamed(self, call: Call, begin: int, end: int) -> None:
        source, target = call.paths()
        if not self._is_inside(source) and not self._is_inside(target):
            return
        if self._parent(source) != self._parent(target):
            raise UnknownCall(f"{source} moves to another directory")
        inode = self.names.pop(source)
        if inode in self.directories:
            raise UnknownCall(f"the directory {source} is renamed")
        self.names[target] = inode
        change = Name(inode=self._parent(target), name=_name(target), target=inode, source=_name(source))
        self._add(change, begin, end)

    def _made(self, path: str, begin: int, end: int, *, is_directory: bool) -> int:
        inode = len(self.sizes) + 1
        self.sizes[inode] = 0
        if is_directory:
            self.directories.add(inode)
        self.names[path] = inode
        self._add(Name(inode=self._parent(path), name=_name(path), target=inode), begin, end)
        return inode

    def _synced(self, inode: int, begin: int, end: int) -> None:
        for at, one in enumerate(self.changes):
            if one.change.inode == inode and one.end < begin and end < one.safe:
                self.changes[at] = evolve(one, safe=end)

    def _add(self, change: Change, begin: int, end: int, *, safe_at_end: bool = False) -> None:
        self.changes.append(Recorded(change=change, begin=begin, end=end, safe=end if safe_at_end else _NEVER))

    # ------------------------------------------------------------------ names

    def _is_inside(self, path: str) -> bool:
        return self.root in PurePosixPath(path).parents

    def _parent(self, path: str) -> int:
        return self.names[str(PurePosixPath(path).parent)]

    def _name_of(self, inode: int) -> str:
        return next((path for path, number in self.names.items() if number == inode), f"inode {inode}")


def _name(path: str) -> str:
    return PurePosixPath(path).name


def moments(recorder: DiskRecorder) -> Iterator[int]:
    """Every point of time at which power may fail with another result than before."""
    times = {0}
    for one in recorder.changes:
        times |= {one.begin, one.safe}
    times |= {ack.begin for ack in recorder.acks}
    return iter(sorted(time for time in times if time != _NEVER))
