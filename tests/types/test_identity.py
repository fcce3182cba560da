"""Ids sort by time, keys never change and never collide."""

import uuid
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saga_choreography.types import Direction, SagaId, idempotency_key, identity, new_saga_id

NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_.-]{0,63}", fullmatch=True)
IDS = st.uuids().map(SagaId)
DIRECTIONS: st.SearchStrategy[Direction] = st.sampled_from(("do", "undo"))


def test_a_fresh_saga_id_has_the_layout_of_uuid_version_7(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time_ns", lambda: 1_700_000_000_123_999_999)
    saga_id = new_saga_id()
    assert saga_id.version == 7
    assert saga_id.variant == uuid.RFC_4122
    assert saga_id.int >> 80 == 1_700_000_000_123


def test_saga_ids_sort_by_the_millisecond_they_were_made_in(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(1_700_000_000_000_000_000, 1_700_000_001_000_000_000, 1_000_000))
    monkeypatch.setattr("time.time_ns", lambda: next(clock))
    ids = [new_saga_id() for _ in range(200)]
    assert all(before < after and before.bytes < after.bytes for before, after in pairwise(ids))


def test_the_random_bits_fill_their_places_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time_ns", lambda: 0)
    monkeypatch.setattr(identity._random, "getrandbits", lambda bits: (1 << bits) - 1)
    assert str(new_saga_id()) == "00000000-0000-7fff-bfff-ffffffffffff"
    monkeypatch.setattr(identity._random, "getrandbits", lambda bits: 0)
    assert str(new_saga_id()) == "00000000-0000-7000-8000-000000000000"


def test_a_clock_beyond_the_year_10889_wraps_and_leaves_the_version_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time_ns", lambda: (1 << 48) * 1_000_000)
    assert new_saga_id().version == 7


def test_ten_thousand_fresh_ids_differ() -> None:
    assert len({new_saga_id() for _ in range(10_000)}) == 10_000


@given(IDS, NAMES, DIRECTIONS)
def test_a_key_depends_on_nothing_but_saga_step_and_direction(saga_id: SagaId, name: str, way: Direction) -> None:
    key = idempotency_key(saga_id, name, way)
    assert key == idempotency_key(SagaId(uuid.UUID(str(saga_id))), name, way)
    assert len(key) <= 32 + 1 + len(name) + 5


@given(st.tuples(IDS, NAMES, DIRECTIONS), st.tuples(IDS, NAMES, DIRECTIONS))
def test_two_different_effects_never_share_a_key(
    one: tuple[SagaId, str, Direction], other: tuple[SagaId, str, Direction]
) -> None:
    assert (idempotency_key(*one) == idempotency_key(*other)) == (one == other)


@given(IDS, NAMES)
def test_a_step_called_like_a_direction_does_not_collide(saga_id: SagaId, name: str) -> None:
    keys = {idempotency_key(saga_id, step, way) for step in (name, f"{name}-do") for way in ("do", "undo")}
    assert len(keys) == 4
