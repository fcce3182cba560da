"""What a journal does, whatever it is stored in: sequence checks, live index, ends, pruning.

`InMemoryJournal` and `LmdbJournal` are this class over two engines, so that they cannot differ in meaning.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Final, Generic, final
from uuid import UUID

from typing_extensions import TypeVar

from saga_choreography.codec import FORMAT_VERSION, RecordCodec, UnknownFormat
from saga_choreography.errors import PayloadError, StoreDamaged, StoreError, StoreMisused, StoreVersionError
from saga_choreography.events import TimestampedEvent
from saga_choreography.storage.journal import Tombstone
from saga_choreography.storage.layout import (
    SAGA_BYTES,
    SEQUENCE,
    EndedRow,
    Role,
    after_saga,
    decode_ended,
    encode_ended,
    saga_of_time_key,
    time_key,
)
from saga_choreography.storage.staging import Reads, Stage, StagedEnvironment
from saga_choreography.types import SagaId

R = TypeVar("R")

_ROWS_PER_PRUNING: Final = 512
_REMEDY: Final = "stop this actor, keep the directory as evidence and restore it from a backup"
_OTHER_FORMAT: Final = "use the version that wrote it (if none did, the medium changed it: restore it from a backup)"


@final
class _Part:
    """What one transaction writes for one role: the tables of its stage, looked up once and not for each record."""

    __slots__ = ("closed", "ended", "finished", "lasts", "live", "records", "stage")

    def __init__(self, stage: Stage, role: Role[R]) -> None:
        self.stage = stage
        self.records = stage.inserts[role.records]
        self.live = stage.writes[role.live]
        self.ended = stage.writes[role.ended]
        self.finished = stage.writes[role.finished]
        self.lasts = stage.last[role.name]
        self.closed = stage.closed[role.name]


class StagedJournal(Generic[R]):
    """The journal of one role in an environment."""

    def __init__(self, environment: StagedEnvironment, role: Role[R]) -> None:
        self._environment = environment
        self._role = role
        self._codec = RecordCodec[R](role.tags, environment)
        self._part: _Part | None = None
        self._name = role.name
        self._records = role.records
        self._live = role.live
        self._ended = role.ended
        self._known = environment.known_lasts(role.name)

    @property
    def role(self) -> Role[R]:
        """Whose journal it is: that of a participant or of an initiator."""
        return self._role

    def transaction(self) -> AbstractContextManager[None]:
        """Everything appended, ended or marked inside is committed together on a clean exit, or not at all."""
        return self._environment.transaction()

    def append(self, saga_id: SagaId, record: TimestampedEvent[R]) -> None:
        """Append one record to the open transaction.

        Raises:
            StoreMisused: `record.sequence` is not the last one plus one, or no transaction is open.
        """
        self.append_all(((saga_id, record),))

    def append_all(self, records: Iterable[tuple[SagaId, TimestampedEvent[R]]]) -> None:
        """Append records to the open transaction, in this order.

        Raises:
            StoreMisused: as `append`.
        """
        part = self._open_part()
        # One loop with everything at hand: this is the hottest place of the library.
        lasts, closed, live, inserts = part.lasts, part.closed, part.live, part.records
        known, encode = self._known, self._codec.encode
        for saga_id, record in records:
            saga = saga_id.bytes
            sequence = record.sequence
            last = lasts.get(saga)
            if last is None:
                last = known.get(saga)
                if last is None:
                    # That a new saga is new is found out by its insert, which fails for a key that is taken.
                    last = self._last(part, saga) if sequence > 1 else 0
            if sequence != last + 1:
                why = f"saga {saga_id} has {last} {self._name} record(s), record {sequence} does not follow"
                part.stage.doom = why
                raise StoreMisused(self._environment.store, why, "decide again from what is stored")
            packed = SEQUENCE.pack(sequence)
            key = saga + packed
            inserts[key] = encode(key, record)
            lasts[saga] = sequence
            if saga not in closed:
                live[saga] = packed
            else:
                row = self._ended_row(saga, self._environment.staged(self._ended, saga))
                if row is not None:
                    part.ended[saga] = row.with_last(sequence).encode(saga)

    def end(self, saga_id: SagaId, at_millis: int, tombstone: Tombstone) -> None:
        """Take the saga off the live index; its records stay until pruned. A second end changes nothing."""
        part = self._open_part()
        saga = saga_id.bytes
        last = part.lasts.get(saga)
        if last is None:
            last = self._known.get(saga)
        if last is None:
            last = self._last(part, saga)
            if not last and self._ended_row(saga, self._environment.staged(self._ended, saga)) is not None:
                return
        if saga in part.closed:
            return
        part.live[saga] = None
        part.ended[saga] = encode_ended(saga, at_millis, last, tombstone.outcome, tombstone.digest)
        part.finished[time_key(at_millis, saga)] = b""
        part.lasts[saga] = last
        part.closed.add(saga)

    def _open_part(self) -> "_Part":
        """This journal's share of the open transaction.

        Raises:
            StoreMisused: none is open, or it belongs to another thread.
        """
        stage = self._environment.open_stage()
        part = self._part
        if part is None or part.stage is not stage:
            part = self._part = _Part(stage, self._role)
        return part

    def read(self, saga_id: SagaId) -> tuple[TimestampedEvent[R], ...]:
        """All committed records of one saga in order; empty when there are none. Any thread may call it.

        Raises:
            StoreDamaged: a record is missing or is not what was written.
            StoreVersionError: a record is of a newer format.
        """
        saga = saga_id.bytes
        rows, expected = self._environment.consistent(lambda reads: self._rows_and_number(reads, saga))
        if expected != len(rows):
            raise self._damaged(saga_id, f"{len(rows)} of its {expected} records are there")
        return tuple(self._decode(saga_id, at, key, value) for at, (key, value) in enumerate(rows, 1))

    def live_sagas(self) -> Iterator[SagaId]:
        """Ids of sagas that have committed records and have not ended. Any thread may call it.

        Raises:
            StoreDamaged: an entry of the index is no id.
        """
        for saga, _ in self._environment.all_rows(self._live):
            if len(saga) != SAGA_BYTES:
                raise StoreDamaged(self._environment.store, f"{saga[:40]!r} in the live index is no saga id", _REMEDY)
            yield SagaId(UUID(bytes=saga))

    def tombstone(self, saga_id: SagaId) -> Tombstone | None:
        """What is left of a pruned saga, or None. Any thread may call it.

        Raises:
            StoreDamaged: it is not what was written.
        """
        saga = saga_id.bytes
        row = self._ended_row(saga, self._environment.value(self._ended, saga))
        return Tombstone(outcome=row.outcome, digest=row.digest) if row is not None and row.pruned else None

    def prune(self, before_millis: int, limit: int) -> int:
        """Replace up to `limit` sagas that ended before `before_millis` by tombstones; returns how many.

        Raises:
            StoreDamaged: how one of them ended is unreadable. It is left as it is, and the others are pruned.
        """
        return self._in_batches(self._role.finished, before_millis, limit, self._bury)

    def prune_tombstones(self, before_millis: int, limit: int) -> int:
        """Forget up to `limit` tombstones (and marks) of sagas that ended before `before_millis`; returns how many.

        Raises:
            StoreDamaged: one of them is unreadable. It is left as it is, and the others are forgotten.
        """
        return self._in_batches(self._role.tombstones, before_millis, limit, self._forget)

    def _in_batches(
        self, table: str, before_millis: int, limit: int, work: Callable[[Stage, bytes, bytes], None]
    ) -> int:
        """Work on the rows of a table that are due, in transactions of bounded size; damage keeps only its own row."""
        environment = self._environment
        environment.refuse_stage("prune")
        done, start, damage = 0, b"", None
        while done < limit and (due := environment.rows(table, start, time_key(before_millis), limit - done)):
            start = due[-1][0] + b"\x00"
            rows = iter(due)
            more = True
            while more:
                with environment.transaction():
                    stage = environment.open_stage()
                    stage.uses_reserve = True
                    more = False
                    for key, _ in rows:
                        try:
                            saga = saga_of_time_key(key)
                            if saga is None:
                                raise self._no_time_key(table, key)
                            work(stage, key, saga)
                        except StoreDamaged as error:
                            damage = damage or error
                            continue
                        done += 1
                        if sum(map(len, stage.writes.values())) >= _ROWS_PER_PRUNING:
                            more = True
                            break
        if damage is not None:
            raise damage
        return done

    def _bury(self, stage: Stage, finished_key: bytes, saga: bytes) -> None:
        row = self._ended_row(saga, self._environment.staged(self._ended, saga))
        if row is None:
            raise self._damaged(SagaId(UUID(bytes=saga)), "it ended, but how it ended is missing")
        stage.writes[self._role.finished][finished_key] = None
        stage.writes[self._ended][saga] = row.without_records().encode(saga)
        stage.writes[self._role.tombstones][time_key(row.at_millis, saga)] = b""
        records = stage.writes[self._records]
        for key, _ in self._environment.rows(self._records, saga, after_saga(saga)):
            records[key] = None

    def _forget(self, stage: Stage, tombstone_key: bytes, saga: bytes) -> None:
        row = self._ended_row(saga, self._environment.staged(self._ended, saga))
        stage.writes[self._role.tombstones][tombstone_key] = None
        if row is not None and not (row.pruned and time_key(row.at_millis, saga) == tombstone_key):
            return  # it was started anew and ended again: this is the tombstone of its former life
        stage.writes[self._ended][saga] = None
        marks = stage.writes[self._role.marks]
        for key, _ in self._environment.rows(self._role.marks, saga, after_saga(saga)):
            marks[key] = None

    def _last(self, part: "_Part", saga: bytes) -> int:
        """The last sequence of a saga not touched by this transaction yet; notes when the saga has ended."""
        live = self._environment.snapshot_value(self._live, saga)
        if live is not None:
            return self._live_sequence(saga, live)
        row = self._ended_row(saga, self._environment.snapshot_value(self._ended, saga))
        if row is None or row.pruned:
            return 0
        part.closed.add(saga)
        return row.last

    def _rows_and_number(self, reads: Reads, saga: bytes) -> tuple[list[tuple[bytes, bytes]], int]:
        """The rows of a saga, and how many there should be."""
        rows = reads.rows(self._records, saga, after_saga(saga))
        live = reads.value(self._live, saga)
        if live is not None:
            return rows, self._live_sequence(saga, live)
        row = self._ended_row(saga, reads.value(self._ended, saga))
        return rows, row.last if row is not None else 0

    def _live_sequence(self, saga: bytes, live: bytes) -> int:
        if len(live) != SEQUENCE.size:
            raise self._damaged(SagaId(UUID(bytes=saga)), "its entry in the live index was changed")
        last: int = SEQUENCE.unpack(live)[0]
        return last

    def _decode(self, saga_id: SagaId, sequence: int, key: bytes, value: bytes) -> TimestampedEvent[R]:
        if key != saga_id.bytes + SEQUENCE.pack(sequence):
            raise self._damaged(saga_id, f"record {sequence} is missing")
        try:
            return self._codec.decode(saga_id, sequence, value)
        except PayloadError as error:
            cause = error.__cause__
            if isinstance(cause, UnknownFormat):
                raise self._other_format(saga_id, sequence, cause.version) from error
            if isinstance(cause, StoreError) and not isinstance(cause, StoreDamaged):
                raise cause from error  # the store failed, the record may be fine
            why = cause.why if isinstance(cause, StoreDamaged) else str(error)
            raise self._damaged(saga_id, why) from error

    def _ended_row(self, saga: bytes, raw: bytes | None) -> EndedRow | None:
        if raw is None:
            return None
        try:
            return decode_ended(saga, raw)
        except ValueError as error:
            raise self._damaged(SagaId(UUID(bytes=saga)), f"how it ended is unreadable: {error}") from error

    def _no_time_key(self, table: str, key: bytes) -> StoreDamaged:
        return StoreDamaged(self._environment.store, f"{key[:40]!r} in table {table} is no time and saga", _REMEDY)

    def _other_format(self, saga_id: SagaId, sequence: int, version: int) -> StoreVersionError:
        where = f"{self._name} journal, saga {saga_id}: record {sequence}"
        why = f"{where} has format {version}, this library reads {FORMAT_VERSION}"
        return StoreVersionError(self._environment.store, why, _OTHER_FORMAT)

    def _damaged(self, saga_id: SagaId, why: str) -> StoreDamaged:
        return StoreDamaged(self._environment.store, f"{self._name} journal, saga {saga_id}: {why}", _REMEDY)
