"""How much memory this process holds, as Linux counts it."""

import gc
from pathlib import Path
from typing import final

from attrs import frozen


@final
@frozen(kw_only=True)
class Memory:
    """Resident bytes. `heap` is the process's own; `mapped` are pages of files, most of them of LMDB's, which the
    operating system takes back when it needs them."""

    heap: int
    mapped: int

    @property
    def total(self) -> int:
        return self.heap + self.mapped

    def less(self, other: "Memory") -> "Memory":
        return Memory(heap=self.heap - other.heap, mapped=self.mapped - other.mapped)


def resident() -> Memory:
    """What is resident now, after a full collection."""
    gc.collect()
    found: dict[str, int] = {}
    for line in Path("/proc/self/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name in ("RssAnon", "RssFile", "RssShmem"):
            found[name] = int(value.split()[0]) * 1024
    return Memory(heap=found["RssAnon"], mapped=found["RssFile"] + found["RssShmem"])
