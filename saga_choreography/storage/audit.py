"""Looks at every row of a store: each is what was written, and all tables tell the same story.

Recovery reads the live index alone. The audit is for a store that may have lost pages: a table may be older than the
others, and each of its rows sound.
"""

from collections.abc import Iterator
from typing import Final, TypeVar
from uuid import UUID

from saga_choreography.errors import StoreDamaged
from saga_choreography.storage.layout import (
    AFTER_ALL_KEYS,
    INITIATOR,
    PARTICIPANT,
    PLANS,
    SAGA_BYTES,
    EndedRow,
    Role,
    decode_ended,
    is_mark,
    time_key,
)
from saga_choreography.storage.staged_journal import StagedJournal
from saga_choreography.storage.staging import StagedEnvironment
from saga_choreography.types import SagaId

R = TypeVar("R")

_BATCH: Final = 512
_REMEDY: Final = "keep the directory as evidence and restore it from a backup"


def audit(environment: StagedEnvironment) -> None:
    """Read everything in an environment.

    Raises:
        StoreDamaged: a row is not what was written, or tables contradict each other.
    """
    for digest, _ in _walk(environment, PLANS):
        environment.load_plan(digest)
    _audit_role(environment, PARTICIPANT)
    _audit_role(environment, INITIATOR)


def _audit_role(environment: StagedEnvironment, role: Role[R]) -> None:
    journal = StagedJournal(environment, role)
    live = {key for key, _ in _walk(environment, role.live)}
    ended = {key: _ended(environment, role, key, value) for key, value in _walk(environment, role.ended)}
    with_records: set[bytes] = set()
    for key, _ in _walk(environment, role.records):
        with_records.add(key[:SAGA_BYTES])
    kept = {saga for saga, row in ended.items() if not row.pruned}
    _require(environment, role, "live and ended at once", live & kept)
    _require(environment, role, "records and neither live nor ended", with_records - live - kept)
    for saga in live | kept:
        if len(saga) != SAGA_BYTES:
            raise _damaged(environment, role, f"{saga!r} is no saga id")
        journal.read(SagaId(UUID(bytes=saga)))
    # A saga that was started again under an id whose tombstone stands has both a live entry and a tombstone.
    finished = {time_key(row.at_millis, saga) for saga, row in ended.items() if not row.pruned}
    buried = {time_key(row.at_millis, saga) for saga, row in ended.items() if row.pruned}
    for table, expected in ((role.finished, finished), (role.tombstones, buried)):
        found = {key for key, _ in _walk(environment, table)}
        if found != expected:
            raise _damaged(environment, role, f"{len(found ^ expected)} row(s) of {table} are missing or too many")
    marked: set[bytes] = set()
    for key, value in _walk(environment, role.marks):
        if not is_mark(key, value):
            raise _damaged(environment, role, f"{key!r:.80} is no mark")
        marked.add(key[:SAGA_BYTES])
    # The first record of a saga brings its mark, and the mark goes with the tombstone. An initiator makes none.
    if marked:
        _require(environment, role, "a mark and nothing else, or no mark", marked ^ (live | ended.keys()))


def _ended(environment: StagedEnvironment, role: Role[R], saga: bytes, raw: bytes) -> EndedRow:
    try:
        return decode_ended(saga, raw)
    except ValueError as error:
        raise _damaged(environment, role, f"how saga {saga.hex()} ended is unreadable: {error}") from error


def _require(environment: StagedEnvironment, role: Role[R], what: str, sagas: set[bytes]) -> None:
    if sagas:
        raise _damaged(environment, role, f"{len(sagas)} saga(s), such as {min(sagas).hex()}, have {what}")


def _walk(environment: StagedEnvironment, table: str) -> Iterator[tuple[bytes, bytes]]:
    start = b""
    while rows := environment.rows(table, start, AFTER_ALL_KEYS, _BATCH):
        yield from rows
        start = rows[-1][0] + b"\x00"


def _damaged(environment: StagedEnvironment, role: Role[R], why: str) -> StoreDamaged:
    return StoreDamaged(environment.store, f"{role.name} journal: {why}", _REMEDY)
