"""What may be on the medium after power failed at a moment: everything that is safe, and any choice of the rest.

Of the choices these are made: nothing, everything, all but one, one alone, random ones; and the last write torn at a
512-byte sector, with the others there or not. Equal images are made once.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Final

from attrs import evolve, field, frozen

from tests.power.disk_model import Bytes, Change, DiskRecorder, Name, NoName, Recorded, Size, moments

SECTOR: Final = 512


@frozen(kw_only=True)
class Effort:
    """How many images are made of one moment. `singles`: at most so many are left out, and kept, one by one."""

    singles: int
    subsets: int
    tears: int


@frozen(kw_only=True)
class Image:
    """The files of a directory tree (None: a directory), by path below the root."""

    files: dict[str, bytes | None] = field(repr=False)
    torn: bool

    def digest(self) -> bytes:
        """Equal for equal trees. The readers' table of LMDB counts by its presence."""
        total = blake2b(digest_size=16)
        for path, content in sorted(self.files.items()):
            total.update(f"{path}\0{-1 if content is None else len(content)}\0".encode())
            if content is not None:
                total.update(content)
        return total.digest()

    def write(self, root: Path) -> None:
        """Lay the tree out below `root`."""
        root.mkdir(parents=True)
        for path, content in sorted(self.files.items()):
            if content is None:
                (root / path).mkdir()
            else:
                (root / path).write_bytes(content)


class _Tree:
    """A disk being put together."""

    def __init__(self, directories: set[int]) -> None:
        self.directories = directories
        self.entries: dict[int, dict[str, int]] = {number: {} for number in directories}
        self.contents: dict[int, bytearray] = {}

    def copy(self) -> "_Tree":
        twin = _Tree(self.directories)
        twin.entries = {number: dict(names) for number, names in self.entries.items()}
        twin.contents = {number: bytearray(content) for number, content in self.contents.items()}
        return twin

    def apply(self, change: Change) -> None:
        match change:
            case Bytes(inode=inode, offset=offset, data=data):
                content = self.contents.setdefault(inode, bytearray())
                if len(content) < offset:
                    content.extend(bytes(offset - len(content)))
                content[offset : offset + len(data)] = data
            case Size(inode=inode, size=size):
                content = self.contents.setdefault(inode, bytearray())
                del content[size:]
                content.extend(bytes(size - len(content)))
            case Name(inode=inode, name=name, target=target, source=source):
                entries = self.entries[inode]
                if source is not None and entries.get(source) == target:
                    del entries[source]
                entries[name] = target
            case NoName(inode=inode, name=name):
                self.entries[inode].pop(name, None)

    def image(self, *, torn: bool) -> Image:
        files: dict[str, bytes | None] = {}

        def walk(directory: int, prefix: str) -> None:
            for name, inode in self.entries[directory].items():
                path = f"{prefix}{name}"
                if inode in self.directories:
                    files[path] = None
                    walk(inode, path + "/")
                else:
                    files[path] = bytes(self.contents.get(inode, b""))

        walk(DiskRecorder.ROOT, "")
        return Image(files=files, torn=torn)


def cached_state(recorder: DiskRecorder) -> Image:
    """What the program itself saw at the end: every change in order. It must equal the real directory."""
    tree = _Tree(recorder.directories)
    for one in recorder.changes:
        tree.apply(one.change)
    return tree.image(torn=False)


def images(
    recorder: DiskRecorder, effort: Effort, chance: random.Random, *, every: int = 1
) -> Iterator[tuple[int, Image]]:
    """(moment, image) of every moment, or of each moment with a chance of one in `every`."""
    safe = _Tree(recorder.directories)
    waiting = sorted(recorder.changes, key=lambda one: one.begin)
    pending: list[Recorded] = []
    for moment in moments(recorder):
        while waiting and waiting[0].begin <= moment:
            pending.append(waiting.pop(0))
        # A change of the same bytes made earlier may not overwrite a later one: only a prefix that is safe is merged.
        while pending and pending[0].safe <= moment:
            safe.apply(pending.pop(0).change)
        if every > 1 and chance.randrange(every):
            continue
        for kept, torn in _choices(pending, moment, effort, chance):
            tree = safe.copy()
            for change in kept:
                tree.apply(change)
            yield moment, tree.image(torn=torn)


def _choices(
    pending: Sequence[Recorded], moment: int, effort: Effort, chance: random.Random
) -> Iterator[tuple[Iterable[Change], bool]]:
    """Lists of changes that survive besides the safe ones, and whether one of them is torn."""
    held = [one.safe <= moment for one in pending]
    loose = [at for at, is_held in enumerate(held) if not is_held]

    def survivors(chosen: set[int]) -> list[Change]:
        return [one.change for at, one in enumerate(pending) if held[at] or at in chosen]

    everything = set(loose)
    yield survivors(set()), False
    if not loose:
        return
    yield survivors(everything), False
    for at in _some(loose, effort.singles, chance):
        yield survivors(everything - {at}), False
        yield survivors({at}), False
    for _ in range(effort.subsets if len(loose) > 2 else 0):
        share = chance.choice((0.1, 0.5, 0.9))
        yield survivors({at for at in loose if chance.random() < share}), False
    for at in _tearable(pending, loose, effort.tears, chance):
        before = pending[at].change
        assert isinstance(before, Bytes)
        cut = SECTOR * chance.randrange(1, -(-len(before.data) // SECTOR))
        head = evolve(before, data=before.data[:cut])
        tail = evolve(before, offset=before.offset + cut, data=before.data[cut:])
        for part in (head, tail):
            yield [part if change is before else change for change in survivors(everything)], True
            yield [*survivors(set()), part], True


def _some(loose: Sequence[int], most: int, chance: random.Random) -> Sequence[int]:
    return loose if len(loose) <= most else chance.sample(loose, most)


def _tearable(pending: Sequence[Recorded], loose: Sequence[int], most: int, chance: random.Random) -> list[int]:
    """The last write that is longer than a sector, and some others."""
    long = [at for at in loose if isinstance(change := pending[at].change, Bytes) and len(change.data) > SECTOR]
    return [long[-1], *_some(long[:-1], most - 1, chance)][:most] if long else []
