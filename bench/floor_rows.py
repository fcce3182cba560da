"""The rows of the floor: as many and as large as those the library writes for the same work, and without meaning.

A saga leaves four records, a mark and an end in the store of each step, two records and an end in that of its starter.
"""

import time
from struct import Struct
from typing import Final, final

from attrs import frozen

TABLES: Final = ("records", "live", "ended", "finished", "marks")
"""The library has them twice, for the two roles that one actor may have; one role uses one set."""

LIVE: Final = b"l" * 4
MARKED: Final = b"m" * 8
ACCEPTED: Final = b"a" * 283
RESOLVED: Final = b"r" * 40
OUTCOME: Final = b"e" * 34
_TIME: Final = Struct(">Q")


@final
@frozen
class StepRows:
    """What differs by step is what it takes, what it gives, and its name, of which its mark is made."""

    triggered: bytes
    completed: bytes
    mark: bytes
    started: bytes = b"s" * 31
    ended_record: bytes = b"r" * 37
    ended: bytes = b"e" * 18


STEPS: Final = (
    StepRows(b"t" * 283, b"c" * 383, b"\0prepare"),
    StepRows(b"t" * 341, b"c" * 384, b"\0place"),
    StepRows(b"t" * 342, b"c" * 315, b"\0monitor"),
)


def finished_key(saga: bytes) -> bytes:
    """When it ended, and what."""
    return _TIME.pack(time.time_ns() // 1_000_000) + saga
