"""Where things are in a store: table names, keys and small rows. Times in keys are Unix milliseconds, sorted by age.

Per role: records (saga, sequence -> value), live (saga -> last sequence), ended (saga -> how it ended), finished (end
time, saga: may be pruned), tombstones (end time, saga: may be forgotten), marks (saga, key -> time). Shared: plans.

Every stored value is of a format whose number is stored. A record brings its own (`codec.records`). All other rows, and
the plans, are of the format in the identity of their store, which stands inside the data file and beside it
(`lmdb_identity`); so is the note of `unsynced`. The manifest of a data directory has a number of its own
(`directory`). Payloads inside the records have the version of their class (`codec.evolution`). What has a higher number
than this library reads is refused with `StoreVersionError` before anything is changed. A reader of one format ignores
fields it does not know, so only what it would misread needs a new number.
"""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from struct import Struct
from struct import error as StructError
from typing import Final, Generic, final
from zlib import crc32

from attrs import evolve, frozen
from typing_extensions import TypeVar

from saga_choreography.codec import INITIATOR_TAGS, PARTICIPANT_TAGS
from saga_choreography.events import InitiatorEvent, OutcomeKind, ParticipantEvent

R = TypeVar("R")

PLANS: Final = "plans"
SAGA_BYTES: Final = 16
SEQUENCE: Final = Struct(">I")
_TIME: Final = Struct(">Q")
_CHECKSUM: Final = Struct(">I")
_ENDED: Final = Struct(">BQIB")
_LONGEST_KEY: Final = 400
_LATEST: Final = (1 << 64) - 1
AFTER_ALL_KEYS: Final = b"\xff" * 512
_OUTCOME_CODES: Final = {OutcomeKind.COMPLETED: 1, OutcomeKind.FAILED: 2}
_OUTCOMES: Final = {code: outcome for outcome, code in _OUTCOME_CODES.items()}


@final
@frozen(kw_only=True)
class Role(Generic[R]):
    """One role of an actor: the names of its tables and the records it may hold."""

    name: str
    tags: Mapping[str, type[R]]
    records: str
    live: str
    ended: str
    finished: str
    tombstones: str
    marks: str

    @property
    def tables(self) -> tuple[str, ...]:
        return (self.records, self.live, self.ended, self.finished, self.tombstones, self.marks)


def _role(name: str, tags: Mapping[str, type[R]]) -> Role[R]:
    return Role(
        name=name,
        tags=tags,
        records=f"{name}.records",
        live=f"{name}.live",
        ended=f"{name}.ended",
        finished=f"{name}.finished",
        tombstones=f"{name}.tombstones",
        marks=f"{name}.marks",
    )


PARTICIPANT: Final[Role[ParticipantEvent]] = _role("participant", PARTICIPANT_TAGS)
INITIATOR: Final[Role[InitiatorEvent]] = _role("initiator", INITIATOR_TAGS)
TABLES: Final = (*PARTICIPANT.tables, *INITIATOR.tables, PLANS)


@final
@frozen(kw_only=True)
class EndedRow:
    """How and when a saga ended, and the sequence of its last record. `pruned`: its records are gone."""

    pruned: bool
    at_millis: int
    last: int
    outcome: OutcomeKind
    digest: bytes

    def encode(self, saga: bytes) -> bytes:
        return encode_ended(saga, self.at_millis, self.last, self.outcome, self.digest, pruned=self.pruned)

    def without_records(self) -> "EndedRow":
        return evolve(self, pruned=True, last=0)

    def with_last(self, last: int) -> "EndedRow":
        return evolve(self, last=last)


def encode_ended(
    saga: bytes, at_millis: int, last: int, outcome: OutcomeKind, digest: bytes, *, pruned: bool = False
) -> bytes:
    """The bytes of an `EndedRow`, also for who has no need of the row itself."""
    body = _ENDED.pack(pruned, clamp_millis(at_millis), last, _OUTCOME_CODES[outcome]) + digest
    return _CHECKSUM.pack(crc32(body, crc32(saga))) + body


def decode_ended(saga: bytes, raw: bytes) -> EndedRow:
    """The row of its bytes.

    Raises:
        ValueError: they are not what was written.
    """
    try:
        (checksum,) = _CHECKSUM.unpack_from(raw)
        body = raw[_CHECKSUM.size :]
        if crc32(body, crc32(saga)) != checksum:
            raise ValueError("the checksum does not match, the medium changed it")
        pruned, at_millis, last, code = _ENDED.unpack_from(body)
        return EndedRow(
            pruned=bool(pruned), at_millis=at_millis, last=last, outcome=_OUTCOMES[code], digest=body[_ENDED.size :]
        )
    except (StructError, KeyError) as error:
        raise ValueError(f"unknown layout {raw[:40]!r}") from error


def clamp_millis(at_millis: int) -> int:
    """Times that keys can hold: before 1970 is 1970."""
    return at_millis if 0 <= at_millis <= _LATEST else 0 if at_millis < 0 else _LATEST


def time_key(at_millis: int, saga: bytes = b"") -> bytes:
    """Sorts by time, then by saga."""
    return _TIME.pack(clamp_millis(at_millis)) + saga


def saga_of_time_key(key: bytes) -> bytes | None:
    """The saga in a key of `time_key`, or None when the key is not one."""
    return key[_TIME.size :] if len(key) == _TIME.size + SAGA_BYTES else None


def mark_key(saga: bytes, key: str) -> bytes:
    """The key of a mark; long ones are kept as a digest, for keys are bounded."""
    return saga + _mark_suffix(key)


@lru_cache(maxsize=256)  # a participant marks with the name of its step
def _mark_suffix(key: str) -> bytes:
    raw = key.encode(errors="surrogatepass")  # no text may ever stop a commit
    if len(raw) > _LONGEST_KEY:
        return b"\x01" + hashlib.blake2b(raw, digest_size=32).digest()
    return b"\x00" + raw


def mark_value(at_millis: int) -> bytes:
    return _TIME.pack(clamp_millis(at_millis))


def is_mark(key: bytes, value: bytes) -> bool:
    """Whether a row has the form of a mark."""
    return len(key) > SAGA_BYTES + 1 and key[SAGA_BYTES] in (0, 1) and len(value) == _TIME.size


def after_saga(saga: bytes) -> bytes:
    """Sorts after every key that begins with this saga."""
    return saga + AFTER_ALL_KEYS
