"""User payloads: typed attrs classes (or anything cattrs can handle) to msgpack bytes and back.

A type declared as `bytes` is passed through untouched. Readers are tolerant: unknown fields are ignored and missing
ones take their defaults, so payload classes can grow (how else they may change: `evolution`). Values are not: one of
another kind than declared is refused. Nothing stored ever names a Python class. Equal values are equal bytes, but for
the order of a mapping, and for what another version of their class has stored (`renewed`).
"""

from types import NoneType
from typing import Final, Generic, cast, get_origin

from attrs import has
from cattrs.errors import BaseValidationError, StructureHandlerNotFoundError
from cattrs.v import format_exception, transform_error
from typing_extensions import TypeVar

from saga_choreography.codec.evolution import VersionFault
from saga_choreography.codec.reasons import reason_of, shortened
from saga_choreography.codec.strict import StrictConverter
from saga_choreography.codec.wire import may_nest_deeper, nests_deeper, pack, unpack
from saga_choreography.errors import PayloadError

T = TypeVar("T")


_DEEPEST: Final = 100
"""Levels of lists and mappings a payload may have, so that whatever was encoded can be decoded on any stack."""
_LONGEST_EXPLAINED: Final = 1 << 14
"""Bytes of the longest value that is decoded a second time for the sake of its error message."""

_FAST = StrictConverter(detailed=False)
_EXPLAINING = StrictConverter(detailed=True)


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
        self._encode = _FAST.get_unstructure_hook(declared)

    def encode(self, value: T, what: str) -> bytes:
        """Bytes of `value`; `what` names it in errors.

        Raises:
            PayloadError: `value` is not of the declared type or holds something that cannot be encoded.
        """
        if self._nominal is not None and not isinstance(value, self._nominal):
            raise PayloadError(what, type_name(self.declared), f"got {type(value).__qualname__}: {value!r:.200}")
        if self._raw and isinstance(value, bytes):
            return value
        try:
            plain = self._encode(value)
            packed = pack(plain)
            if may_nest_deeper(packed, _DEEPEST) and nests_deeper(plain, _DEEPEST):
                raise ValueError(f"it is nested more than {_DEEPEST} levels deep")
        except Exception as error:
            raise PayloadError(what, type_name(self.declared), reason_of(error)) from error
        return packed

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

    def renewed(self, raw: bytes) -> bytes:
        """What today's class would store of a stored value: other bytes, when the class has changed since.

        Raises:
            PayloadError: the bytes are not a value of the declared type.
        """
        what = "a stored value"
        return self.encode(self.decode(raw, what), what)

    def _explain(self, raw: bytes, error: Exception) -> str:
        """Decode once more with the slow converter, only to learn the field. It may keep an error for every field of
        a value, so long values make do with the first one."""
        if len(raw) > _LONGEST_EXPLAINED:
            return reason_of(error)
        try:
            _EXPLAINING.structure(unpack(raw), self.declared)
        except (BaseValidationError, StructureHandlerNotFoundError) as detailed:
            return shortened("; ".join(transform_error(detailed, format_exception=_described)))
        except Exception as other:
            return reason_of(other)
        return reason_of(error)


def _described(error: BaseException, declared: type | None) -> str:
    return str(error) if isinstance(error, VersionFault) else format_exception(error, declared)


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
