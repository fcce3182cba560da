"""What a medium, a bad copy or an enemy makes of good bytes."""

from typing import TypeAlias
from zlib import crc32

from hypothesis import strategies as st

from saga_choreography.codec import FORMAT_VERSION, record_key
from saga_choreography.types import SagaId

Draw: TypeAlias = st.DrawFn


@st.composite
def mutated(draw: Draw, raw: bytes, other: bytes = b"") -> bytes:
    """`raw` after one to four changes; `other` is where splices come from."""
    changed = bytearray(raw)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(changed)))
        match draw(st.sampled_from(["flip", "set", "cut", "insert", "repeat", "drop", "splice", "tail"])):
            case "flip" if at < len(changed):
                changed[at] ^= 1 << draw(st.integers(0, 7))
            case "set" if at < len(changed):
                changed[at] = draw(st.integers(0, 255))
            case "cut":
                del changed[at:]
            case "insert":
                changed[at:at] = draw(st.binary(max_size=8))
            case "repeat":
                changed[at:at] = changed[at : at + draw(st.integers(0, 16))]
            case "drop":
                del changed[at : at + draw(st.integers(0, 8))]
            case "splice":
                start = draw(st.integers(0, len(other)))
                changed[at : at + draw(st.integers(0, 16))] = other[start : start + 16]
            case _:
                changed += draw(st.binary(max_size=4))
    return bytes(changed)


def sealed(saga_id: SagaId, sequence: int, body: bytes, version: int = FORMAT_VERSION) -> bytes:
    """A record value with a good checksum around any body."""
    checksum = crc32(body, crc32(record_key(saga_id, sequence)))
    return bytes([version]) + checksum.to_bytes(4, "big") + body


def resealed(saga_id: SagaId, sequence: int, value: bytes) -> bytes:
    """A record value whose checksum was made good again, so that the decoder behind it is reached."""
    return sealed(saga_id, sequence, value[5:])
