"""A stored record is what was written, or a `PayloadError` that names it. Never another value, never another error.

What travels between actors (`events/choreography.py`) stays inside one process and is never encoded, so it has no
decoder to test; whatever transports it one day must bring its own tests.
"""

from typing import TypeAlias, get_type_hints

import pytest
from attrs import fields
from hypothesis import given
from hypothesis import strategies as st

from saga_choreography.codec import FORMAT_VERSION, INITIATOR_TAGS, PARTICIPANT_TAGS, RecordCodec, record_key
from saga_choreography.codec.wire import pack, unpack
from saga_choreography.errors import PayloadError
from saga_choreography.events import TimestampedEvent
from tests.codec.strategies import INITIATOR_EVENTS, PARTICIPANT_EVENTS, SAGA, SAMPLES, AnyEvent, PlansInMemory
from tests.fuzz.budget import examples, is_soak
from tests.fuzz.conforming import conforms
from tests.fuzz.hostile_msgpack import HOSTILE, PLAIN, list_header, tower
from tests.fuzz.mutations import mutated, resealed, sealed
from tests.fuzz.refusals import must_name

Codec: TypeAlias = RecordCodec[AnyEvent]

EVERY_TAG: dict[str, type[AnyEvent]] = {**PARTICIPANT_TAGS, **INITIATOR_TAGS}
EVENTS: st.SearchStrategy[AnyEvent] = st.one_of(PARTICIPANT_EVENTS, INITIATOR_EVENTS)
SEQUENCE = 3
KEY = record_key(SAGA, SEQUENCE)
AT_MILLIS = 1_000
DAMAGED = EVENTS if is_soak() else st.sampled_from(SAMPLES)


@pytest.fixture(scope="module")
def codec() -> Codec:
    return RecordCodec(EVERY_TAG, PlansInMemory())


def decoded_or_refused(codec: Codec, value: bytes) -> AnyEvent | None:
    """The event, or None when it was refused; fails on everything else."""
    try:
        record = codec.decode(SAGA, SEQUENCE, value)
    except PayloadError as error:
        must_name(error, f"record {SEQUENCE} of saga {SAGA}")
        return None
    assert record.sequence == SEQUENCE
    assert type(record.at_millis) is type(record.sequence) is int
    assert has_the_declared_types(record.event)
    assert codec.decode(SAGA, SEQUENCE, codec.encode(KEY, record)) == record
    return record.event


def has_the_declared_types(event: AnyEvent) -> bool:
    hints = get_type_hints(type(event))
    return all(conforms(getattr(event, one.name), hints[one.name]) for one in fields(type(event)))


@examples(60)
@given(event=EVENTS)
def test_every_event_comes_back_and_is_always_the_same_bytes(codec: Codec, event: AnyEvent) -> None:
    record = TimestampedEvent(SEQUENCE, AT_MILLIS, event)
    value = codec.encode(KEY, record)
    assert codec.decode(SAGA, SEQUENCE, value) == record
    assert RecordCodec(EVERY_TAG, PlansInMemory()).encode(KEY, record) == value
    assert decoded_or_refused(codec, value) == event


@examples(60)
@given(event=DAMAGED, other=DAMAGED, data=st.data())
def test_a_damaged_value_is_noticed(codec: Codec, event: AnyEvent, other: AnyEvent, data: st.DataObject) -> None:
    value = codec.encode(KEY, TimestampedEvent(SEQUENCE, AT_MILLIS, event))
    foreign = codec.encode(KEY, TimestampedEvent(SEQUENCE, AT_MILLIS, other))
    damaged = data.draw(mutated(value, foreign))
    if decoded_or_refused(codec, damaged) is not None:
        assert damaged == value, "a change of a few bytes that the checksum does not notice"


@examples(100)
@given(event=DAMAGED, other=DAMAGED, data=st.data())
def test_a_damaged_value_with_a_good_checksum_is_a_record_or_refused(
    codec: Codec, event: AnyEvent, other: AnyEvent, data: st.DataObject
) -> None:
    value = codec.encode(KEY, TimestampedEvent(SEQUENCE, AT_MILLIS, event))
    foreign = codec.encode(KEY, TimestampedEvent(SEQUENCE, AT_MILLIS, other))
    decoded_or_refused(codec, resealed(SAGA, SEQUENCE, data.draw(mutated(value, foreign))))


