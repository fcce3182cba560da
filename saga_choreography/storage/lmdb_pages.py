"""A look at the data file before LMDB maps it: LMDB takes an emptied file for a new store and dies of a short one.

Nothing here runs the engine, so no damage can bring the process down.
"""

import os
import re
import sys
from pathlib import Path
from struct import Struct, calcsize
from typing import Final

from lmdb import verify as offline

from saga_choreography.errors import StoreDamaged, StoreVersionError
from saga_choreography.storage.lmdb_extents import ends_inside_a_value

DATA_NAME: Final = "data.mdb"
WALKED_BYTES: Final = 4 << 20
"""A data file up to this size is walked at every start, for 0.15 s at most."""
WALKED_AFTER_KILL_BYTES: Final = 16 << 20
"""And up to this size when its writer was killed, perhaps by damage."""
_MAGIC: Final = 0xBEEFC0DE
_DATA_VERSION: Final = 1
_LARGEST_PAGE: Final = 0x8000
_LEAK: Final = re.compile(r"neither reachable nor in the freeDB")
_HEADER_BYTES: Final = 16
_ORDER: Final = "<" if sys.byteorder == "little" else ">"
# Page header, then: magic, version, address, map size; page size (first field of the free-page table), rest of both
# 48-byte tables, last page number, transaction number.
_META: Final = Struct(f"{_ORDER}{_HEADER_BYTES}xIIQQI92xQQ")
_REMEDY: Final = "keep the directory as evidence and restore it from a backup"


def check_data_file(store: str, path: Path, *, walked_bytes: int = 0) -> int:
    """Refuse a data file that LMDB must not see; returns how many commits it has.

    LMDB aborts the process when it meets certain damaged pages, and one flipped bit in a page can hide rows. So a file
    of at most `walked_bytes` that nobody writes to is walked as a whole (about 30 MB a second).

    Raises:
        StoreDamaged: it is missing, emptied, shorter than it says, or no LMDB file.
        StoreVersionError: another generation of LMDB wrote it.
        OSError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            if calcsize("P") != 8:
                if not os.fstat(file.fileno()).st_size:
                    raise StoreDamaged(store, f"{DATA_NAME} was emptied", _REMEDY)
                return 0
            first = file.read(_META.size)
            first_meta = _meta(store, first)
            file.seek(first_meta[0])
            second = file.read(_META.size)
            second_meta = _meta(store, second)
            # After the meta pages, for a writer beside us makes the file longer before it says so.
            size = os.fstat(file.fileno()).st_size
    except FileNotFoundError as error:
        raise StoreDamaged(store, f"{DATA_NAME} is missing", _REMEDY) from error
    newer = second if first_meta[2] < second_meta[2] else first
    page_bytes, last_page, commits = max(first_meta, second_meta, key=lambda meta: meta[2])
    whole = (last_page + 1) * page_bytes
    if size < whole:
        # A tail of free pages may never have been written; only a full walk knows whether a used one is missing.
        faults = structure_faults(path) or _cut_value(path, newer, page_bytes, size)
        if faults:
            raise StoreDamaged(store, f"{DATA_NAME} was cut to {size} of {whole} bytes: {faults[0]}", _REMEDY)
    elif size <= walked_bytes:
        faults = structure_faults(path)
        if faults:
            raise StoreDamaged(store, f"{DATA_NAME} has damaged pages: {faults[0]}", _REMEDY)
    return commits


def structure_faults(path: Path) -> tuple[str, ...]:
    """Every fault in the structure of a data file, found by walking all of it offline; values are not looked at.

    Pages that nobody uses and that are not free either are no fault: they are lost room and harm nothing.
    """
    try:
        found: list[object] = offline.verify(str(path), subdir=False)  # type: ignore[no-untyped-call]  # lmdb: no hints
    except offline.VerifyError as error:
        return (str(error),)
    return tuple(fault for fault in map(str, found) if not _LEAK.search(fault))


def _cut_value(path: Path, meta: bytes, page_bytes: int, size: int) -> tuple[str, ...]:
    with path.open("rb") as file:
        cut = ends_inside_a_value(file, meta, page_bytes, size)
    return ("a large value reaches beyond its end",) if cut else ()


def _meta(store: str, raw: bytes) -> tuple[int, int, int]:
    """Page size in bytes, last page and transaction of a meta page."""
    if not raw:
        raise StoreDamaged(store, f"{DATA_NAME} was emptied or cut off", _REMEDY)
    if len(raw) < _META.size:
        raise StoreDamaged(store, f"{DATA_NAME} is cut off in its first pages", _REMEDY)
    magic, version, _, _, page_bytes, last_page, transaction = _META.unpack(raw)
    if magic != _MAGIC:
        # A newer generation has a longer page header, so its magic stands 8 bytes further on.
        (shifted,) = Struct(f"{_ORDER}I").unpack_from(raw, _HEADER_BYTES + 8)
        if shifted == _MAGIC:
            raise StoreVersionError(store, "another generation of LMDB wrote it", "use the library version that did")
        raise StoreDamaged(store, f"{DATA_NAME} does not begin like a store", _REMEDY)
    if version != _DATA_VERSION:
        raise StoreVersionError(store, f"LMDB data version {version}, not 1", "use the library version that wrote it")
    if not 256 <= page_bytes <= _LARGEST_PAGE or page_bytes & (page_bytes - 1):
        raise StoreDamaged(store, f"{DATA_NAME} claims pages of {page_bytes} bytes", _REMEDY)
    return page_bytes, last_page, transaction
