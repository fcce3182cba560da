"""The numbers of the pages on limits and storage are those of the code."""

import inspect
import re
from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Final
from uuid import UUID

import msgpack  # type: ignore[import-untyped]  # msgpack ships no type information
import pytest
from attrs import frozen

from saga_choreography import PayloadError, Saga, SagaSystem, SagaWorkflow, Step, WorkflowError
from saga_choreography.codec import PayloadCodec, payload_codec
from saga_choreography.codec.records import FORMAT_VERSION
from saga_choreography.helpers.engine import PAUSE_SECONDS
from saga_choreography.runtime.member import HEALTHY_SECONDS, RESTART_DELAYS
from saga_choreography.runtime.observers import QUEUE_LIMIT
from saga_choreography.runtime.system import STOP_SECONDS
from saga_choreography.storage.directory import DIRECTORY_FORMAT
from saga_choreography.storage.lmdb_environment import DEFAULT_MAP_BYTES
from saga_choreography.storage.lmdb_identity import STORE_FORMAT
from saga_choreography.storage.lmdb_pages import WALKED_AFTER_KILL_BYTES, WALKED_BYTES
from saga_choreography.types import DEEPEST_DEPENDENCY, LONGEST_MILLIS, new_saga_id
from saga_choreography.types.identity import idempotency_key
from tests.docs.documents import ROOT


@frozen
class Thing:
    number: int


@frozen
class Other:
    name: str


class Colour(Enum):
    RED = "red"


def page(name: str) -> str:
    """A page with its line breaks taken for spaces."""
    return " ".join((ROOT / "docs" / "topics" / f"{name}.md").read_text(encoding="utf-8").split())


LIMITS: Final = page("limits")
STORAGE: Final = page("storage")
THING: Final = Saga("thing", Thing)


def test_a_name_may_have_64_characters() -> None:
    assert "a letter, then up to 63 letters, digits, `_`, `-` or `.`" in LIMITS
    longest = "a" + "b" * 63
    SagaWorkflow(THING, steps=(Step[Thing, Thing](longest, Thing, after=THING),))
    with pytest.raises(WorkflowError, match="is not a name"):
        SagaWorkflow(THING, steps=(Step[Thing, Thing](f"{longest}c", Thing, after=THING),))


def test_the_longest_key_is_that_of_the_longest_name() -> None:
    keys = (idempotency_key(new_saga_id(), "a" * 64, direction) for direction in ("do", "undo"))
    assert f"| {max(map(len, keys))} characters |" in LIMITS


def test_the_longest_time_is_ten_years() -> None:
    assert "ten years" in LIMITS
    assert timedelta(days=3650) == timedelta(milliseconds=LONGEST_MILLIS)
    assert DEEPEST_DEPENDENCY == 50


def test_a_payload_has_100_levels() -> None:
    assert "100 levels" in LIMITS
    assert "100 levels deep" in STORAGE
    codec = payload_codec(list)
    deep: list[object] = [1]
    for _ in range(99):
        deep = [deep]
    codec.encode(deep, "a value")
    with pytest.raises(PayloadError, match="nested more than 100 levels"):
        codec.encode([deep], "a value")


def test_the_numbers_of_a_running_system() -> None:
    assert len(RESTART_DELAYS) == 8
    assert "8 are restarted | the ninth is the last" in LIMITS
    assert HEALTHY_SECONDS == 60
    assert "a minute of life forgives all" in LIMITS
    assert f"{QUEUE_LIMIT:,}" in LIMITS
    assert f"| {STOP_SECONDS:g} s for each actor unless told |" in LIMITS


def test_the_numbers_of_a_token() -> None:
    token = Step[Thing, Thing]("step", Thing, after=THING)
    assert f"`in_doubt_attempts` ({token.in_doubt_attempts})" in LIMITS
    assert f"`compensation_retry.max_attempts` ({token.compensation_retry.max_attempts})" in LIMITS
    retries = (ROOT / "docs/howto/retries.md").read_text(encoding="utf-8")
    assert (
        f"The defaults are {token.retry.max_attempts} attempts and {token.compensation_retry.max_attempts}." in retries
    )


def test_the_numbers_of_a_store() -> None:
    assert DEFAULT_MAP_BYTES == 1 << 30
    assert "1 GiB" in LIMITS
    assert f"every {max(PAUSE_SECONDS):g} s at the latest" in LIMITS
    assert f"{WALKED_BYTES >> 20} MiB, {WALKED_AFTER_KILL_BYTES >> 20} MiB after a kill" in LIMITS
    retention = inspect.signature(SagaSystem).parameters["retention"].default
    assert f"({retention.days} days)" in LIMITS


def test_all_formats_are_the_first() -> None:
    assert {DIRECTORY_FORMAT, STORE_FORMAT, FORMAT_VERSION} == {1}
    assert "Each is now 1." in STORAGE


@pytest.mark.parametrize(
    ("row", "declared", "value", "stored"),
    [
        ("attrs class, dataclass, `TypedDict` | mapping by field name", Thing, Thing(7), {"number": 7}),
        ("`Decimal` | text", Decimal, Decimal("1.50"), "1.50"),
        ("`UUID` | 16 bytes", UUID, UUID(int=1), UUID(int=1).bytes),
        ("`datetime`, `date` | ISO 8601 text", date, date(2026, 1, 2), "2026-01-02"),
        ("`datetime`, `date` | ISO 8601 text", datetime, datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00+00:00"),
        ("`Enum` | its value", Colour, Colour.RED, "red"),
        ("lists, tuples, `Sequence` | list", list[int], [2, 1], [2, 1]),
        ("lists, tuples, `Sequence` | list", tuple[int, str], (1, "a"), [1, "a"]),
        ("sets | sorted list", frozenset[int], frozenset({3, 1, 2}), [1, 2, 3]),
        ("sets | sorted list", AbstractSet[int], frozenset({3, 1, 2}), [1, 2, 3]),
        ("a union of attrs classes | mapping", Thing | Other, Other("x"), {"name": "x"}),
    ],
)
def test_a_payload_is_stored_as_the_page_says(row: str, declared: type, value: object, stored: object) -> None:
    assert f"| {row}" in re.sub(r"(?<=mapping);[^|]*", " ", STORAGE)
    codec: PayloadCodec[object] = payload_codec(declared)
    raw = codec.encode(value, "a value")
    assert msgpack.unpackb(raw) == stored
    assert codec.decode(raw, "a value") == value


def test_bytes_are_stored_as_they_are() -> None:
    assert "`bytes` as the whole payload | the very bytes" in STORAGE
    assert payload_codec(bytes).encode(b"\x00raw", "a value") == b"\x00raw"
