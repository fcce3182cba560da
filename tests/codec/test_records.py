"""A journal value comes back as it was, or not at all."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias, get_args
from uuid import UUID
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saga_choreography.codec import (
    FORMAT_VERSION,
    INITIATOR_TAGS,
    PARTICIPANT_TAGS,
    PlanTable,
    RecordCodec,
    record_key,
)
from saga_choreography.codec.wire import pack, unpack
from saga_choreography.errors import PayloadError
from saga_choreography.events import (
    CompensationExecutionStarted,
    InitiatorEvent,
    ParticipantEvent,
    QuarantineResolved,
    ResolutionKind,
    StepExecutionStarted,
    StepQuarantined,
    StepSuspended,
    TimestampedEvent,
)
from saga_choreography.types import SagaId, new_saga_id

AnyEvent: TypeAlias = ParticipantEvent | InitiatorEvent
Codec: TypeAlias = RecordCodec[AnyEvent]

EVERY_TAG: Mapping[str, type[AnyEvent]] = {**PARTICIPANT_TAGS, **INITIATOR_TAGS}


@pytest.fixture(scope="session")
def codec(plans: PlanTable) -> Codec:
    return RecordCodec(EVERY_TAG, plans)


def sealed(saga: SagaId, sequence: int, body: object, *, version: int = FORMAT_VERSION) -> bytes:
    """A value with a good checksum around any body."""
    packed = pack(body)
    checksum = crc32(packed, crc32(saga.bytes + sequence.to_bytes(4, "big")))
    return bytes([version]) + checksum.to_bytes(4, "big") + packed


def test_every_record_type_has_a_tag_of_its_own() -> None:
    assert set(PARTICIPANT_TAGS.values()) == set(get_args(ParticipantEvent))
    assert set(INITIATOR_TAGS.values()) == set(get_args(InitiatorEvent))
    assert len(EVERY_TAG) == len(PARTICIPANT_TAGS) + len(INITIATOR_TAGS) == 18


def test_tags_are_the_stable_names_they_have_always_been() -> None:
    assert list(PARTICIPANT_TAGS) == [
        "step.triggered",
        "step.started",
        "step.attempt_failed",
        "step.suspended",
        "step.completed",
        "step.failed",
        "fence.recorded",
        "undo.started",
        "undo.attempt_failed",
        "undo.completed",
        "step.quarantined",
        "step.resolved",
        "saga.ended",
    ]
    assert list(INITIATOR_TAGS) == ["saga.accepted", "fence.raised", "saga.parked", "saga.unparked", "saga.resolved"]


def encoded(codec: Codec, saga: SagaId, record: TimestampedEvent[AnyEvent]) -> bytes:
    return codec.encode(record_key(saga, record.sequence), record)


def test_the_layout_of_a_value_never_changes(codec: Codec) -> None:
    saga = SagaId(UUID(int=7))
    value = encoded(codec, saga, TimestampedEvent(3, 1_000, CompensationExecutionStarted(attempt=2)))
    body = b"\x94\x03\xacundo.started\xcd\x03\xe8\x02"
    assert value == b"\x01" + crc32(body, crc32(bytes(15) + b"\x07\x00\x00\x00\x03")).to_bytes(4, "big") + body


def test_keys_sort_by_saga_and_then_by_age() -> None:
    first, second = sorted((new_saga_id(), new_saga_id()), key=lambda saga: saga.bytes)
    keys = [record_key(saga, sequence) for saga in (first, second) for sequence in (1, 2, 255, 256, 65_536)]
    assert keys == sorted(keys)
    assert {len(key) for key in keys} == {20}


def test_one_record_of_every_kind_comes_back(codec: Codec, saga: SagaId, samples: Sequence[AnyEvent]) -> None:
    assert {type(event) for event in samples} == set(EVERY_TAG.values())
    for sequence, event in enumerate(samples, 1):
        record = TimestampedEvent(sequence, 1_000 + sequence, event)
        assert codec.decode(saga, sequence, encoded(codec, saga, record)) == record


@settings(max_examples=300, deadline=None)
@given(st.data(), st.integers(1, 2**32 - 1), st.integers(-(2**63), 2**63 - 1))
def test_any_record_comes_back_as_it_was(
    codec: Codec,
    saga: SagaId,
    any_participant_event: st.SearchStrategy[ParticipantEvent],
    any_initiator_event: st.SearchStrategy[InitiatorEvent],
    data: st.DataObject,
    sequence: int,
    at_millis: int,
) -> None:
    event: AnyEvent = data.draw(st.one_of(any_participant_event, any_initiator_event))
    record = TimestampedEvent(sequence, at_millis, event)
    decoded = codec.decode(saga, sequence, encoded(codec, saga, record))
    assert decoded == record
    assert encoded(codec, saga, decoded) == encoded(codec, saga, record)


def test_every_changed_byte_is_noticed(codec: Codec, saga: SagaId, samples: Sequence[AnyEvent]) -> None:
    for event in samples:
        value = encoded(codec, saga, TimestampedEvent(1, 1_000, event))
        for position in range(len(value)):
            for mask in (0x01, 0x80, 0xFF):
                damaged = bytearray(value)
                damaged[position] ^= mask
                with pytest.raises(PayloadError):
                    codec.decode(saga, 1, bytes(damaged))


def test_every_cut_and_every_addition_is_noticed(codec: Codec, saga: SagaId, samples: Sequence[AnyEvent]) -> None:
    for event in samples:
        value = encoded(codec, saga, TimestampedEvent(1, 1_000, event))
        for length in range(len(value)):
            with pytest.raises(PayloadError):
                codec.decode(saga, 1, value[:length])
        with pytest.raises(PayloadError):
            codec.decode(saga, 1, value + b"\x00")


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_any_other_bytes_raise_payload_error_and_nothing_else(codec: Codec, saga: SagaId, raw: bytes) -> None:
    with pytest.raises(PayloadError):
        codec.decode(saga, 1, raw)
    body = raw[5:]
    checksum = crc32(body, crc32(record_key(saga, 1)))
    with pytest.raises(PayloadError):
        codec.decode(saga, 1, bytes([FORMAT_VERSION]) + checksum.to_bytes(4, "big") + body)


def test_a_value_under_another_key_is_noticed(codec: Codec, saga: SagaId) -> None:
    value = encoded(codec, saga, TimestampedEvent(1, 1_000, StepExecutionStarted(attempt=1)))
    with pytest.raises(PayloadError, match="checksum"):
        codec.decode(saga, 2, value)
    with pytest.raises(PayloadError, match="checksum"):
        codec.decode(new_saga_id(), 1, value)


def test_an_unknown_version_is_named(codec: Codec, saga: SagaId) -> None:
    body = [1, "step.started", 9, 1, False]
    with pytest.raises(PayloadError, match="format version 2, this library reads 1"):
        codec.decode(saga, 1, sealed(saga, 1, body, version=2))


def test_an_unknown_tag_is_named(codec: Codec, saga: SagaId) -> None:
    with pytest.raises(PayloadError, match=r"unknown tag 'step\.teleported'"):
        codec.decode(saga, 1, sealed(saga, 1, [1, "step.teleported", 9]))


def test_a_tag_of_the_other_journal_is_unknown(plans: PlanTable, saga: SagaId, codec: Codec) -> None:
    participant = RecordCodec(PARTICIPANT_TAGS, plans)
    with pytest.raises(PayloadError, match=r"unknown tag 'saga\.unparked'"):
        participant.decode(saga, 1, sealed(saga, 1, [1, "saga.unparked", 9]))


def test_extra_trailing_fields_are_ignored(codec: Codec, saga: SagaId, samples: Sequence[AnyEvent]) -> None:
    for event in samples:
        body = unpack(encoded(codec, saga, TimestampedEvent(1, 9, event))[5:])
        assert isinstance(body, list)
        longer = sealed(saga, 1, [*body, "of a later version", {"x": 1}])
        assert codec.decode(saga, 1, longer).event == event


@pytest.mark.parametrize(
    ("body", "event"),
    [
        (["step.started", 9, 4], StepExecutionStarted(attempt=4, doubtful=False)),
        (["step.suspended", 9], StepSuspended(pending_until_millis=None)),
        (["step.quarantined", 9, "stuck"], StepQuarantined(reason="stuck", error=None)),
        (
            ["step.resolved", 9, "retry", "ada", "looked"],
            QuarantineResolved(resolution=ResolutionKind.RETRY, by="ada", why="looked"),
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_missing_trailing_fields_take_their_defaults(
    body: list[object], event: AnyEvent, codec: Codec, saga: SagaId
) -> None:
    assert codec.decode(saga, 1, sealed(saga, 1, [1, *body])) == TimestampedEvent(1, 9, event)


@pytest.mark.parametrize(
    "body",
    [
        None,
        7,
        [],
        {},
        [1],
        [1, "step.started"],
        [2, "step.started", 9, 1],
        ["1", "step.started", 9, 1],
        [1, b"step.started", 9, 1],
        [1, "step.started", "9", 1],
        [1, "step.started", 9],
        [1, "step.started", 9, "1"],
        [1, "step.started", 9, None],
        [1, "step.started", 9, True],
        [1, "step.started", 9, 1, 0],
        [1, "step.completed", 9, "text", b""],
        [1, "step.completed", 9, b""],
        [1, "step.failed", 9, b"bytes"],
        [1, "saga.ended", 9, "exploded"],
        [1, "step.attempt_failed", 9, "unheard_of", "x", True],
        [1, "step.triggered", 9, ["shop", 5, b"no such plan"], "pay", []],
        [1, "step.triggered", 9, "shop", "pay", []],
        [1, "fence.raised", 9, ["unheard_of", "x", []]],
        [1, "fence.raised", 9, ["cancelled", "x"]],
        [1, "saga.parked", 9, [["pay"]]],
        [1, "saga.parked", 9, "pay"],
    ],
    ids=repr,
)
def test_a_body_that_does_not_fit_is_refused(body: object, codec: Codec, saga: SagaId) -> None:
    with pytest.raises(PayloadError):
        codec.decode(saga, 1, sealed(saga, 1, body))


def test_a_missing_plan_is_named(saga: SagaId, codec: Codec) -> None:
    body = [1, "step.triggered", 9, ["shop", 5, b"\xab\xcd"], "pay", []]
    with pytest.raises(PayloadError, match="the plan abcd is missing"):
        codec.decode(saga, 1, sealed(saga, 1, body))


def test_an_error_names_record_and_saga(saga: SagaId, codec: Codec) -> None:
    with pytest.raises(PayloadError, match=f"record 4 of saga {saga}"):
        codec.decode(saga, 4, b"")
