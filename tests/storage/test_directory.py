"""The data directory: one owner, and a manifest that is the old one or the new one after a crash."""

import json
import os
from pathlib import Path

import pytest

from saga_choreography.errors import StoreDamaged, StoreError, StoreFull, StoreLocked, StoreMisused, StoreVersionError
from saga_choreography.storage import DataDirectory, LmdbEnvironment
from saga_choreography.storage.directory import safe_name


def manifest(path: Path) -> object:
    return json.loads((path / "manifest.json").read_text())


def test_a_new_directory_knows_no_actors(tmp_path: Path) -> None:
    with DataDirectory.open(tmp_path / "a" / "b") as directory:
        assert dict(directory.actors) == {}
        assert directory.shards_of("FlightDesk") is None
    assert manifest(tmp_path / "a" / "b") == {"format": 1, "actors": {}}


def test_shards_and_ready_stores_are_remembered(tmp_path: Path) -> None:
    with DataDirectory.open(tmp_path) as directory:
        directory.set_shards("FlightDesk", 2)
        assert not directory.is_ready("FlightDesk", 1)
        directory.mark_ready("FlightDesk", 1)
        directory.mark_ready("FlightDesk", 1)
    assert manifest(tmp_path) == {"format": 1, "actors": {"FlightDesk": {"shards": 2, "ready": [1]}}}
    with DataDirectory.open(tmp_path) as directory:
        assert directory.shards_of("FlightDesk") == 2
        assert directory.is_ready("FlightDesk", 1)
        assert not directory.is_ready("FlightDesk", 0)
        directory.set_shards("FlightDesk", 1)
        assert not directory.is_ready("FlightDesk", 1)
        with pytest.raises(StoreMisused, match="no shard 1"):
            directory.mark_ready("FlightDesk", 1)
        with pytest.raises(StoreMisused):
            directory.set_shards("FlightDesk", 0)


def test_a_store_of_a_ready_shard_may_not_vanish(tmp_path: Path) -> None:
    with DataDirectory.open(tmp_path) as directory:
        directory.set_shards("FlightDesk", 1)
        with pytest.raises(StoreDamaged, match="is gone"):
            LmdbEnvironment.open(directory.env_path("FlightDesk"), owner="FlightDesk", must_exist=True)


def test_a_second_owner_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    with DataDirectory.open(tmp_path):
        with pytest.raises(StoreLocked, match=str(os.getpid())):
            DataDirectory.open(tmp_path)
        reader = DataDirectory.open_readonly(tmp_path)
        with pytest.raises(StoreMisused, match="reading only"):
            reader.set_shards("FlightDesk", 1)
    directory = DataDirectory.open(tmp_path)
    directory.close()
    directory.close()
    with pytest.raises(StoreMisused, match="closed"):
        directory.set_shards("FlightDesk", 1)


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"format": 2, "actors": []}')
    with pytest.raises(StoreVersionError, match="format 2"):
        DataDirectory.open(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1, "actors": {"a": {"shards": 0}}}', "\x00\x00"])
def test_a_spoiled_manifest_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(StoreDamaged, match="restore"):
        DataDirectory.open(tmp_path)
    with pytest.raises(StoreDamaged, match="restore"):
        DataDirectory.open_readonly(tmp_path)


def test_a_lost_manifest_beside_stores_is_refused(tmp_path: Path) -> None:
    with DataDirectory.open(tmp_path) as directory:
        LmdbEnvironment.open(directory.env_path("FlightDesk"), owner="FlightDesk").close()
    (tmp_path / "manifest.json").unlink()
    with pytest.raises(StoreDamaged, match="missing"):
        DataDirectory.open(tmp_path)
    with pytest.raises(StoreDamaged):
        DataDirectory.open_readonly(tmp_path)


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="choose a path that is a directory"):
        DataDirectory.open(tmp_path / "file")


def test_a_directory_without_permission_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", "LOCK")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(StoreError, match="write permission"):
        DataDirectory.open(tmp_path)


def test_a_full_disk_leaves_the_old_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with DataDirectory.open(tmp_path) as directory:
        directory.set_shards("FlightDesk", 1)
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            with pytest.raises(StoreFull):
                directory.set_shards("HotelDesk", 1)
        assert dict(directory.actors) == {"FlightDesk": 1}
    with DataDirectory.open(tmp_path) as directory:
        assert dict(directory.actors) == {"FlightDesk": 1}


@pytest.mark.parametrize("name", ["../../etc", ".", "..", "a/b", "a b", "Ä", "x" * 500, "NUL\x00", "a%2Fb"])
def test_names_are_safe_for_files_and_stay_apart(name: str) -> None:
    safe = safe_name(name)
    assert safe not in ("", ".", "..")
    assert "/" not in safe
    assert "\x00" not in safe
    assert len(safe.encode()) < 150
    assert safe != safe_name(name + "x")


def test_shards_live_in_folders_of_their_own(tmp_path: Path) -> None:
    with DataDirectory.open(tmp_path) as directory:
        assert directory.env_path("FlightDesk", 1) == tmp_path / "actors" / "FlightDesk" / "1"
