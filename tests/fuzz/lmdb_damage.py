"""Changes to the rows of one saga, made in the environment of a stopped actor by LMDB itself."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeAlias

import lmdb

from saga_choreography.codec.wire import pack, unpack
from saga_choreography.types import SagaId
from tests.fuzz.hostile_msgpack import list_header, tower
from tests.fuzz.mutations import sealed

Rows: TypeAlias = dict[tuple[str, bytes], bytes]
Damage: TypeAlias = Callable[[SagaId, bytes], bytes | None]
"""From a good record value (of sequence 1) to another one, or to none."""


@contextmanager
def _opened(path: Path, *, readonly: bool) -> "Iterator[lmdb.Environment]":
    environment = lmdb.open(str(path), max_dbs=32, create=False, readonly=readonly, map_size=1 << 30)
    try:
        yield environment
    finally:
        environment.close()


def rows_of(path: Path, saga_id: SagaId) -> Rows:
    """Every row of every table whose key holds the saga."""
    found: Rows = {}
    with _opened(path, readonly=True) as environment, environment.begin() as txn:
        with txn.cursor() as cursor:
            tables = [bytes(name) for name in cursor.iternext(keys=True, values=False)]
        for table in tables:
            with txn.cursor(db=environment.open_db(table, txn=txn, create=False)) as cursor:
                for key, value in cursor:
                    if saga_id.bytes in bytes(key):
                        found[table.decode(), bytes(key)] = bytes(value)
    return found


def change_row(path: Path, table: str, key: bytes, change: Callable[[bytes], bytes | None]) -> None:
    """Replace the value of one row; None deletes it."""
    with _opened(path, readonly=False) as environment:
        handle = environment.open_db(table.encode(), create=False)
        with environment.begin(write=True) as txn:
            before = txn.get(key, db=handle)
            assert before is not None, "there is no such row"
            after = change(bytes(before))
            assert after != before
            if after is None:
                txn.delete(key, db=handle)
            else:
                txn.put(key, after, db=handle)


def _with_field(saga_id: SagaId, value: bytes, position: int, field: object) -> bytes:
    body = unpack(value[5:])
    assert isinstance(body, list)
    body[position] = field
    return sealed(saga_id, 1, pack(body))


DAMAGES: Final[dict[str, Damage]] = {
    "a flipped bit": lambda _, value: value[:40] + bytes([value[40] ^ 4]) + value[41:],
    "cut in half": lambda _, value: value[: len(value) // 2],
    "empty": lambda _, __: b"",
    "deleted": lambda _, __: None,
    "a newer format": lambda saga_id, value: sealed(saga_id, 1, value[5:], version=2),
    "an unknown tag": lambda saga_id, value: _with_field(saga_id, value, 1, "step.teleported"),
    "the tag of another record": lambda saga_id, value: _with_field(saga_id, value, 1, "undo.started"),
    "a tower of lists": lambda saga_id, _: sealed(saga_id, 1, tower(10_000)),
    "a promise of 2**31 fields": lambda saga_id, _: sealed(saga_id, 1, list_header(2**31)),
    "a plan under an empty digest": lambda saga_id, value: _with_field(saga_id, value, 3, ["system", 5, b""]),
    "a plan under a long digest": lambda saga_id, value: _with_field(saga_id, value, 3, ["system", 5, bytes(600)]),
    "a plan that is not there": lambda saga_id, value: _with_field(saga_id, value, 3, ["system", 5, bytes(16)]),
    "the name of a class": lambda saga_id, value: _with_field(saga_id, value, 1, "os.system"),
}
