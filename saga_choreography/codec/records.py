"""Journal records to bytes and back.

Layout of a value: format version (1 byte), CRC-32 over key and body (4 bytes, big-endian), body. The body is msgpack:
[sequence, tag, at_millis, field, ...]. Tags are stable names, never import paths; fields are positional, a reader
ignores extra ones and gives missing ones their defaults. LMDB itself has no checksums.
"""

from collections.abc import Callable, Mapping
from enum import Enum
from operator import attrgetter
from struct import Struct
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

R = TypeVar("R")
_FieldOut: TypeAlias = Callable[[object, PlanTable], object]
_FieldIn: TypeAlias = Callable[[SagaId, object, PlanTable], object]


def record_key(saga_id: SagaId, sequence: int) -> bytes:
    """Key of a record: 16 bytes of saga id, 4 bytes of sequence, so records sort by saga and then by age."""
    return saga_id.bytes + _SEQUENCE.pack(sequence)


def _are_whole(*numbers: int) -> bool:
    """Whether none of them is a truth value, which Python takes for a number."""
    return not any(isinstance(number, bool) for number in numbers)


def _origin_out(value: object, plans: PlanTable) -> object:
    assert isinstance(value, SagaOrigin)
    digest, packed = encode_plan(value.plan)
    plans.save_plan(digest, packed)
    return [value.initiator, value.started_at_millis, digest]


def _origin_in(saga_id: SagaId, raw: object, plans: PlanTable) -> SagaOrigin:
    match raw:
        case [str(initiator), int(started_at_millis), bytes(digest), *_] if _are_whole(started_at_millis):
            packed = plans.load_plan(digest) if len(digest) == DIGEST_BYTES else None
            if packed is None:
                raise ValueError(f"the plan {digest.hex():.80} is missing")
            return SagaOrigin(
                saga_id=saga_id,
                initiator=PeerId(initiator),
                started_at_millis=started_at_millis,
                plan=decode_plan(packed),
            )
        case _:
            raise ValueError(f"unknown origin {raw!r:.80}")


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
            return name, value
        case _:
            raise ValueError(f"unknown source {raw!r:.80}")


def _input_in(_: SagaId, raw: object, __: PlanTable) -> StepInput:
    if isinstance(raw, list):
        return tuple(map(_source, raw))
    raise ValueError(f"unknown input {raw!r:.80}")


_SPECIAL: Final[Mapping[object, tuple[_FieldOut, _FieldIn]]] = {
    SagaOrigin: (_origin_out, _origin_in),
    FailureCause: (_cause_out, _cause_in),
    tuple[QuarantinedStep, ...]: (_parked_out, _parked_in),
    StepInput: (lambda value, _: value, _input_in),
}


class _Shape:
    """How one record class is laid out."""

    def __init__(self, tag: str, kind: type) -> None:
        self.tag = tag
        self.kind = kind
        hints = get_type_hints(kind)
        attributes = fields(kind)
        self.names = tuple(attribute.name for attribute in attributes)
        self.required = sum(attribute.default is NOTHING for attribute in attributes)
        self.get: Callable[[object], tuple[object, ...]] = (
            attrgetter(*self.names)
            if len(self.names) > 1
            else (lambda value: tuple(getattr(value, name) for name in self.names))
        )
        self.outs: list[tuple[int, _FieldOut]] = []
        self.ins: list[_FieldIn] = []
        for position, name in enumerate(self.names):
            declared = hints[name]
            if declared in _SPECIAL:
                out, into = _SPECIAL[declared]
                self.outs.append((position, out))
                self.ins.append(into)
                continue
            if isinstance(declared, type) and issubclass(declared, Enum):
                self.outs.append((position, _enum_value))
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
    return value.value


def _new_converter() -> Converter:
    converter = Converter(detailed_validation=False)
    for kind in (bytes, str, int, bool):
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

    def encode(self, saga_id: SagaId, record: TimestampedEvent[R]) -> bytes:
        """The stored value of a record."""
        shape = self._by_type[type(record.event)]
        body = [record.sequence, shape.tag, record.at_millis, *shape.get(record.event)]
        for position, out in shape.outs:
            body[position + 3] = out(body[position + 3], self._plans)
        packed = pack(body)
        checksum = crc32(packed, crc32(record_key(saga_id, record.sequence)))
        return _HEADER.pack(FORMAT_VERSION, checksum) + packed

    def decode(self, saga_id: SagaId, sequence: int, value: bytes) -> TimestampedEvent[R]:
        """The record of a stored value.

        Raises:
            PayloadError: wrong version, wrong checksum, unknown tag or unknown layout.
        """
        what = f"record {sequence} of saga {saga_id}"
        try:
            version, checksum = _HEADER.unpack_from(value)
            body = value[_HEADER.size :]
            if version != FORMAT_VERSION:
                raise ValueError(
                    f"format version {version}, this library reads {FORMAT_VERSION}: use the version that wrote it"
                )
            if crc32(body, crc32(record_key(saga_id, sequence))) != checksum:
                raise ValueError("the checksum does not match, the medium changed it")
            return self._structure(saga_id, sequence, unpack(body))
        except Exception as error:
            raise PayloadError(what, "journal record", reason_of(error)) from error

    def _structure(self, saga_id: SagaId, sequence: int, body: object) -> TimestampedEvent[R]:
        match body:
            case [int(stored), str(tag), int(at_millis), *values] if stored == sequence and _are_whole(
                stored, at_millis
            ):
                if tag not in self._by_tag:
                    raise ValueError(f"unknown tag {tag!r:.40}, written by a newer version?")
                shape, kind = self._by_tag[tag]
                if len(values) < shape.required:
                    raise ValueError(f"{tag} has {len(values)} fields, needs {shape.required}")
                arguments = {
                    name: into(saga_id, raw, self._plans)
                    for name, into, raw in zip(shape.names, shape.ins, values, strict=False)
                }
                return TimestampedEvent(sequence, at_millis, kind(**arguments))
            case _:
                raise ValueError(f"unknown layout {body!r:.80}")
