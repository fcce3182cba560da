"""What is of a newer format is refused before it is believed, and says which store, which formats and what to do."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from zlib import crc32

import lmdb
import pytest

from saga_choreography import SagaSystem
from saga_choreography.codec import FORMAT_VERSION, record_key
from saga_choreography.errors import StoreDamaged, StoreVersionError
from saga_choreography.events import TimestampedEvent
from saga_choreography.storage import (
    INITIATOR,
    PARTICIPANT,
    DataDirectory,
    InMemoryEnvironment,
    LmdbEnvironment,
    LmdbJournal,
)
from saga_choreography.storage.staged_journal import StagedJournal
from saga_choreography.storage.staging import StagedEnvironment
from saga_choreography.storage.unsynced import Unsynced
from saga_choreography.types import SagaId, new_saga_id
from tests.disk.media import contents
from tests.storage.samples import initiator_events, started, write

NEWER = FORMAT_VERSION + 1


def make_newer(environment: StagedEnvironment, table: str, saga_id: SagaId) -> None:
    """Give the first record of a saga the next format, with a checksum that is right."""
    key = record_key(saga_id, 1)
    value = environment.value(table, key)
    assert value is not None
    body = value[5:]
    with environment.transaction():
        environment.open_stage().writes[table][key] = bytes([NEWER]) + crc32(body, crc32(key)).to_bytes(4, "big") + body


def assert_told(refused: pytest.ExceptionInfo[StoreVersionError], store: str) -> None:
    text = str(refused.value)
    assert refused.value.store == store
    assert text.startswith(f"store {store}: ")
    assert f"has format {NEWER}, this library reads {FORMAT_VERSION}; use the version that wrote it" in text


@pytest.fixture(params=["memory", "lmdb"])
def environment(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StagedEnvironment]:
    opened = (
        InMemoryEnvironment() if request.param == "memory" else LmdbEnvironment.open(tmp_path / "store", owner="desk")
    )
    yield opened
    opened.close()


def test_a_newer_record_of_a_participant_is_told_and_costs_its_own_saga(environment: StagedEnvironment) -> None:
    journal = StagedJournal(environment, PARTICIPANT)
    newer, other = new_saga_id(), new_saga_id()
    for saga_id in (newer, other):
        with journal.transaction():
            for sequence in (1, 2, 3):
                journal.append(saga_id, started(sequence))
    make_newer(environment, PARTICIPANT.records, newer)
    with pytest.raises(StoreVersionError, match=f"participant journal, saga {newer}: record 1") as refused:
        journal.read(newer)
    assert_told(refused, environment.store)
    assert len(journal.read(other)) == 3
    assert set(journal.live_sagas()) == {newer, other}


def test_a_newer_record_of_an_initiator_is_told(environment: StagedEnvironment) -> None:
    journal = StagedJournal(environment, INITIATOR)
    saga_id = new_saga_id()
    with journal.transaction():
        journal.append(saga_id, TimestampedEvent(1, 1_000, initiator_events(saga_id)[0]))
    make_newer(environment, INITIATOR.records, saga_id)
    with pytest.raises(StoreVersionError, match=f"initiator journal, saga {saga_id}: record 1") as refused:
        journal.read(saga_id)
    assert_told(refused, environment.store)


def open_for_writing(path: Path) -> LmdbEnvironment:
    return LmdbEnvironment.open(path, owner="desk")


def newer_beside(path: Path) -> None:
    identity = json.loads((path / "identity.json").read_text())
    (path / "identity.json").write_text(json.dumps({**identity, "format": NEWER, "more": []}))


def newer_inside(path: Path) -> None:
    with lmdb.open(str(path), max_dbs=20) as raw, raw.begin(write=True) as txn:
        about = raw.open_db(b"identity", txn=txn)
        identity = json.loads(txn.get(b"identity", db=about) or b"")
        txn.put(b"identity", json.dumps({**identity, "format": NEWER}).encode(), db=about)


@pytest.mark.parametrize("change", [newer_beside, newer_inside])
@pytest.mark.parametrize(
    "opener", [lambda path: LmdbEnvironment.open(path, owner="desk"), LmdbEnvironment.open_readonly]
)
def test_a_newer_store_is_refused_and_stays_as_it_is(
    tmp_path: Path, change: Callable[[Path], None], opener: Callable[[Path], LmdbEnvironment]
) -> None:
    path = tmp_path / "store"
    LmdbEnvironment.open(path, owner="desk").close()
    change(path)
    before = contents(path)
    for _ in range(2):
        with pytest.raises(StoreVersionError) as refused:
            opener(path)
        assert_told(refused, str(path))
    assert contents(path) == before


@pytest.mark.parametrize("opener", [SagaSystem, DataDirectory.open, DataDirectory.open_readonly])
def test_a_newer_data_directory_is_refused_and_stays_as_it_is(tmp_path: Path, opener: Callable[[Path], object]) -> None:
    DataDirectory.open(tmp_path / "state").close()
    (tmp_path / "state" / "manifest.json").write_text(json.dumps({"format": NEWER, "halls": {}}))
    before = contents(tmp_path)
    with pytest.raises(StoreVersionError) as refused:
        opener(tmp_path / "state")
    assert_told(refused, str(tmp_path / "state"))
    assert contents(tmp_path) == before


def test_after_power_loss_a_record_that_looks_newer_is_damage_with_both_remedies(tmp_path: Path) -> None:
    path, saga_id = tmp_path / "store", new_saga_id()
    environment = LmdbEnvironment.open(path, owner="desk")
    write(LmdbJournal.participant(environment), saga_id, 1, 3)
    make_newer(environment, PARTICIPANT.records, saga_id)
    environment.close()
    Unsynced(boot="another run of the machine", commits=1).save(path)
    with pytest.raises(StoreDamaged, match=f"the machine went down .* record 1 has format {NEWER}, .* backup"):
        LmdbEnvironment.open(path, owner="desk")
