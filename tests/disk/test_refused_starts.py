"""A start on a damaged directory is refused with an error that names the store, and changes no byte of the evidence.

In about 8 seconds. (Damage of a single store is tried in `tests/storage/test_lmdb_opening.py`.)
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from saga_choreography import Durability, SagaCompleted, SagaSystem
from saga_choreography.errors import StoreDamaged, StoreError, StoreLocked, StoreVersionError
from saga_choreography.storage import LmdbEnvironment, LmdbJournal
from saga_choreography.storage.lmdb_pages import structure_faults
from saga_choreography.types import new_saga_id
from tests.disk.media import contents, on_readonly_disk
from tests.disk.programs import open_store
from tests.power.journal_work import SMALL_MAP
from tests.power.tracing import child_environment
from tests.runtime.journey import JOURNEY, Host, Packer, Pilot, Trip, World
from tests.storage.samples import write
from tests.storage.test_lmdb_growth import heavy

PROGRAM = "tests.disk.programs"
DATA = "0/data.mdb"


def start(path: Path) -> SagaSystem:
    system = SagaSystem(path, durability=Durability.FSYNC)
    try:
        for actor in (Packer, Pilot, Host):
            system.start_actor(actor, World())
    except BaseException:
        system.stop()
        raise
    return system


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The directory of a system that was stopped after one journey."""
    with start(tmp_path / "state") as system:
        assert isinstance(system.start_saga(JOURNEY, Trip("Oslo")).result(60), SagaCompleted)
    return tmp_path / "state"


def cut(size: int) -> Callable[[Path], None]:
    return lambda actors: os.truncate(actors / "Pilot" / DATA, size)


def delete_data(actors: Path) -> None:
    (actors / "Pilot" / DATA).unlink()


def delete_store(actors: Path) -> None:
    shutil.rmtree(actors / "Pilot" / "0")


def delete_all_stores(actors: Path) -> None:
    shutil.rmtree(actors)


def swap_data(actors: Path) -> None:
    shutil.copy(actors / "Host" / DATA, actors / "Pilot" / DATA)


def swap_stores(actors: Path) -> None:
    shutil.rmtree(actors / "Pilot" / "0")
    shutil.copytree(actors / "Host" / "0", actors / "Pilot" / "0")


def swap_data_of_initiator(actors: Path) -> None:
    shutil.copy(actors / "Host" / DATA, actors / "system-initiator" / DATA)


def never_finished(actors: Path) -> None:
    path = actors / "Pilot" / "0" / "identity.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "state": "creating"}))


def lose_manifest(actors: Path) -> None:
    (actors.parent / "manifest.json").unlink()


def spoil_note(actors: Path) -> None:
    (actors / "Pilot" / "0" / "unsynced.json").write_text("[]")


@pytest.mark.parametrize(
    ("damage", "kind", "store"),
    [
        (cut(0), StoreDamaged, "actors/Pilot/0"),
        (cut(10), StoreDamaged, "actors/Pilot/0"),
        (cut(4_096), StoreDamaged, "actors/Pilot/0"),
        (cut(5 * 4_096), StoreDamaged, "actors/Pilot/0"),
        (delete_data, StoreDamaged, "actors/Pilot/0"),
        (delete_store, StoreDamaged, "actors/Pilot/0"),
        (delete_all_stores, StoreDamaged, "actors/system-initiator/0"),
        (swap_data, StoreVersionError, "actors/Pilot/0"),
        (swap_stores, StoreVersionError, "actors/Pilot/0"),
        (swap_data_of_initiator, StoreVersionError, "actors/system-initiator/0"),
        (never_finished, StoreDamaged, "actors/Pilot/0"),
        (lose_manifest, StoreDamaged, ""),
        (spoil_note, StoreDamaged, "actors/Pilot/0"),
    ],
)
def test_a_damaged_store_refuses_the_start_and_stays_as_it_is(
    state: Path, damage: Callable[[Path], None], kind: type[StoreError], store: str
) -> None:
    damage(state / "actors")
    before = contents(state)
    for _ in range(2):
        with pytest.raises(kind) as refused:
            start(state)
        assert refused.value.store == str(state / store)
        assert refused.value.store in str(refused.value)
        assert refused.value.remedy in str(refused.value)
        # Directories that are gone may be there again, empty but for a lock: no evidence is touched by that.
        after = contents(state)
        added = {path for path in after.keys() - before.keys() if after[path]}
        assert not added
        touched = {path for path in before if path not in after or after[path] != before[path]}
        # The stores that are whole were opened, and closed again, before the damaged one was met.
        opened = ("actors/system-initiator/", "actors/Packer/")
        sound = {path for path in touched if path.startswith(opened) and not path.startswith(f"{store}/")}
        assert touched == sound
        assert all(path.endswith("data.mdb") for path in sound)


