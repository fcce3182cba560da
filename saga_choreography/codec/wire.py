"""msgpack, typed: the one place that touches the library."""

import msgpack  # type: ignore[import-untyped]  # msgpack ships no type information


def pack(value: object) -> bytes:
    """msgpack bytes of plain data.

    Raises:
        TypeError, ValueError, OverflowError: the value is not plain data.
    """
    # "surrogatepass": error texts may hold undecodable file names, and no text may ever stop a commit.
    packed: object = msgpack.packb(value, unicode_errors="surrogatepass")
    assert isinstance(packed, bytes)
    return packed


def unpack(packed: bytes) -> object:
    """Plain data of msgpack bytes; sizes inside are bounded by the length of `packed`.

    Raises:
        ValueError (and subclasses of it): the bytes are not msgpack, or hold more than one value.
    """
    value: object = msgpack.unpackb(packed, unicode_errors="surrogatepass")
    return value
