"""Journals that an earlier release left are read, folded and resumed by this one.

`format_1` was written by release 0.1.0 and is never written anew (see `make.py`).
"""

import filecmp
import json
import mmap
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from saga_choreography import (
    Durability,
    SagaCompleted,
    SagaFailed,
    SagaIdConflict,
    SagaQuarantined,
    SagaSystem,
    check_upgrade,
)
from saga_choreography.codec import FORMAT_VERSION, INITIATOR_TAGS, PARTICIPANT_TAGS, payload_codec
from saga_choreography.events import OutcomeKind
from saga_choreography.helpers.initiating import replay_saga
from saga_choreography.helpers.recovery import replay
from saga_choreography.storage import (
    INITIATOR,
    PARTICIPANT,
    DataDirectory,
    InMemoryDedupe,
    InMemoryEnvironment,
    InMemoryJournal,
    LmdbEnvironment,
    Tombstone,
)
from saga_choreography.storage.audit import audit
from saga_choreography.storage.directory import DIRECTORY_FORMAT
from saga_choreography.storage.lmdb_identity import STORE_FORMAT
from saga_choreography.types import idempotency_key
from tests.golden.journals import (
    ACTORS,
    CANCELLED,
    LIVE,
    NAMES,
    SAGAS,
    Encoded,
    digest,
    entry_of_initiator,
    initiator,
    pay,
    reserve,
    ship,
    stamped,
    stamped_of_initiator,
    states,
)
from tests.golden.journals import (
    INITIATOR as INITIATOR_STORE,
)
from tests.golden.make import PAGE_BYTES, Rows, make, rows_of
from tests.golden.order import AN_ORDER, GOLDEN, VALUES, Done, Payer, Reserver, Shipper

FOLDER: Final = Path(__file__).parent / "format_1"
LARGEST: Final = 300 << 10
SECONDS: Final = 60

needs_pages = pytest.mark.skipif(
    mmap.PAGESIZE != PAGE_BYTES,
    reason=f"the kept LMDB files have pages of {PAGE_BYTES} bytes, here are {mmap.PAGESIZE}",
)


def kept_payloads() -> dict[str, bytes]:
    return {name: bytes.fromhex(raw) for name, raw in json.loads((FOLDER / "payloads.json").read_text()).items()}


def kept_rows() -> Rows:
    rows: Rows = json.loads((FOLDER / "rows.json").read_text())
    return rows


RAW: Final[Encoded] = kept_payloads()


