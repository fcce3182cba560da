"""A look at the data file before LMDB maps it: LMDB takes an emptied file for a new store and dies of a short one.

Nothing here runs the engine, so no damage can bring the process down.
"""

import os
import sys
from pathlib import Path
from struct import Struct, calcsize
from typing import Final

from lmdb import verify as offline

from saga_choreography.errors import StoreDamaged, StoreVersionError

DATA_NAME: Final = "data.mdb"
_MAGIC: Final = 0xBEEFC0DE
_DATA_VERSION: Final = 1
_LARGEST_PAGE: Final = 0x8000
_HEADER_BYTES: Final = 16
_ORDER: Final = "<" if sys.byteorder == "little" else ">"
# Page header, then: magic, version, address, map size; page size (first field of the free-page table), rest of both
# 48-byte tables, last page number, transaction number.
_META: Final = Struct(f"{_ORDER}{_HEADER_BYTES}xIIQQI92xQQ")
_REMEDY: Final = "keep the directory as evidence and restore it from a backup"


def check_data_file(store: str, path: Path) -> None:
    """Refuse a data file that LMDB must not see.

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
                return
            first = _meta(store, file.read(_META.size))
            page_bytes = first[0]
            file.seek(page_bytes)
            second = _meta(store, file.read(_META.size))
            # After the meta pages, for a writer beside us makes the file longer before it says so.
            size = os.fstat(file.fileno()).st_size
    except FileNotFoundError as error:
        raise StoreDamaged(store, f"{DATA_NAME} is missing", _REMEDY) from error
    _, last_page, _ = max(first, second, key=lambda meta: meta[2])
    if size < (last_page + 1) * page_bytes:
        # A tail of free pages may never have been written; only the full walk knows whether a used one is missing.
        faults = structure_faults(path)
        if faults:
            raise StoreDamaged(
                store, f"{DATA_NAME} was cut to {size} of {(last_page + 1) * page_bytes} bytes: {faults[0]}", _REMEDY
            )


def structure_faults(path: Path) -> tuple[str, ...]:
    """Every fault in the structure of a data file, found by walking all of it offline; values are not looked at."""
    try:
        found: list[object] = offline.verify(str(path), subdir=False)  # type: ignore[no-untyped-call]  # lmdb: no hints
    except offline.VerifyError as error:
        return (str(error),)
    return tuple(map(str, found))


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
