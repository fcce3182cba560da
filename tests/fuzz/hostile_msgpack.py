"""msgpack as an enemy writes it: headers that lie, texts that are none, keys twice, towers of lists."""

from typing import Final

from hypothesis import strategies as st

EXT_CODES = st.integers(0, 255).map(lambda code: bytes([code]))
HUGE_SIZES: Final = (2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1)


def list_header(size: int) -> bytes:
    return b"\xdd" + size.to_bytes(4, "big")


def map_header(size: int) -> bytes:
    return b"\xdf" + size.to_bytes(4, "big")


def text(raw: bytes) -> bytes:
    """A text of any bytes, also of those that are no UTF-8."""
    return b"\xdb" + len(raw).to_bytes(4, "big") + raw


def blob(raw: bytes) -> bytes:
    return b"\xc6" + len(raw).to_bytes(4, "big") + raw


def extension(code: bytes, raw: bytes) -> bytes:
    return b"\xc9" + len(raw).to_bytes(4, "big") + code + raw


def tower(levels: int, header: bytes = b"\x91") -> bytes:
    """One element inside another, `levels` deep."""
    return header * levels + b"\xc0"


NUMBERS = st.one_of(
    st.sampled_from([b"\x00", b"\x7f", b"\xff", b"\xe0"]),
    st.binary(min_size=8, max_size=8).map(lambda raw: b"\xcf" + raw),
    st.binary(min_size=8, max_size=8).map(lambda raw: b"\xd3" + raw),
    st.binary(min_size=4, max_size=4).map(lambda raw: b"\xca" + raw),
    st.binary(min_size=8, max_size=8).map(lambda raw: b"\xcb" + raw),
    st.sampled_from([b"\xcb\x7f\xf8" + bytes(6), b"\xcb\x7f\xf0" + bytes(6), b"\xcf" + b"\xff" * 8]),
)
LEAVES = st.one_of(
    st.sampled_from([b"\xc0", b"\xc2", b"\xc3", b"\xc1"]),
    NUMBERS,
    st.text(max_size=8).map(lambda value: text(value.encode("utf-8", "surrogatepass"))),
    st.binary(max_size=8).map(text),
    st.binary(max_size=8).map(blob),
    st.builds(extension, EXT_CODES, st.binary(max_size=16)),
    st.sampled_from([4, 8, 12]).flatmap(
        lambda size: st.binary(min_size=size, max_size=size).map(lambda raw: extension(b"\xff", raw))
    ),
    st.sampled_from([list_header(size) for size in HUGE_SIZES] + [map_header(size) for size in HUGE_SIZES]),
    st.sampled_from([b"\xdb\x7f\xff\xff\xff", b"\xc6\x80\x00\x00\x00", b"\xc9\xff\xff\xff\xff\x01"]),
)


def _lists(parts: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    return st.lists(parts, max_size=4).map(lambda found: list_header(len(found)) + b"".join(found))


def _maps(parts: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    pairs = st.tuples(parts | st.sampled_from([b"\xa1a", b"\xa4name"]), parts).map(b"".join)
    return st.lists(pairs, max_size=4).map(lambda found: map_header(len(found)) + b"".join(found))


def _liars(parts: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    return st.builds(
        lambda header, size, found: header(size) + b"".join(found),
        st.sampled_from([list_header, map_header]),
        st.integers(0, 50),
        st.lists(parts, max_size=4),
    )


TOWERS = st.builds(
    tower, st.sampled_from([60, 300, 1_000, 1_030, 10_000]), st.sampled_from([b"\x91", b"\x81\xa1a", b"\x92\xa3all"])
)
HOSTILE: Final[st.SearchStrategy[bytes]] = st.one_of(
    st.binary(max_size=80),
    st.recursive(LEAVES, lambda parts: _lists(parts) | _maps(parts) | _liars(parts), max_leaves=12),
    TOWERS,
)
"""Bytes that are almost, or in part, or in truth msgpack."""

PLAIN: Final[st.SearchStrategy[object]] = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**64 - 1),
        st.floats(),
        st.text(max_size=8),
        st.binary(max_size=20),
        st.sampled_from(["", "builtins.eval", "__class__", b"d" * 16, 0, 1, -1, 2**64 - 1]),
    ),
    lambda parts: st.lists(parts, max_size=4) | st.dictionaries(st.text(max_size=5), parts, max_size=3),
    max_leaves=8,
)
"""Plain data of any shape, for fields that expect another one."""
