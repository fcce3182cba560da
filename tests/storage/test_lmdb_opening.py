"""LMDB environments: what is opened, what is refused, and that a lost store is never taken for a new one."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import lmdb
import pytest

from saga_choreography.errors import (
    StoreDamaged,
    StoreError,
    StoreFull,
    StoreLocked,
    StoreMisused,
    StoreVersionError,
)
from saga_choreography.storage import LmdbEnvironment, LmdbJournal
from saga_choreography.storage import lmdb_opening as opening
from saga_choreography.storage.lmdb_identity import StoreIdentity
from saga_choreography.storage.lmdb_pages import structure_faults
from saga_choreography.types import SagaId, new_saga_id
from tests.storage.samples import started, write

HOLDER = """
import sys
from saga_choreography.storage import LmdbEnvironment
environment = LmdbEnvironment.open(sys.argv[1], owner="desk")
print("open", flush=True)
sys.stdin.readline()
"""


GROWER = """
import sys
from saga_choreography.events import StepExecutionCompleted, TimestampedEvent
from saga_choreography.storage import LmdbEnvironment, LmdbJournal
from saga_choreography.types import new_saga_id
environment = LmdbEnvironment.open(sys.argv[1], owner="desk", map_size_bytes=1 << 18)
journal = LmdbJournal.participant(environment)
print("open", flush=True)
for line in sys.stdin:
    for _ in range(20):
        with journal.transaction():
            event = StepExecutionCompleted(output=bytes(200_000), undo=b"")
            journal.append(new_saga_id(), TimestampedEvent(1, 1, event))
    print("grown", flush=True)
"""


def child(script: str, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A closed store of the actor `desk` with 200 records of one saga."""
    environment = LmdbEnvironment.open(tmp_path / "store", owner="desk")
    write(LmdbJournal.participant(environment), SAGA, 1, 200)
    environment.close()
    return tmp_path / "store"


SAGA: SagaId = new_saga_id()


def reopen(path: Path, owner: str = "desk") -> LmdbEnvironment:
    return LmdbEnvironment.open(path, owner=owner)


def assert_intact(path: Path) -> None:
    environment = reopen(path)
    assert len(LmdbJournal.participant(environment).read(SAGA)) == 200
    environment.close()


def test_what_was_committed_is_there_after_opening_again(path: Path) -> None:
    assert_intact(path)
    assert structure_faults(path / "data.mdb") == ()


def test_a_second_open_in_this_process_is_refused_and_names_it(path: Path) -> None:
    environment = reopen(path)
    with pytest.raises(StoreLocked, match=f"this process .pid {os.getpid()}"):
        reopen(path)
    with pytest.raises(StoreLocked, match="share"):
        LmdbEnvironment.open_readonly(path)
    environment.close()
    assert_intact(path)


def test_a_second_process_is_refused_until_the_first_is_gone(path: Path) -> None:
    with child(HOLDER, str(path)) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(StoreLocked, match=f"process {holder.pid}"):
            reopen(path)
        holder.kill()
        holder.wait(10)
    assert_intact(path)


def test_another_process_may_read_while_the_writer_lives(path: Path) -> None:
    with child(HOLDER, str(path)) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        environment = LmdbEnvironment.open_readonly(path)
        journal = LmdbJournal.participant(environment)
        assert environment.owner == "desk"
        assert environment.readonly
        assert len(journal.read(SAGA)) == 200
        assert list(journal.live_sagas()) == [SAGA]
        with pytest.raises(StoreMisused, match="reading only"):
            write(journal, SAGA, 201, 201)
        environment.close()
        holder.kill()
        holder.wait(10)


def test_a_reader_follows_a_writer_that_grows_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "_READER_MAP_BYTES", 1 << 18)
    with child(GROWER, str(tmp_path)) as grower:
        assert grower.stdin is not None
        assert grower.stdout is not None
        assert grower.stdout.readline() == "open\n"
        environment = LmdbEnvironment.open_readonly(tmp_path)
        journal = LmdbJournal.participant(environment)
        for round_number in (1, 2, 3):
            grower.stdin.write("grow\n")
            grower.stdin.flush()
            assert grower.stdout.readline() == "grown\n"
            live = list(journal.live_sagas())
            assert len(live) == 20 * round_number
            assert all(len(journal.read(saga)) == 1 for saga in live)
        assert environment.usage().map > 1 << 23
        environment.close()
        grower.kill()
        grower.wait(10)


def test_reading_needs_a_finished_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no store here"):
        LmdbEnvironment.open_readonly(tmp_path)


def empty(path: Path) -> None:
    os.truncate(path / "data.mdb", 0)


def delete(path: Path) -> None:
    (path / "data.mdb").unlink()


def delete_with_readers(path: Path) -> None:
    (path / "data.mdb").unlink()
    (path / "lock.mdb").unlink()


def cut_in_first_page(path: Path) -> None:
    os.truncate(path / "data.mdb", 100)


def cut_after_first_page(path: Path) -> None:
    os.truncate(path / "data.mdb", 5_000)


