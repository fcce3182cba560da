"""Journal records to bytes and back.

Layout of a value: format version (1 byte), CRC-32 over key and body (4 bytes, big-endian), body. The body is msgpack:
[sequence, tag, at_millis, field, ...]. Tags are stable names, never import paths; fields are positional, a reader
ignores extra ones and gives missing ones their defaults. LMDB itself has no checksums.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from operator import attrgetter
from struct import Struct
from sys import intern
from types import MappingProxyType
from typing import Final, Generic, TypeAlias, get_type_hints
from zlib import crc32

from attrs import NOTHING, fields
from cattrs import Converter
from typing_extensions import TypeVar

from saga_choreography.codec.plans import DIGEST_BYTES, PlanTable, decode_plan, encode_plan, step_names
from saga_choreography.codec.reasons import reason_of
from saga_choreography.codec.wire import pack, unpack
from saga_choreography.errors import PayloadError
from saga_choreography.events import (
    CompensationAttemptFailed,
    CompensationExecutionCompleted,
    CompensationExecutionStarted,
    FenceRaised,
    FenceRecorded,
    InitiatorEvent,
    ParticipantEvent,
    QuarantinedStep,
    QuarantineResolved,
    SagaAccepted,
    SagaEnded,
    SagaParked,
    SagaResolved,
    SagaUnparked,
    StepAttemptFailed,
    StepExecutionCompleted,
    StepExecutionFailed,
    StepExecutionStarted,
    StepQuarantined,
    StepSuspended,
    StepTriggered,
    TimestampedEvent,
)
from saga_choreography.types import FailureCause, FailureKind, PeerId, SagaId, SagaOrigin, StepInput

FORMAT_VERSION: Final = 1
"""A library that writes another one raises the format of the stores it writes to as well (`storage.lmdb_identity`)."""
_FIXED_FIELDS: Final = 3
_ORIGIN_FIELDS: Final = 3
_HEADER: Final = Struct(">BI")
_SEQUENCE: Final = Struct(">I")

PARTICIPANT_TAGS: Final[Mapping[str, type[ParticipantEvent]]] = MappingProxyType(
    {
        "step.triggered": StepTriggered,
        "step.started": StepExecutionStarted,
        "step.attempt_failed": StepAttemptFailed,
        "step.suspended": StepSuspended,
        "step.completed": StepExecutionCompleted,
        "step.failed": StepExecutionFailed,
        "fence.recorded": FenceRecorded,
        "undo.started": CompensationExecutionStarted,
        "undo.attempt_failed": CompensationAttemptFailed,
        "undo.completed": CompensationExecutionCompleted,
        "step.quarantined": StepQuarantined,
        "step.resolved": QuarantineResolved,
        "saga.ended": SagaEnded,
    }
)
INITIATOR_TAGS: Final[Mapping[str, type[InitiatorEvent]]] = MappingProxyType(
    {
        "saga.accepted": SagaAccepted,
        "fence.raised": FenceRaised,
        "saga.parked": SagaParked,
        "saga.unparked": SagaUnparked,
        "saga.resolved": SagaResolved,
    }
)

_EXACT: Final = (bytes, str, int, bool)
"""Kinds of which a stored value is taken as it is, and no other in its place."""

R = TypeVar("R")
_FieldOut: TypeAlias = Callable[[object, PlanTable], object]
_FieldIn: TypeAlias = Callable[[SagaId, object, PlanTable], object]


class UnknownFormat(ValueError):
    """A record of a format that this library does not read."""

    def __init__(self, version: int) -> None:
        self.version = version
        super().__init__(version)

    def __str__(self) -> str:
        return f"format version {self.version}, this library reads {FORMAT_VERSION}: use the version that wrote it"


def record_key(saga_id: SagaId, sequence: int) -> bytes:
    """Key of a record: 16 bytes of saga id, 4 bytes of sequence, so records sort by saga and then by age."""
    return saga_id.bytes + _SEQUENCE.pack(sequence)


def _origin_out(value: object, plans: PlanTable) -> object:
    assert isinstance(value, SagaOrigin)
    digest, packed = encode_plan(value.plan)
    plans.save_plan(digest, packed)
    return (value.initiator, value.started_at_millis, digest)


def _origin_in(saga_id: SagaId, raw: object, plans: PlanTable) -> SagaOrigin:
    if type(raw) is not list or len(raw) < _ORIGIN_FIELDS:
        raise ValueError(f"unknown origin {raw!r:.80}")
    initiator, started_at_millis, digest = raw[:_ORIGIN_FIELDS]
    if not (type(initiator) is str and type(started_at_millis) is int and type(digest) is bytes):
        raise ValueError(f"unknown origin {raw!r:.80}")
    packed = plans.load_plan(digest) if len(digest) == DIGEST_BYTES else None
    if packed is None:
        raise ValueError(f"the plan {digest.hex():.80} is missing")
    return SagaOrigin(
        saga_id=saga_id,
        initiator=PeerId(intern(initiator)),
        started_at_millis=started_at_millis,
        plan=decode_plan(packed),
    )


def _cause_out(cause: object, _: PlanTable) -> object:
    assert isinstance(cause, FailureCause)
    return [cause.kind.value, cause.reason, list(cause.steps)]


def _cause_in(_: SagaId, raw: object, __: PlanTable) -> FailureCause:
    match raw:
        case [str(kind), str(reason), list(steps), *_]:
            return FailureCause(kind=FailureKind(kind), reason=reason, steps=step_names(steps))
        case _:
            raise ValueError(f"unknown cause {raw!r:.80}")


def _parked_out(steps: object, _: PlanTable) -> object:
    assert isinstance(steps, tuple)
    return [[step.step_name, step.reason] for step in steps]


def _parked_step(raw: object) -> QuarantinedStep:
    match raw:
        case [str(step_name), str(reason)]:
            return QuarantinedStep(step_name=step_name, reason=reason)
        case _:
            raise ValueError(f"unknown parked step {raw!r:.80}")


def _parked_in(_: SagaId, raw: object, __: PlanTable) -> tuple[QuarantinedStep, ...]:
    if isinstance(raw, list):
        return tuple(map(_parked_step, raw))
    raise ValueError(f"unknown parked steps {raw!r:.80}")


def _source(raw: object) -> tuple[str, bytes]:
    match raw:
        case [str(name), bytes(value)]:
            return intern(name), value
        case _:
            raise ValueError(f"unknown source {raw!r:.80}")


def _input_in(_: SagaId, raw: object, __: PlanTable) -> StepInput:
    if isinstance(raw, list):
        return tuple(map(_source, raw))
    raise ValueError(f"unknown input {raw!r:.80}")


def _as_it_is(value: object, _: PlanTable) -> object:
    return value


_SPECIAL: Final[Mapping[object, tuple[_FieldOut, _FieldIn]]] = {
    SagaOrigin: (_origin_out, _origin_in),
    FailureCause: (_cause_out, _cause_in),
    tuple[QuarantinedStep, ...]: (_parked_out, _parked_in),
    StepInput: (_as_it_is, _input_in),
}


def _getter(names: Sequence[str]) -> Callable[[object], Sequence[object]]:
    """The values of attributes; an attrgetter of one name gives the value itself, of several names a tuple."""
    if len(names) > 1:
        return attrgetter(*names)
    if not names:
        return lambda _: ()
    only = attrgetter(*names)
    return lambda value: (only(value),)


class _Shape:
    """How one record class is laid out."""

    def __init__(self, tag: str, kind: type) -> None:
        self.tag = tag
        self.kind = kind
        hints = get_type_hints(kind)
        attributes = fields(kind)
        self.names = tuple(attribute.name for attribute in attributes)
        self.required = sum(attribute.default is NOTHING for attribute in attributes)
        self.get = _getter(self.names)
        self.outs: list[tuple[int, _FieldOut]] = []
        self.ins: list[_FieldIn] = []
        self.exact: list[type | None] = []
        """Kinds of values that are stored as they are, by field; None: it must be converted."""
        for position, name in enumerate(self.names):
            declared = hints[name]
            self.exact.append(next((kind for kind in _EXACT if declared in (kind, kind | None)), None))
            if declared in _SPECIAL:
                out, into = _SPECIAL[declared]
                if out is not _as_it_is:
                    self.outs.append((position + _FIXED_FIELDS, out))
                self.ins.append(into)
                continue
            if isinstance(declared, type) and issubclass(declared, Enum):
                self.outs.append((position + _FIXED_FIELDS, _enum_value))
            self.ins.append(_plain(declared))


def _exactly(kind: type) -> Callable[[object, object], object]:
    def check(raw: object, _: object) -> object:
        if type(raw) is not kind:
            raise ValueError(f"{type(raw).__name__} where {kind.__name__} is expected")
        return raw

    return check


_SHAPES: Final[dict[type, _Shape]] = {}
"""Reading annotations is slow, and every store that is opened needs all shapes."""


def _shape(tag: str, kind: type) -> _Shape:
    shape = _SHAPES.get(kind)
    if shape is None:
        shape = _SHAPES[kind] = _Shape(tag, kind)
    return shape


def _enum_value(value: object, _: PlanTable) -> object:
    assert isinstance(value, Enum)
    plain: object = value._value_  # what `value` gives, without its descriptor
    return plain


def _new_converter() -> Converter:
    converter = Converter(detailed_validation=False)
    for kind in _EXACT:
        converter.register_structure_hook(kind, _exactly(kind))
    return converter


_CONVERTER: Final = _new_converter()  # costly to build, so all codecs share it


def _plain(declared: type) -> _FieldIn:
    hook = _CONVERTER.get_structure_hook(declared)
    return lambda _, raw, __: hook(raw, declared)


class RecordCodec(Generic[R]):
    """Encodes and decodes the records of one journal."""

    def __init__(self, tags: Mapping[str, type[R]], plans: PlanTable) -> None:
        self._plans = plans
        shapes = [_shape(tag, kind) for tag, kind in tags.items()]
        self._by_type: dict[type, _Shape] = {shape.kind: shape for shape in shapes}
        self._by_tag: dict[str, tuple[_Shape, type[R]]] = {shape.tag: (shape, tags[shape.tag]) for shape in shapes}

    def encode(self, key: bytes, record: TimestampedEvent[R]) -> bytes:
        """The stored value of a record under its `record_key`."""
        event = record.event
        shape = self._by_type[type(event)]
        body = [record.sequence, shape.tag, record.at_millis, *shape.get(event)]
        for position, out in shape.outs:
            body[position] = out(body[position], self._plans)
        packed = pack(body)
        return _HEADER.pack(FORMAT_VERSION, crc32(packed, crc32(key))) + packed

    def decode(self, saga_id: SagaId, sequence: int, value: bytes) -> TimestampedEvent[R]:
        """The record of a stored value.

        Raises:
            PayloadError: wrong version (from `UnknownFormat`), wrong checksum, unknown tag or unknown layout.
        """
        try:
            version, checksum = _HEADER.unpack_from(value)
            body = value[_HEADER.size :]
            if version != FORMAT_VERSION:
                raise UnknownFormat(version)
            if crc32(body, crc32(record_key(saga_id, sequence))) != checksum:
                raise ValueError("the checksum does not match, the medium changed it")
            return self._structure(saga_id, sequence, unpack(body))
        except Exception as error:
            what = f"record {sequence} of saga {saga_id}"
            raise PayloadError(what, "journal record", reason_of(error)) from error

    def _structure(self, saga_id: SagaId, sequence: int, body: object) -> TimestampedEvent[R]:
        # Plain tests instead of a pattern: a recovery reads hundreds of thousands of records.
        if type(body) is not list or len(body) < _FIXED_FIELDS:
            raise ValueError(f"unknown layout {body!r:.80}")
        stored, tag, at_millis = body[:_FIXED_FIELDS]
        if not (type(stored) is int and stored == sequence and type(tag) is str and type(at_millis) is int):
            raise ValueError(f"unknown layout {body!r:.80}")
        known = self._by_tag.get(tag)
        if known is None:
            raise ValueError(f"unknown tag {tag!r:.40}, written by a newer version?")
        shape, kind = known
        values = body[_FIXED_FIELDS:]
        if len(values) < shape.required:
            raise ValueError(f"{tag} has {len(values)} fields, needs {shape.required}")
        arguments: dict[str, object] = {}
        for name, exact, into, raw in zip(shape.names, shape.exact, shape.ins, values, strict=False):
            arguments[name] = raw if type(raw) is exact else into(saga_id, raw, self._plans)
        return TimestampedEvent(sequence, at_millis, kind(**arguments))
