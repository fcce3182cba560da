"""User payloads: typed attrs classes (or anything cattrs can handle) to msgpack bytes and back.

A type declared as `bytes` is passed through untouched. Readers are tolerant: unknown fields are ignored and missing
ones take their defaults, so payload classes can grow. Nothing stored ever names a Python class.
"""

from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from types import NoneType
from typing import Final, Generic, cast, get_origin
from uuid import UUID

from attrs import has
from cattrs import Converter
from cattrs.errors import BaseValidationError, StructureHandlerNotFoundError
from cattrs.preconf.msgpack import configure_converter
from cattrs.v import transform_error
from typing_extensions import TypeVar

from saga_choreography.codec.wire import pack, unpack
from saga_choreography.errors import PayloadError

T = TypeVar("T")


def _decimal(raw: object, _: object) -> Decimal:
    try:
        return Decimal(str(raw))
    except InvalidOperation as error:
        raise ValueError(f"{raw!r} is not a decimal number") from error


def _uuid(raw: object, _: object) -> UUID:
    if isinstance(raw, bytes):
        return UUID(bytes=raw)
    return UUID(str(raw))


def _strict_bytes(raw: object, _: object) -> bytes:
    if isinstance(raw, bytes):
        return raw
    raise ValueError(f"{type(raw).__name__} where bytes are expected")


def _strict_none(raw: object, _: object) -> None:
    if raw is not None:
        raise ValueError(f"{type(raw).__name__} where nothing is expected")


def _new_converter(*, detailed: bool) -> Converter:
    converter = Converter(detailed_validation=detailed)
    configure_converter(converter)
    converter.register_unstructure_hook(Decimal, str)
    converter.register_structure_hook(Decimal, _decimal)
    converter.register_unstructure_hook(UUID, lambda value: value.bytes)
    converter.register_structure_hook(UUID, _uuid)
    converter.register_structure_hook(bytes, _strict_bytes)
    converter.register_structure_hook(NoneType, _strict_none)
    converter.register_unstructure_hook(date, date.isoformat)
    converter.register_structure_hook(date, lambda raw, _: date.fromisoformat(str(raw)))
    converter.register_unstructure_hook(datetime, datetime.isoformat)
    converter.register_structure_hook(datetime, lambda raw, _: datetime.fromisoformat(str(raw)))
    return converter


_FAST = _new_converter(detailed=False)
_EXPLAINING = _new_converter(detailed=True)


def type_name(declared: object) -> str:
    """How a declared type is called in messages."""
    return declared.__qualname__ if isinstance(declared, type) else str(declared)


class PayloadCodec(Generic[T]):
    """Encodes and decodes values of one declared type."""

    def __init__(self, declared: type[T]) -> None:
        self.declared = declared
        self._raw = declared is bytes
        self._none = declared is NoneType
        origin = get_origin(declared) or declared
        self._nominal: type | None = (
            origin if isinstance(origin, type) and (has(origin) or self._raw or self._none) else None
        )
        self._decode = _FAST.get_structure_hook(declared)

    def encode(self, value: T, what: str) -> bytes:
        """Bytes of `value`; `what` names it in errors.

        Raises:
            PayloadError: `value` is not of the declared type or holds something that cannot be encoded.
        """
        if self._nominal is not None and not isinstance(value, self._nominal):
            raise PayloadError(what, type_name(self.declared), f"got {type(value).__qualname__}: {value!r:.200}")
        if isinstance(value, bytes) and self._raw:
            return value
        try:
            return pack(_FAST.unstructure(value, self.declared))
        except (TypeError, ValueError, OverflowError, AttributeError) as error:
            raise PayloadError(what, type_name(self.declared), str(error)) from error

    def decode(self, raw: bytes, what: str) -> T:
        """The value of `raw`; `what` names it in errors.

        Raises:
            PayloadError: the bytes are not a value of the declared type; the message names the field.
        """
        try:
            if self._raw:
                decoded: T = _FAST.structure(raw, self.declared)
                return decoded
            unpacked = unpack(raw)
            structured: T = self._decode(unpacked, self.declared)
        except Exception as error:
            raise PayloadError(what, type_name(self.declared), self._explain(raw, error)) from error
        return structured

    def _explain(self, raw: bytes, error: Exception) -> str:
        """Decode once more with the slow converter, only to learn the field."""
        try:
            _EXPLAINING.structure(unpack(raw), self.declared)
        except (BaseValidationError, StructureHandlerNotFoundError) as detailed:
            return "; ".join(transform_error(detailed))
        except Exception as other:
            return str(other) or type(other).__name__
        return str(error) or type(error).__name__


_codecs: Final[dict[object, PayloadCodec[object]]] = {}


def payload_codec(declared: type[T]) -> PayloadCodec[T]:
    """The codec of a declared type (cached).

    Raises:
        PayloadError: the type cannot be structured; the message names the part that cannot.
    """
    known = _codecs.get(declared)
    if known is not None:
        return cast("PayloadCodec[T]", known)
    try:
        codec = PayloadCodec(declared)
    except Exception as error:
        raise PayloadError("a declared type", type_name(declared), f"cattrs cannot handle it: {error}") from error
    _codecs[declared] = cast("PayloadCodec[object]", codec)
    return codec
