"""Large values stand in runs of pages behind a first one, and py-lmdb's offline walk looks at the first page only.

So a data file that is shorter than it says, and otherwise sound, is walked here for runs that reach beyond its end:
LMDB would die of SIGBUS when it reads such a value.
"""

import sys
from collections.abc import Iterator
from struct import Struct
from typing import BinaryIO, Final

_ORDER: Final = "<" if sys.byteorder == "little" else ">"
_PAGE: Final = Struct(f"{_ORDER}Q2xHHH")  # number, flags, end of the offsets, begin of the nodes
_NODE: Final = Struct(f"{_ORDER}HHHH")  # low and high half of a size or page number, flags, key size
_NUMBER: Final = Struct(f"{_ORDER}Q")
_OFFSET: Final = Struct(f"{_ORDER}H")
_HEADER_BYTES: Final = 16
_BRANCH: Final = 0x01
_NO_ROOT: Final = (1 << 64) - 1
_LARGE: Final = 0x01
_TABLE: Final = 0x02
# In a meta page: the root of the free pages' table, and that of the main one. In a table's record: its root.
_ROOTS: Final = (80, 128)
_ROOT_IN_RECORD: Final = 40


def ends_inside_a_value(file: BinaryIO, meta: bytes, page_bytes: int, size: int) -> bool:
    """Whether a used run of pages reaches beyond `size` bytes. The file has passed the offline walk."""
    waiting = [_NUMBER.unpack_from(meta, at)[0] for at in _ROOTS]
    while waiting:
        root = waiting.pop()
        if root == _NO_ROOT:
            continue
        file.seek(root * page_bytes)
        page = file.read(page_bytes)
        _, flags, lower, _ = _PAGE.unpack_from(page)
        for at in _nodes(page, lower):
            low, high, kind, key_bytes = _NODE.unpack_from(page, at)
            data = at + _NODE.size + key_bytes
            if flags & _BRANCH:
                waiting.append(low | high << 16 | kind << 32)
            elif kind & _TABLE:
                waiting.append(_NUMBER.unpack_from(page, data + _ROOT_IN_RECORD)[0])
            elif kind & _LARGE:
                first = _NUMBER.unpack_from(page, data)[0]
                pages = (_HEADER_BYTES - 1 + (low | high << 16)) // page_bytes + 1
                if (first + pages) * page_bytes > size:
                    return True
    return False


def _nodes(page: bytes, lower: int) -> Iterator[int]:
    for at in range(_HEADER_BYTES, lower, _OFFSET.size):
        yield _OFFSET.unpack_from(page, at)[0]
