"""msgpack, typed: the one place that touches the library."""

import threading
from typing import Final

import msgpack  # type: ignore[import-untyped]  # msgpack ships no type information

_SHORT: Final = 512
"""Bytes that are read at once. Nested headers in so few of them cannot ask for more than a megabyte."""


class _Packers(threading.local):
    """A packer is slow to make and serves one thread at a time."""

    def __init__(self) -> None:
        super().__init__()
        # "surrogatepass": error texts may hold undecodable file names, and no text may ever stop a commit.
        self.of_this_thread = msgpack.Packer(unicode_errors="surrogatepass")


_packers = _Packers()


def pack(value: object) -> bytes:
    """msgpack bytes of plain data.

    Raises:
        TypeError, ValueError, OverflowError: the value is not plain data.
    """
    packed: bytes = _packers.of_this_thread.pack(value)
    return packed


def unpack(packed: bytes) -> object:
    """Plain data of msgpack bytes, in memory proportional to their number.

    Raises:
        ValueError (and subclasses of it): the bytes are not msgpack, or hold more than one value.
    """
    if len(packed) > _SHORT:
        _require_whole(packed)
    value: object = msgpack.unpackb(packed, unicode_errors="surrogatepass")
    return value


def _require_whole(packed: bytes) -> None:
    """Walk over the bytes without building anything. msgpack makes room for every list it is promised, one inside the
    other, before it notices that the elements are missing; here a broken promise costs nothing."""
    walker = msgpack.Unpacker(max_buffer_size=len(packed), read_size=len(packed))
    walker.feed(packed)
    try:
        walker.skip()
    except msgpack.OutOfData as error:
        raise ValueError("the bytes end in the middle of a value") from error


_NO_HEADER: Final = bytes(byte for byte in range(256) if not (0x80 <= byte <= 0x9F or 0xDC <= byte <= 0xDF))


def may_nest_deeper(packed: bytes, levels: int) -> bool:
    """Whether msgpack bytes hold enough headers of lists and mappings, or what looks like one, to nest so deep."""
    return len(packed) > levels and len(packed.translate(None, _NO_HEADER)) > levels


def nests_deeper(value: object, levels: int) -> bool:
    """Whether lists and mappings stand more than `levels` deep inside each other."""
    level = [value]
    for _ in range(levels + 1):
        level = [
            child
            for parent in level
            if isinstance(parent, dict | list | tuple)
            for child in (parent.values() if isinstance(parent, dict) else parent)
        ]
        if not level:
            return False
    return True