@examples(100)
@given(raw=HOSTILE)
def test_any_bytes_behind_a_good_checksum_are_refused(codec: Codec, raw: bytes) -> None:
    assert decoded_or_refused(codec, raw) is None
    decoded_or_refused(codec, sealed(SAGA, SEQUENCE, raw))


@examples(100)
@given(tag=st.sampled_from(sorted(EVERY_TAG)), parts=st.lists(HOSTILE, max_size=5), promised=st.integers(0, 9))
def test_hostile_fields_under_a_known_tag_are_refused(
    codec: Codec, tag: str, parts: list[bytes], promised: int
) -> None:
    head = pack(SEQUENCE) + pack(tag) + pack(AT_MILLIS)
    decoded_or_refused(codec, sealed(SAGA, SEQUENCE, list_header(3 + promised) + head + b"".join(parts)))
    decoded_or_refused(codec, sealed(SAGA, SEQUENCE, list_header(3 + len(parts)) + head + b"".join(parts)))


@examples(150)
@given(event=DAMAGED, data=st.data())
def test_fields_missing_extra_or_of_another_kind_are_a_record_or_refused(
    codec: Codec, event: AnyEvent, data: st.DataObject
) -> None:
    body = stored_fields(codec, event)
    match data.draw(st.sampled_from(["missing", "extra", "another", "inside"])):
        case "missing":
            del body[data.draw(st.integers(0, len(body) - 1)) :]
        case "extra":
            body += data.draw(st.lists(PLAIN, max_size=3))
            assert decoded_or_refused(codec, sealed(SAGA, SEQUENCE, pack(body))) == event
        case "another":
            body[data.draw(st.integers(0, len(body) - 1))] = data.draw(PLAIN)
        case _:
            inner = [part for part in body if isinstance(part, list) and part]
            if inner:
                part = data.draw(st.sampled_from(inner))
                part[data.draw(st.integers(0, len(part) - 1))] = data.draw(PLAIN)
    decoded_or_refused(codec, sealed(SAGA, SEQUENCE, pack(body)))


@examples(60)
@given(event=DAMAGED, tag=st.sampled_from(sorted(EVERY_TAG)) | st.text(max_size=30))
def test_a_record_under_another_tag_is_that_other_record_or_refused(codec: Codec, event: AnyEvent, tag: str) -> None:
    body = stored_fields(codec, event)
    body[1] = tag
    found = decoded_or_refused(codec, sealed(SAGA, SEQUENCE, pack(body)))
    assert found is None or type(found) is EVERY_TAG[tag]


@examples(20)
@given(event=DAMAGED, version=st.integers(0, 255).filter(lambda one: one != FORMAT_VERSION))
def test_another_format_version_is_refused_by_its_number(codec: Codec, event: AnyEvent, version: int) -> None:
    value = sealed(SAGA, SEQUENCE, pack(stored_fields(codec, event)), version)
    with pytest.raises(PayloadError, match=rf"format version {version}, .*use the version that wrote it"):
        codec.decode(SAGA, SEQUENCE, value)


@examples(20)
@given(digest=st.binary(max_size=80))
def test_a_record_whose_plan_is_not_there_is_refused(codec: Codec, digest: bytes) -> None:
    body = [SEQUENCE, "saga.accepted", 9, ["shop", 5, digest], b"", b""]
    assert decoded_or_refused(codec, sealed(SAGA, SEQUENCE, pack(body))) is None


@pytest.mark.parametrize("levels", [50, 400, 1_000, 1_030, 10_000, 100_000])
@pytest.mark.parametrize("header", [b"\x91", b"\x81\xa1a", b"\x92\xc0"], ids=["lists", "mappings", "pairs"])
def test_a_tower_of_lists_is_refused(codec: Codec, levels: int, header: bytes) -> None:
    assert decoded_or_refused(codec, sealed(SAGA, SEQUENCE, tower(levels, header))) is None
    head = list_header(4) + pack(SEQUENCE) + pack("fence.raised") + pack(AT_MILLIS)
    assert decoded_or_refused(codec, sealed(SAGA, SEQUENCE, head + tower(levels, header))) is None


def stored_fields(codec: Codec, event: AnyEvent) -> list[object]:
    """The body of a record, open to change."""
    body = unpack(codec.encode(KEY, TimestampedEvent(SEQUENCE, AT_MILLIS, event))[5:])
    assert isinstance(body, list)
    return body
