"""A few hostile bytes cost a few resources: memory and work grow with the size of the input and not faster."""

from collections.abc import Callable

import pytest
from attrs import frozen

from saga_choreography.codec import PARTICIPANT_TAGS, RecordCodec, decode_plan, payload_codec
from saga_choreography.codec.wire import pack, unpack
from saga_choreography.errors import PayloadError
from tests.codec.strategies import SAGA, PlansInMemory
from tests.fuzz.hostile_msgpack import blob, list_header, map_header, text, tower
from tests.fuzz.mutations import sealed
from tests.fuzz.work import calls_made, peak_bytes

BYTES_PER_BYTE = 400
CONSTANT_BYTES = 3 << 20
DOUBLING = 2.5
"""A doubled input may cost this many times as much; superlinear work shows as four times."""


@frozen
class Coin:
    value: int


@frozen
class Purse:
    coins: list[Coin]
    names: dict[str, int]


CODEC = RecordCodec(PARTICIPANT_TAGS, PlansInMemory())
DECODERS: dict[str, Callable[[bytes], object]] = {
    "record": lambda raw: CODEC.decode(SAGA, 1, sealed(SAGA, 1, raw)),
    "field": lambda raw: CODEC.decode(
        SAGA, 1, sealed(SAGA, 1, list_header(4) + pack(1) + pack("step.triggered") + pack(9) + raw)
    ),
    "plan": decode_plan,
    "plan steps": lambda raw: decode_plan(map_header(1) + pack("steps") + raw),
    "payload": lambda raw: payload_codec(Purse).decode(raw, "payload"),
    "payload field": lambda raw: payload_codec(Purse).decode(b"\x81\xa5coins" + raw, "payload"),
    "mapping field": lambda raw: payload_codec(Purse).decode(b"\x82\xa5coins\x90\xa5names" + raw, "payload"),
    "list": lambda raw: payload_codec(list[int]).decode(raw, "payload"),
}
BOMBS: dict[str, Callable[[int], bytes]] = {
    "headers inside headers, each promising the rest": lambda size: list_header(size - 5) * (size // 5),
    "five hundred headers before many elements": lambda size: (
        list_header(size // 2) * min(500, size // 10) + b"\xc0" * (size // 2)
    ),
    "a list that promises 2**31": lambda size: list_header(2**31) + bytes(size),
    "a mapping that promises 2**31": lambda size: map_header(2**31) + b"\xa1a\x01" * (size // 3),
    "a text that promises 2**31": lambda size: b"\xdb\x80\x00\x00\x00" + b"x" * size,
    "bytes that promise 2**31": lambda size: b"\xc6\x80\x00\x00\x00" + bytes(size),
    "numbers where coins are expected": lambda size: list_header(size) + b"\x01" * size,
    "empty lists": lambda size: list_header(size) + b"\x90" * size,
    "empty mappings": lambda size: list_header(size) + b"\x80" * size,
    "wrong values under many names": lambda size: (
        map_header(size // 7) + b"".join(b"\xa4%04d\xc0\x00"[:6] % (at % 10_000) for at in range(size // 7))
    ),
    "one name again and again": lambda size: map_header(size // 3) + b"\xa1a\xc0" * (size // 3),
    "a long text": lambda size: text(b"9" * size),
    "long bytes": lambda size: blob(bytes(size)),
    "a text of no letters": lambda size: text(b"\xff" * size),
    "a tower": lambda size: tower(size),
    "towers of a thousand": lambda size: list_header(size // 501) + tower(500) * (size // 501),
}
EVERY_PAIR = [pytest.param(decoder, bomb, id=f"{decoder}: {bomb}") for decoder in DECODERS for bomb in BOMBS]


@pytest.mark.parametrize(("decoder", "bomb"), EVERY_PAIR)
def test_decoding_takes_memory_and_work_in_proportion(decoder: str, bomb: str) -> None:
    decode, build = DECODERS[decoder], BOMBS[bomb]
    for size in (300, 20_000):
        raw = build(size)
        used = peak_bytes(lambda raw=raw: decode(raw))  # type: ignore[misc]  # the loop's own value
        assert used <= CONSTANT_BYTES + BYTES_PER_BYTE * len(raw), f"{used} bytes for {len(raw)}"
    small, large = build(20_000), build(40_000)
    assert calls_made(lambda: decode(large)) <= DOUBLING * calls_made(lambda: decode(small)) + 1_000


def test_a_header_that_lies_is_refused_before_room_is_made_for_it() -> None:
    raw = list_header(99_000) * 500 + b"\xc0" * 99_000

    def read() -> None:
        with pytest.raises(ValueError, match="end in the middle"):
            unpack(raw)

    assert peak_bytes(read) < 5 * len(raw)


def test_a_whole_value_is_still_read_whatever_its_size() -> None:
    for size in (10, 500, 520, 100_000):
        assert unpack(list_header(size) + b"\x05" * size) == [5] * size


def test_a_long_wrong_payload_is_refused_at_its_first_fault() -> None:
    raw = b"\x82\xa5coins" + list_header(50_000) + b"\x01" * 50_000 + b"\xa5names\x80"
    with pytest.raises(PayloadError, match="where a mapping is expected"):
        payload_codec(Purse).decode(raw, "payload")
    assert calls_made(lambda: payload_codec(Purse).decode(raw, "payload")) < 2_000
