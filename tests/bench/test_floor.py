"""The floor is honest: it leaves the same rows in its stores as the library, as many and as large."""

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import lmdb
import pytest

from bench.drive import Start, drive
from bench.floor import floor
from bench.floor_rows import TABLES
from bench.ours import ours

SAGAS = 3
FIRST = 1_000
"""A number of usual length in the payload: most sagas of a run have a longer one than the first."""

Sizes = Counter[tuple[str, int, int]]
"""(table, length of the key, length of the value) of each row."""


def sizes_of(path: Path, prefix: str) -> Sizes:
    """The rows of one store."""
    sizes: Sizes = Counter()
    environment = lmdb.open(str(path), readonly=True, max_dbs=20)
    try:
        for table in TABLES:
            handle = environment.open_db(f"{prefix}{table}".encode(), create=False)
            with environment.begin(db=handle) as txn, txn.cursor() as cursor:
                sizes.update((table, len(key), len(value)) for key, value in cursor)
    finally:
        environment.close()
    return sizes


def run(subject: Callable[[Path], AbstractContextManager[Start]], directory: Path) -> None:
    with subject(directory) as start:
        drive(start, SAGAS, 1, first=FIRST)


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stores of both, after the same work."""
    directory = tmp_path_factory.mktemp("floor")
    run(ours, directory)
    run(floor, directory)
    return directory


@pytest.mark.parametrize(
    ("of_floor", "of_library", "role"),
    [
        ("starter", "system-initiator", "initiator."),
        ("1", "Preparer", "participant."),
        ("2", "Placer", "participant."),
        ("3", "Monitor", "participant."),
    ],
    ids=["starter", "prepare", "place", "monitor"],
)
def test_a_store_of_the_floor_has_the_rows_of_the_librarys(
    of_floor: str, of_library: str, role: str, stores: Path
) -> None:
    [path] = (stores / "state").rglob(f"{of_library}/0")
    found = sizes_of(stores / "floor" / of_floor, "")
    assert found == sizes_of(path, role)
    assert found.total() > 3 * SAGAS
