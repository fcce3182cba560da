"""Making a trace minimal: take faults away as long as the same guarantee still breaks.

Delta debugging after Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input" (2002): try without big
parts first, then without ever smaller ones.
"""

from collections.abc import Callable, Collection
from typing import Final

MOST_TRIES: Final = 400


def least_faults(count: int, still_breaks: Callable[[Collection[int]], bool]) -> tuple[int, ...]:
    """The faults (numbered from 1 to `count`) that can be left out; `still_breaks(without)` runs the schedule."""
    without: set[int] = set()
    kept = list(range(1, count + 1))
    size = max(1, len(kept) // 2)
    tries = 0
    while kept and tries < MOST_TRIES:
        progress = False
        at = 0
        while at < len(kept) and tries < MOST_TRIES:
            part = kept[at : at + size]
            tries += 1
            if still_breaks(without.union(part)):
                without.update(part)
                del kept[at : at + size]
                progress = True
            else:
                at += size
        if size == 1 and not progress:
            break
        size = max(1, size // 2)
    return tuple(sorted(without))