def cut_in_the_middle(path: Path) -> None:
    os.truncate(path / "data.mdb", (path / "data.mdb").stat().st_size // 2 // 4096 * 4096)


def fill_with_zeros(path: Path) -> None:
    (path / "data.mdb").write_bytes(bytes((path / "data.mdb").stat().st_size))


def lose_identity(path: Path) -> None:
    (path / "identity.json").unlink()


def spoil_identity(path: Path) -> None:
    (path / "identity.json").write_text("{")


def swap_for_an_empty_store_of_the_same_owner(path: Path) -> None:
    other = path.with_name("other")
    LmdbEnvironment.open(other, owner="desk").close()
    shutil.copy(other / "data.mdb", path / "data.mdb")


def swap_for_a_foreign_lmdb_file(path: Path) -> None:
    other = path.with_name("foreign")
    lmdb.open(str(other), lib_version=0).close()
    shutil.copy(other / "data.mdb", path / "data.mdb")


@pytest.mark.parametrize(
    "damage",
    [
        empty,
        delete,
        delete_with_readers,
        cut_in_first_page,
        cut_after_first_page,
        cut_in_the_middle,
        fill_with_zeros,
        lose_identity,
        spoil_identity,
        swap_for_an_empty_store_of_the_same_owner,
        swap_for_a_foreign_lmdb_file,
    ],
)
def test_a_damaged_store_is_refused_and_left_as_it_is(path: Path, damage: Callable[[Path], None]) -> None:
    damage(path)
    before = {file.name: file.read_bytes() for file in path.iterdir() if file.name not in {"LOCK", "lock.mdb"}}
    for _ in range(2):
        with pytest.raises(StoreDamaged, match=str(path)):
            reopen(path)
    if damage not in (lose_identity,):
        with pytest.raises(StoreDamaged):
            LmdbEnvironment.open_readonly(path)
    after = {file.name: file.read_bytes() for file in path.iterdir() if file.name not in {"LOCK", "lock.mdb"}}
    assert after == before


def test_a_store_that_existed_may_not_be_gone(tmp_path: Path) -> None:
    with pytest.raises(StoreDamaged, match="is gone"):
        LmdbEnvironment.open(tmp_path / "store", owner="desk", must_exist=True)


def test_the_data_file_of_another_actor_is_refused(path: Path) -> None:
    other = path.with_name("other")
    LmdbEnvironment.open(other, owner="hotel").close()
    shutil.copy(other / "data.mdb", path / "data.mdb")
    with pytest.raises(StoreVersionError, match="belongs to 'hotel'"):
        reopen(path)


def test_the_store_of_another_actor_is_refused(path: Path) -> None:
    with pytest.raises(StoreVersionError, match="belongs to 'desk', not to 'hotel'"):
        reopen(path, owner="hotel")
    assert_intact(path)


def test_a_newer_format_is_refused(path: Path) -> None:
    identity = json.loads((path / "identity.json").read_text())
    (path / "identity.json").write_text(json.dumps({**identity, "format": 2, "more": []}))
    with pytest.raises(StoreVersionError, match="format 2"):
        reopen(path)


def test_a_newer_format_inside_the_data_file_is_refused(path: Path) -> None:
    with lmdb.open(str(path), max_dbs=20) as raw, raw.begin(write=True) as txn:
        about = raw.open_db(b"identity", txn=txn)
        txn.put(b"identity", b'{"format": 2}', db=about)
    with pytest.raises(StoreVersionError, match="format 2"):
        reopen(path)


def test_a_store_of_the_newer_lmdb_generation_is_refused(path: Path) -> None:
    other = path.with_name("newer")
    lmdb.open(str(other), lib_version=1).close()
    shutil.copy(other / "data.mdb", path / "data.mdb")
    with pytest.raises(StoreVersionError, match="generation"):
        reopen(path)


@pytest.mark.parametrize("step", ["identity", "readers", "engine", "directory", "ready"])
def test_a_crash_while_creating_leaves_a_store_that_can_be_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    class Crash(BaseException):
        pass

    def crash(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        match step:
            case "identity":
                patch.setattr(Path, "replace", crash)
            case "readers":
                patch.setattr(opening, "reserve_readers", crash)
            case "engine":
                patch.setattr(StoreIdentity, "inside", crash)
            case "directory":
                patch.setattr(opening, "sync_directory", crash)
            case _:
                patch.setattr(StoreIdentity, "ready", crash)
        with pytest.raises(Crash):
            reopen(tmp_path / "store")
    environment = reopen(tmp_path / "store")
    write(LmdbJournal.participant(environment), SAGA, 1, 200)
    environment.close()
    assert_intact(tmp_path / "store")


def test_a_full_disk_is_told_before_lmdb_touches_its_lock_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", full)
        with pytest.raises(StoreFull, match="No space"):
            reopen(path)
    assert_intact(path)


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "store"):
        with pytest.raises(StoreError, match="choose a path that is a directory"):
            reopen(path)


def test_a_fork_is_refused(path: Path) -> None:
    environment = reopen(path)
    journal = LmdbJournal.participant(environment)
    uses = (lambda: journal.append(SAGA, started(201)), lambda: journal.read(SAGA), environment.close)

    def is_refused(use: Callable[[], object]) -> bool:
        try:
            use()
        except StoreMisused as error:
            return "fork" in str(error)
        return False

    child = os.fork()
    if not child:
        os._exit(0 if all(map(is_refused, uses)) else 1)
    assert os.waitpid(child, 0)[1] == 0
    environment.close()
