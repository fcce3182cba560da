"""The files beside the data: manifest, identity and lock are what was written, or refused by a typed error."""

import fcntl
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saga_choreography.errors import StoreDamaged, StoreError, StoreLocked, StoreVersionError
from saga_choreography.storage import DataDirectory, LmdbEnvironment
from saga_choreography.storage.directory import MANIFEST_NAME
from saga_choreography.storage.lmdb_identity import (
    IDENTITY_NAME,
    StoreIdentity,
    StoreState,
    check_inside,
    load_identity,
)
from saga_choreography.storage.lockfile import LOCK_NAME, FileLock
from tests.fuzz.budget import examples
from tests.fuzz.conforming import conforms
from tests.fuzz.mutations import mutated
from tests.fuzz.refusals import must_name

MANIFEST = b'{"format": 1, "actors": {"Desk": {"shards": 2, "ready": [0, 1]}, "Host": {"shards": 1, "ready": []}}}'
IDENTITY = StoreIdentity(store_id="ab" * 16, owner="Desk", created_at_millis=5)
JSON: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(st.characters(), max_size=6), part, max_size=3),
    max_leaves=6,
)
NUMBERS = st.sampled_from([0, 1, 2, -1, True, False, 1.0, 10**30, "1", None])
ACTORS = st.dictionaries(
    st.text(st.characters(), max_size=8) | st.sampled_from(["", "..", "/etc/passwd", "a/../../b", "\ud800"]),
    st.fixed_dictionaries({"shards": NUMBERS}, optional={"ready": st.lists(NUMBERS, max_size=3) | JSON}) | JSON,
    max_size=2,
)
MANIFESTS = st.one_of(
    st.binary(max_size=60),
    mutated(MANIFEST, IDENTITY.inside()),
    JSON.map(lambda value: json.dumps(value).encode()),
    st.fixed_dictionaries({"format": NUMBERS | st.just(1), "actors": ACTORS | JSON}).map(
        lambda value: json.dumps(value).encode()
    ),
)
IDENTITIES = st.one_of(
    st.binary(max_size=60),
    mutated(IDENTITY.inside(), MANIFEST),
    JSON.map(lambda value: json.dumps(value).encode()),
    st.tuples(st.sampled_from(sorted(IDENTITY.document())), JSON | NUMBERS).map(
        lambda change: json.dumps({**IDENTITY.document(), change[0]: change[1]}).encode()
    ),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("documents")


@examples(150)
@given(raw=MANIFESTS)
def test_a_manifest_is_read_or_refused(folder: Path, raw: bytes) -> None:
    (folder / MANIFEST_NAME).write_bytes(raw)
    try:
        directory = DataDirectory.open_readonly(folder)
    except (StoreDamaged, StoreVersionError) as error:
        must_name(error, str(folder))
        return
    written = json.loads(raw)["actors"]
    assert dict(directory.actors) == {name: actor["shards"] for name, actor in written.items()}
    for name, shards in directory.actors.items():
        assert type(shards) is int
        ready = written[name].get("ready", [])
        assert [shard for shard in range(min(shards, 5)) if directory.is_ready(name, shard)] == sorted(set(ready))
        path = directory.env_path(name, 0)
        assert Path(os.path.normpath(path)).is_relative_to(folder / "actors"), "no name leads out of the directory"


@examples(30)
@given(raw=MANIFESTS)
def test_a_directory_whose_manifest_is_refused_stays_as_it_is(folder: Path, raw: bytes) -> None:
    (folder / MANIFEST_NAME).write_bytes(raw)
    try:
        with DataDirectory.open(folder):
            pass
    except (StoreDamaged, StoreVersionError) as error:
        must_name(error, str(folder))
    assert (folder / MANIFEST_NAME).read_bytes() == raw


@pytest.mark.parametrize("ready", [[2], [-1], ["0"], [True], [0, None], "0", {"0": 1}, None])
def test_a_manifest_never_forgets_that_a_store_was_there(tmp_path: Path, ready: object) -> None:
    document = {"format": 1, "actors": {"Desk": {"shards": 2, "ready": ready}}}
    (tmp_path / MANIFEST_NAME).write_text(json.dumps(document))
    with pytest.raises(StoreDamaged, match="actor 'Desk' is not what was written"):
        DataDirectory.open_readonly(tmp_path)


@examples(150)
@given(raw=IDENTITIES)
def test_an_identity_beside_the_data_is_read_or_refused(folder: Path, raw: bytes) -> None:
    (folder / IDENTITY_NAME).write_bytes(raw)
    try:
        identity = load_identity("the store", folder)
    except (StoreDamaged, StoreVersionError) as error:
        must_name(error, "the store")
        return
    assert identity is not None
    assert conforms(identity, StoreIdentity)
    written = json.loads(raw)
    assert identity.document() == {name: written[name] for name in identity.document()}, "unknown names are ignored"


@examples(150)
@given(raw=IDENTITIES)
def test_an_identity_in_the_data_is_the_one_beside_it_or_refused(raw: bytes) -> None:
    try:
        check_inside("the store", IDENTITY, raw)
    except (StoreDamaged, StoreVersionError) as error:
        must_name(error, "the store")
        return
    inside = json.loads(raw)
    assert (inside["store_id"], inside["owner"]) == (IDENTITY.store_id, IDENTITY.owner)


@examples(6)
@given(raw=st.binary(max_size=60) | mutated(IDENTITY.inside()))
def test_a_store_of_a_foreign_identity_is_not_opened_and_not_touched(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes
) -> None:
    path = tmp_path_factory.mktemp("store")
    LmdbEnvironment.open(path, owner="Desk").close()
    (path / IDENTITY_NAME).write_bytes(raw)
    data = (path / "data.mdb").read_bytes()
    with pytest.raises(StoreError) as caught:
        LmdbEnvironment.open(path, owner="Desk")
    must_name(caught.value, str(path))
    assert (path / "data.mdb").read_bytes() == data


@pytest.mark.parametrize("levels", [10, 500, 1_000, 100_000])
@pytest.mark.parametrize("opening", ["[", '{"format":'])
def test_a_tower_of_lists_in_a_document_is_refused(folder: Path, levels: int, opening: str) -> None:
    closing = "]" if opening == "[" else "}"
    raw = (opening * levels + "1" + closing * levels).encode()
    (folder / MANIFEST_NAME).write_bytes(raw)
    (folder / IDENTITY_NAME).write_bytes(raw)
    with pytest.raises(StoreDamaged):
        DataDirectory.open_readonly(folder)
    with pytest.raises(StoreDamaged):
        load_identity("the store", folder)
    with pytest.raises(StoreDamaged):
        check_inside("the store", IDENTITY, raw)


@examples(60)
@given(raw=st.binary(max_size=60) | st.integers().map(lambda pid: str(pid).encode()))
def test_a_lock_file_of_any_content_is_taken_or_refused(folder: Path, raw: bytes) -> None:
    path = folder / LOCK_NAME
    path.write_bytes(raw)
    with path.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(StoreLocked) as caught:
            FileLock.acquire(folder, "the store")
        must_name(caught.value, "the store", "in use by")
    lock = FileLock.acquire(folder, "the store")
    try:
        assert path.read_bytes() == f"{os.getpid()}\n".encode()
    finally:
        lock.release()


def test_a_newer_format_of_every_document_is_refused_as_such(folder: Path) -> None:
    (folder / MANIFEST_NAME).write_text('{"format": 2, "actors": []}')
    with pytest.raises(StoreVersionError, match="use the version that wrote it"):
        DataDirectory.open_readonly(folder)
    newer = json.dumps({**IDENTITY.document(), "format": 2}).encode()
    (folder / IDENTITY_NAME).write_bytes(newer)
    with pytest.raises(StoreVersionError, match="use the version that wrote it"):
        load_identity("the store", folder)
    with pytest.raises(StoreVersionError, match="use the version that wrote it"):
        check_inside("the store", IDENTITY, newer)
    assert IDENTITY.state is StoreState.CREATING