def test_a_file_that_ends_inside_a_large_value_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    """py-lmdb's own offline check takes such a file for sound, and LMDB dies of SIGBUS when it reads the value."""
    environment = open_store(tmp_path / "store")
    journal = LmdbJournal.participant(environment)
    for _ in range(5):  # so that there are free pages for all but the large value, which stands last
        write(journal, new_saga_id(), 1, 1)
    with journal.transaction():
        journal.append(new_saga_id(), heavy(1, 40_000))
    environment.close()
    data = tmp_path / "store" / "data.mdb"
    pages = data.stat().st_size // 4_096
    refused = unseen = 0
    for size in range(pages - 1, 12, -1):
        os.truncate(data, size * 4_096)
        unseen += not structure_faults(data)
        before = contents(tmp_path)
        for opener in (open_store, LmdbEnvironment.open_readonly):
            with pytest.raises(StoreDamaged, match=r"was cut to \d+ of \d+ bytes"):
                opener(tmp_path / "store")
            refused += 1
        assert contents(tmp_path) == before
    assert refused > 6
    assert unseen > 0, "without a cut inside the value this shows nothing"


def test_a_disk_that_nobody_may_write_to_is_told_and_can_be_looked_at(tmp_path: Path) -> None:
    open_store(tmp_path / "store").close()
    before = contents(tmp_path)
    lines = on_readonly_disk(tmp_path, PROGRAM, "open_readonly_disk")
    opened = [words for words in lines if words[0] == "open"]
    assert [kind for _, kind, *_ in opened] == ["StoreError", "StoreError"], lines
    assert [store for _, _, store, *_ in opened] == [str(tmp_path / "store"), str(tmp_path)]
    assert all("write permission" in remedy and "Read-only" in text for _, _, _, remedy, text in opened)
    assert lines[-1] == ["read", 0]
    assert contents(tmp_path) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_directory_without_permission_is_told(tmp_path: Path) -> None:
    open_store(tmp_path / "store").close()
    os.chmod(tmp_path / "store", 0o500)
    try:
        with pytest.raises(StoreError, match="write permission"):
            open_store(tmp_path / "store" / "new")
    finally:
        os.chmod(tmp_path / "store", 0o700)


def test_a_second_process_is_refused_told_who_runs_and_changes_nothing(tmp_path: Path) -> None:
    with start(tmp_path / "state") as system:
        before = contents(tmp_path / "state")
        ran = subprocess.run(
            [sys.executable, "-m", PROGRAM, "second_system", str(tmp_path / "state")],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
            env=child_environment(),
        )
        assert contents(tmp_path / "state") == before
        word, kind, store, remedy, text = json.loads(ran.stdout)
        assert (word, kind, store) == ("refused", "StoreLocked", str(tmp_path / "state"))
        assert f"process {os.getpid()}" in text
        assert "stop that one first" in remedy
        assert isinstance(system.start_saga(JOURNEY, Trip("Oslo")).result(60), SagaCompleted)


def test_a_second_system_of_this_process_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    with start(tmp_path / "state") as system:
        before = contents(tmp_path / "state")
        with pytest.raises(StoreLocked, match=f"this process .pid {os.getpid()}"):
            SagaSystem(tmp_path / "state")
        with pytest.raises(StoreLocked):
            LmdbEnvironment.open(tmp_path / "state" / "actors" / "Pilot" / "0", owner="Pilot", map_size_bytes=SMALL_MAP)
        assert contents(tmp_path / "state") == before
        assert isinstance(system.start_saga(JOURNEY, Trip("Oslo")).result(60), SagaCompleted)
