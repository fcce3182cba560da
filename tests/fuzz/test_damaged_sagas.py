"""A damaged record costs its own saga: it is reported, its evidence stays byte for byte, and every other saga ends."""

from pathlib import Path

import pytest

from saga_choreography import NoticeKind, SagaFailed, SagaHandle, SagaId, StepPending
from saga_choreography.storage import INITIATOR, PARTICIPANT
from saga_choreography.storage.layout import SEQUENCE
from tests.fuzz.lmdb_damage import DAMAGES, change_row, rows_of
from tests.runtime.journey import JOURNEY, CancellableHost, Trip, World, running
from tests.runtime.test_isolation import Watcher

SECONDS = 60


def waiting_world() -> World:
    return World(on={"stay": lambda _: StepPending()})


def three_waiting_sagas(path: Path) -> list[SagaId]:
    """Sagas whose last step is pending; the system that ran them has stopped."""
    world = waiting_world()
    with running(path, world, host=CancellableHost) as system:
        sagas = [system.start_saga(JOURNEY, Trip(city)).saga_id for city in ("Oslo", "Rome", "Bonn")]
        with world.changed:
            assert world.changed.wait_for(lambda: world.calls.count("stay") == len(sagas), SECONDS)
    return sagas


def the_others_end(path: Path, damaged: SagaId, others: list[SagaId]) -> None:
    watcher = Watcher()
    with running(path, waiting_world(), host=CancellableHost, observers=(watcher,)) as system:
        notice = watcher.wait_for_notice(NoticeKind.RECORD_UNREADABLE)
        assert notice.saga_id == damaged
        assert str(damaged) in notice.detail
        assert "kept as they are" in notice.detail
        fresh: SagaHandle = system.start_saga(JOURNEY, Trip("Wien"))
        for saga_id in (*others, fresh.saga_id):
            system.cancel_saga(saga_id, "enough")
            assert isinstance(system.handle(saga_id).result(SECONDS), SagaFailed)
    assert not [one for one in watcher.notices if one.kind is NoticeKind.ACTOR_RESTARTED]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_record_of_a_participant(tmp_path: Path, damage: str) -> None:
    damaged, *others = three_waiting_sagas(tmp_path)
    path = tmp_path / "actors" / "CancellableHost" / "0"
    key = damaged.bytes + SEQUENCE.pack(1)
    change_row(path, PARTICIPANT.records, key, lambda value: DAMAGES[damage](damaged, value))
    evidence = rows_of(path, damaged)
    assert len(evidence) >= 2
    the_others_end(tmp_path, damaged, others)
    assert rows_of(path, damaged) == evidence


@pytest.mark.parametrize(
    "damage", ["a flipped bit", "a plan under a long digest", "a tower of lists", "deleted", "a newer format"]
)
def test_a_damaged_record_of_the_initiator(tmp_path: Path, damage: str) -> None:
    damaged, *others = three_waiting_sagas(tmp_path)
    path = tmp_path / "actors" / "system-initiator" / "0"
    key = damaged.bytes + SEQUENCE.pack(1)
    change_row(path, INITIATOR.records, key, lambda value: DAMAGES[damage](damaged, value))
    evidence = rows_of(path, damaged)
    the_others_end(tmp_path, damaged, others)
    assert rows_of(path, damaged) == evidence


@pytest.mark.parametrize("value", [b"", b"\x00", SEQUENCE.pack(1), SEQUENCE.pack(9), bytes(60)])
def test_a_damaged_entry_of_the_live_index(tmp_path: Path, value: bytes) -> None:
    damaged, *others = three_waiting_sagas(tmp_path)
    path = tmp_path / "actors" / "CancellableHost" / "0"
    change_row(path, PARTICIPANT.live, damaged.bytes, lambda _: value)
    evidence = rows_of(path, damaged)
    the_others_end(tmp_path, damaged, others)
    assert rows_of(path, damaged) == evidence