@pytest.fixture(scope="module")
def stores() -> dict[str, InMemoryEnvironment]:
    """The kept rows in memory, by actor."""
    made: dict[str, InMemoryEnvironment] = {}
    for actor, tables in kept_rows().items():
        environment = made[actor] = InMemoryEnvironment(actor)
        with environment.transaction():
            for table, rows in tables.items():
                for key, value in rows:
                    environment.open_stage().writes[table][bytes.fromhex(key)] = bytes.fromhex(value)
    return made


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A copy of the kept data directory."""
    return shutil.copytree(FOLDER / "state", tmp_path / "state")


# ---------------------------------------------------------------- values and rows


@pytest.mark.parametrize("name", VALUES)
def test_every_kept_payload_is_read_as_what_it_was(name: str) -> None:
    declared, value = VALUES[name]
    assert payload_codec(declared).decode(RAW[name], name) == value


@pytest.mark.parametrize("actor", ACTORS)
@pytest.mark.parametrize("name", NAMES)
def test_every_record_of_a_participant_is_read_and_folded(
    stores: dict[str, InMemoryEnvironment], actor: str, name: str
) -> None:
    journal = InMemoryJournal(stores[actor], PARTICIPANT)
    told = {"Reserver": reserve, "Payer": pay, "Shipper": ship}[actor](name, RAW)
    records = journal.read(SAGAS[name])
    assert records == (stamped(told) if name != "pruned" else ())
    entry = replay(journal, SAGAS[name])
    if not records:
        assert entry is None
        return
    assert entry is not None
    expected, fence = states(RAW)[actor, name]
    assert (entry.state, entry.fence) == (expected, fence)
    assert (entry.saga_id, entry.step_name) == (SAGAS[name], ACTORS[actor])
    assert entry.origin.plan == GOLDEN.plan


@pytest.mark.parametrize("name", NAMES)
def test_every_record_of_the_initiator_is_read_and_folded(stores: dict[str, InMemoryEnvironment], name: str) -> None:
    journal = InMemoryJournal(stores[INITIATOR_STORE], INITIATOR)
    if name == "pruned":
        assert journal.read(SAGAS[name]) == ()
        assert journal.tombstone(SAGAS[name]) == Tombstone(outcome=OutcomeKind.COMPLETED, digest=digest(RAW))
        return
    assert journal.read(SAGAS[name]) == stamped_of_initiator(initiator(name, RAW))
    assert replay_saga(journal, SAGAS[name]) == entry_of_initiator(name, RAW)


def test_the_small_rows_say_what_they_said(stores: dict[str, InMemoryEnvironment]) -> None:
    for actor, step in ACTORS.items():
        journal, marks = InMemoryJournal(stores[actor], PARTICIPANT), InMemoryDedupe(stores[actor])
        begun = {name for name in NAMES if (actor, name) in states(RAW)} | {"pruned"}
        assert {name for name in NAMES if marks.seen(SAGAS[name], step)} == begun
        assert set(journal.live_sagas()) == {SAGAS[name] for name in begun & set(LIVE)}
        assert journal.tombstone(SAGAS["pruned"]) == Tombstone(outcome=OutcomeKind.COMPLETED, digest=b"")
        assert journal.tombstone(SAGAS["failed"]) is None
    live = InMemoryJournal(stores[INITIATOR_STORE], INITIATOR).live_sagas()
    assert set(live) == {SAGAS[name] for name in LIVE}
    for environment in stores.values():
        audit(environment)


def test_every_kind_of_record_is_kept(stores: dict[str, InMemoryEnvironment]) -> None:
    kinds: set[type] = set()
    for actor in ACTORS:
        participant = InMemoryJournal(stores[actor], PARTICIPANT)
        kinds |= {type(record.event) for name in NAMES for record in participant.read(SAGAS[name])}
    journal = InMemoryJournal(stores[INITIATOR_STORE], INITIATOR)
    kinds |= {type(record.event) for name in NAMES for record in journal.read(SAGAS[name])}
    assert kinds == {*PARTICIPANT_TAGS.values(), *INITIATOR_TAGS.values()}


def test_what_is_kept_is_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) < LARGEST


# ---------------------------------------------------------------- what this release writes


@pytest.mark.skipif(
    (FORMAT_VERSION, STORE_FORMAT, DIRECTORY_FORMAT) != (1, 1, 1), reason="this release writes another format"
)
def test_this_release_writes_the_same_bytes(tmp_path: Path) -> None:
    make(tmp_path / "made")
    for name in ("payloads.json", "rows.json"):
        assert (tmp_path / "made" / name).read_text() == (FOLDER / name).read_text()
    for path in ("manifest.json", *(f"actors/{actor}/0/identity.json" for actor in (*ACTORS, INITIATOR_STORE))):
        assert filecmp.cmp(tmp_path / "made" / "state" / path, FOLDER / "state" / path, shallow=False)


# ---------------------------------------------------------------- the data directory


@needs_pages
def test_the_kept_stores_hold_the_kept_rows(state: Path) -> None:
    rows: Rows = {}
    with DataDirectory.open_readonly(state) as directory:
        for actor in directory.actors:
            environment = LmdbEnvironment.open_readonly(directory.env_path(actor))
            rows[actor] = rows_of(environment)
            environment.close()
    assert rows == kept_rows()


@needs_pages
def test_a_check_of_the_kept_directory_finds_nothing(state: Path) -> None:
    report = check_upgrade(state, [GOLDEN])
    assert (report.stores, report.sagas, report.faults, report.notes) == (4, len(LIVE), (), ())


@pytest.fixture
def resumed(state: Path) -> Iterator[tuple[SagaSystem, Done]]:
    done = Done()
    with SagaSystem(state, durability=Durability.PROCESS, workflows=(GOLDEN,)) as system:
        for actor in (Reserver, Payer, Shipper):
            system.start_actor(actor, done)
        yield system, done


@needs_pages
def test_every_live_saga_is_resumed_to_its_outcome_and_nothing_is_done_twice(
    resumed: tuple[SagaSystem, Done],
) -> None:
    system, done = resumed
    for name in ("accepted", "reserved", "paying", "pending", "done"):
        assert isinstance(system.handle(SAGAS[name]).wait_until_ended(SECONDS), SagaCompleted), name
    for name in ("cancelled", "undoing"):
        assert isinstance(system.handle(SAGAS[name]).wait_until_ended(SECONDS), SagaFailed), name
    assert isinstance(system.handle(SAGAS["parked"]).result(SECONDS), SagaQuarantined)
    system.resolve(SAGAS["parked"], "pay", "undone", by="ada", why="paid back by hand")
    assert isinstance(system.handle(SAGAS["parked"]).wait_until_ended(SECONDS), SagaFailed)
    expected = {
        "accepted": ["reserve", "pay", "ship"],
        "reserved": ["pay", "ship"],
        "paying": ["pay", "ship"],
        "pending": ["resume pay", "ship"],
        "done": [],
        "cancelled": ["undo reserve"],
        "undoing": ["undo reserve"],
        "parked": ["undo reserve"],
        "failed": [],
        "pruned": [],
    }
    for name, calls in expected.items():
        assert [what for what, key in done.calls if key.startswith(SAGAS[name].hex)] == calls, name
    for what, key in done.calls:
        saga = next(saga_id for saga_id in SAGAS.values() if key.startswith(saga_id.hex))
        assert key == idempotency_key(saga, what.split()[-1], "undo" if what.startswith("undo") else "do")


@needs_pages
def test_what_has_ended_is_known_and_never_started_again(resumed: tuple[SagaSystem, Done]) -> None:
    system, _ = resumed
    outcome = system.handle(SAGAS["failed"]).outcome()
    assert isinstance(outcome, SagaFailed)
    with pytest.raises(SagaIdConflict, match="its records are pruned"):
        system.start_saga(GOLDEN, AN_ORDER, saga_id=SAGAS["pruned"])
    again = system.start_saga(GOLDEN, AN_ORDER, saga_id=SAGAS["cancelled"])
    outcome = again.wait_until_ended(SECONDS)
    assert isinstance(outcome, SagaFailed)
    assert outcome.cause == CANCELLED
