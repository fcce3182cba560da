"""A full disk: an error that names the store and the remedy, nothing acknowledged is missing, and with room it goes on.

In about 10 seconds.
"""

import os
from pathlib import Path

import pytest

from saga_choreography.errors import StoreFull
from saga_choreography.storage import DataDirectory, InMemoryEnvironment, LmdbEnvironment
from tests.disk.media import Told, on_small_disk, with_failing_calls
from tests.disk.programs import open_store
from tests.power.journal_work import OWNER, SMALL_MAP, STORE, Work, oracle, state_of

PROGRAM = "tests.disk.programs"
MIB = 1 << 20


def told(lines: Told, word: str) -> Told:
    return [rest for first, *rest in lines if first == word]


def test_a_store_on_a_full_disk_keeps_what_was_committed_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    lines = on_small_disk(tmp_path, 4 * MIB, PROGRAM, "store_on_a_full_disk")
    ((kind, store, remedy, text),) = told(lines, "commit")
    assert (kind, store, remedy) == ("StoreFull", f"{tmp_path}/store", "free space on this disk, then try again")
    assert store in text
    assert remedy in text
    ((done, intact),) = told(lines, "kept")
    assert intact
    assert int(done) > 10
    assert told(lines, "goes on") == [[True]]
    opened = told(lines, "open")
    assert [kind for kind, *_ in opened] == ["StoreFull"] * 3, opened
    assert [Path(store).name for _, store, *_ in opened] == ["store", "new", "system"]
    assert all(remedy.startswith("free space on this disk") for _, _, remedy, _ in opened)
    assert told(lines, "after") == [[True]]


def test_a_system_on_a_full_disk_pauses_and_goes_on_by_itself_when_there_is_room(tmp_path: Path) -> None:
    lines = on_small_disk(tmp_path, 6 * MIB, PROGRAM, "system_on_a_full_disk")
    assert told(lines, "first") == told(lines, "first again") == [["SagaCompleted"]]
    ((paused,),) = told(lines, "paused")
    assert f"{tmp_path}/state" in paused
    assert "free space on this disk" in paused
    assert told(lines, "acknowledged") == [[0]], "a start is acknowledged when it is committed, not before"
    assert len(told(lines, "resumed")) == 1
    assert told(lines, "second") == [["SagaCompleted"]]
    assert told(lines, "later") == [["SagaCompleted"]] * 2


@pytest.mark.parametrize("actor", ["system-initiator", "Pilot"])
def test_an_actor_whose_writes_meet_a_full_disk_for_a_while_pauses_and_goes_on_by_itself(
    tmp_path: Path, actor: str
) -> None:
    """The same without a disk of one's own: the data pages of one actor find no room three times in a row."""
    data = tmp_path / "state" / "actors" / actor / "0" / "data.mdb"
    lines = with_failing_calls(
        data, "writev:error=ENOSPC:when=4..6", PROGRAM, "system_through_a_full_disk", str(tmp_path)
    )
    ended = told(lines, "ended")
    assert ended
    assert {kind for (kind,) in ended} == {"SagaCompleted"}
    assert told(lines, "later") == ended
    ((paused,),) = told(lines, "store_paused")
    assert str(data.parent) in paused
    assert "free space on this disk" in paused
    assert len(told(lines, "store_resumed")) == 1


@pytest.mark.parametrize("call", ["pwrite64", "writev"])
def test_a_commit_that_meets_a_full_disk_may_be_tried_again(tmp_path: Path, call: str) -> None:
    open_store(tmp_path / STORE).close()
    data = tmp_path / STORE / "data.mdb"
    fault = f"{call}:error=ENOSPC:when=2..4"
    lines = with_failing_calls(data, fault, PROGRAM, "commits", str(tmp_path / STORE), "3", "12")
    failed = told(lines, "failed")
    assert failed
    assert {kind for kind, *_ in failed} <= {"StoreFull", "StoreDamaged"}
    assert failed[0][0] == "StoreFull"
    assert all(str(tmp_path / STORE) in text and remedy in text for _, _, remedy, text in failed)
    assert told(lines, "done") == [[12]]
    environment = open_store(tmp_path / STORE)
    assert state_of(environment) == oracle(3, 12)[-1]
    environment.close()


def test_a_full_map_is_an_error_that_names_the_limit_and_a_larger_one_goes_on(tmp_path: Path) -> None:
    memory = InMemoryEnvironment()
    mirror, work = Work(memory, 4), Work(InMemoryEnvironment(), 4)
    environment = LmdbEnvironment.open(tmp_path, owner=OWNER, map_size_bytes=SMALL_MAP, max_map_bytes=SMALL_MAP)
    work.move_to(environment)

    def until_full() -> None:
        for _ in range(10_000):
            work.step()
            mirror.step()

    with pytest.raises(StoreFull, match="raise max_map_bytes") as full:
        until_full()
    assert full.value.store == str(tmp_path)
    assert state_of(environment) == state_of(memory)
    environment.close()
    environment = LmdbEnvironment.open(tmp_path, owner=OWNER, map_size_bytes=SMALL_MAP)
    assert state_of(environment) == state_of(memory)
    mirror.move_to(environment)
    mirror.step()
    assert state_of(environment) != state_of(memory)
    environment.close()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full here")
def test_a_manifest_that_meets_a_full_disk_leaves_the_old_one(tmp_path: Path) -> None:
    with DataDirectory.open(tmp_path) as directory:
        directory.set_shards("Desk", 1)
        (tmp_path / "manifest.json.tmp").symlink_to("/dev/full")
        with pytest.raises(StoreFull, match="free space"):
            directory.set_shards("Hotel", 1)
        (tmp_path / "manifest.json.tmp").unlink()
    with DataDirectory.open(tmp_path) as directory:
        assert dict(directory.actors) == {"Desk": 1}
