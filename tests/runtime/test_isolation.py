"""What fails alone fails alone: observers, hooks, one saga's records, a full store, a stopping system."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

import pytest

from saga_choreography import (
    NoticeKind,
    SagaChoreographyEvent,
    SagaCompleted,
    SagaContext,
    SagaError,
    SagaEvent,
    SagaFailed,
    SagaHandle,
    SagaId,
    SagaNotice,
    SagaSystem,
    StepPending,
    StepStarted,
    StoreDamaged,
    StoreFull,
    StorePlace,
)
from saga_choreography.helpers.signals import Events
from saga_choreography.storage.lmdb_impl import LmdbJournal
from tests.runtime.journey import JOURNEY, Host, Packer, Pilot, Trip, World, running


class Watcher:
    """Keeps what it sees; may misbehave."""

    def __init__(self, *, raising: bool = False) -> None:
        self.raising = raising
        self.events: list[SagaChoreographyEvent] = []
        self.notices: list[SagaNotice] = []
        self.changed = threading.Condition()

    def on_event(self, event: SagaChoreographyEvent) -> None:
        with self.changed:
            self.events.append(event)
            self.changed.notify_all()
        if self.raising:
            raise RuntimeError("I am no good observer")

    def on_notice(self, notice: SagaNotice) -> None:
        with self.changed:
            self.notices.append(notice)
            self.changed.notify_all()

    def wait_for_notice(self, kind: NoticeKind) -> SagaNotice:
        def found() -> SagaNotice | None:
            return next((notice for notice in self.notices if notice.kind is kind), None)

        with self.changed:
            self.changed.wait_for(lambda: found() is not None, 20)
            notice = found()
        assert notice is not None, f"no {kind}: {self.notices}"
        return notice

    def wait_for_event(self, kind: type) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: any(isinstance(event, kind) for event in self.events), 20)


def test_an_observer_sees_every_fact_and_one_that_raises_harms_nothing(tmp_path: Path) -> None:
    good, bad = Watcher(), Watcher(raising=True)
    with running(tmp_path, World(), observers=(bad, good)) as system:
        assert isinstance(system.start_saga(JOURNEY, Trip("Oslo")).result(10), SagaCompleted)
        good.wait_for_event(SagaCompleted)
    kinds = [type(event).__name__ for event in good.events]
    assert kinds[0] == "SagaStarted"
    assert kinds[-1] == "SagaCompleted"
    assert kinds.count("StepStarted") == kinds.count("StepCompleted") == 3


def test_an_observer_that_hangs_harms_nothing(tmp_path: Path) -> None:
    gate = threading.Event()

    class Hanging(Watcher):
        def on_event(self, event: SagaChoreographyEvent) -> None:
            gate.wait(30)

    with running(tmp_path, World(), observers=(Hanging(),)) as system:
        for _ in range(3):
            assert isinstance(system.start_saga(JOURNEY, Trip("Oslo")).result(10), SagaCompleted)
        gate.set()


def test_a_hook_that_raises_is_reported_and_changes_nothing(tmp_path: Path) -> None:
    class Moody(Host):
        def on_saga_completed(self, context: SagaContext) -> None:
            raise ValueError("not in the mood")

    watcher = Watcher()
    with running(tmp_path, World(), host=Moody, observers=(watcher,)) as system:
        assert isinstance(system.start_saga(JOURNEY, Trip("Oslo")).result(10), SagaCompleted)
        notice = watcher.wait_for_notice(NoticeKind.HOOK_RAISED)
        assert "not in the mood" in notice.detail
        assert system.stats()[notice.peer].hooks_raised == 1


def test_a_hook_is_called_after_its_record_is_committed(tmp_path: Path) -> None:
    seen: Future[str] = Future()

    class Curious(Host):
        def on_saga_completed(self, context: SagaContext) -> None:
            seen.set_result(type(self.saga_journal.read(context.saga_id)[-1].event).__name__)

    with running(tmp_path, World(), host=Curious) as system:
        system.start_saga(JOURNEY, Trip("Oslo"))
        assert seen.result(10) == "SagaEnded"


@contextmanager
def parked_in_stay(path: Path) -> Iterator[tuple[SagaSystem, SagaHandle]]:
    world = World(on={"stay": lambda _: StepPending()})
    with running(path, world) as system:
        handle = system.start_saga(JOURNEY, Trip("Oslo"))
        world.wait_for_call("stay")
        yield system, handle


def test_a_saga_whose_records_cannot_be_read_is_reported_and_the_others_go_on(tmp_path: Path) -> None:
    with parked_in_stay(tmp_path) as (system, first):
        second = system.start_saga(JOURNEY, Trip("Rome"))
    damage_one_record(tmp_path, first.saga_id)
    watcher = Watcher()
    with running(tmp_path, World(on={"stay": lambda _: StepPending()}), observers=(watcher,)) as system:
        notice = watcher.wait_for_notice(NoticeKind.RECORD_UNREADABLE)
        assert notice.saga_id == first.saga_id
        assert "kept as they are" in notice.detail
        system.cancel_saga(second.saga_id, "enough")


def test_a_damaged_record_of_the_initiator_harms_no_other_saga(tmp_path: Path) -> None:
    with parked_in_stay(tmp_path) as (system, first):
        second = system.start_saga(JOURNEY, Trip("Rome"))
    damage_one_record(tmp_path, first.saga_id, "system-initiator", b"saga.accepted")
    watcher = Watcher()
    with running(tmp_path, World(on={"stay": lambda _: StepPending()}), observers=(watcher,)) as system:
        notice = watcher.wait_for_notice(NoticeKind.RECORD_UNREADABLE)
        assert notice.saga_id == first.saga_id
        with pytest.raises(StoreDamaged, match=str(first.saga_id)):
            system.handle(first.saga_id)
        assert isinstance(system.start_saga(JOURNEY, Trip("Bonn")), SagaHandle)
        assert system.quarantined() == []
        system.cancel_saga(second.saga_id, "enough")
    assert not [one for one in watcher.notices if one.kind is NoticeKind.ACTOR_RESTARTED]


class BreakingHost(Host):
    """Its store breaks once, in the middle of things."""

    broken = threading.Event()

    def open_saga_store(self, place: StorePlace) -> None:
        super().open_saga_store(place)
        journal = self.saga_journal
        assert isinstance(journal, LmdbJournal)
        real = journal.transaction

        @contextmanager
        def transaction() -> Iterator[None]:
            with real():
                yield
                if not self.broken.is_set():
                    self.broken.set()
                    raise StoreDamaged("host", "input/output error", "reopen it")

        journal.transaction = transaction  # type: ignore[method-assign]  # the fault this test injects


def test_an_actor_whose_store_breaks_is_restarted_on_a_fresh_one_and_goes_on(tmp_path: Path) -> None:
    BreakingHost.broken.clear()
    watcher, world = Watcher(), World()
    with running(tmp_path, world, host=BreakingHost, observers=(watcher,)) as system:
        handle = system.start_saga(JOURNEY, Trip("Oslo"))
        assert isinstance(handle.result(20), SagaCompleted)
        watcher.wait_for_notice(NoticeKind.ACTOR_RESTARTED)
    assert [step for step, _ in world.done] == ["pack", "fly", "stay"]


def damage_one_record(path: Path, saga_id: SagaId, actor: str = "Host", tag: bytes = b"step.triggered") -> None:
    """Flip a bit in a stored record."""
    data = path / "actors" / actor / "0" / "data.mdb"
    raw = bytearray(data.read_bytes())
    at = raw.find(saga_id.bytes)
    assert at >= 0
    found = 0
    while at >= 0:
        value = raw.find(tag, at, at + 200)
        if value >= 0:
            raw[value] ^= 1
            found += 1
        at = raw.find(saga_id.bytes, at + 1)
    assert found
    data.write_bytes(bytes(raw))


class SmallHost(Host):
    """Its journal says that the disk is full, until somebody makes room."""

    room = threading.Event()

    def open_saga_store(self, place: StorePlace) -> None:
        super().open_saga_store(place)
        journal = self.saga_journal
        assert isinstance(journal, LmdbJournal)
        real = journal.transaction

        @contextmanager
        def transaction() -> Iterator[None]:
            with real():
                yield
                if not self.room.is_set():
                    raise StoreFull("host", "the disk is full", "make room")

        journal.transaction = transaction  # type: ignore[method-assign]  # the fault this test injects


def test_a_full_store_pauses_the_actor_and_loses_nothing(tmp_path: Path) -> None:
    SmallHost.room.clear()
    watcher = Watcher()
    world = World()
    with running(tmp_path, world, host=SmallHost, observers=(watcher,)) as system:
        handle = system.start_saga(JOURNEY, Trip("Oslo"))
        watcher.wait_for_notice(NoticeKind.STORE_PAUSED)
        assert handle.outcome() is None
        assert "stay" not in world.calls, "nothing runs before its record is committed"
        SmallHost.room.set()
        assert isinstance(handle.result(20), SagaCompleted)
        watcher.wait_for_notice(NoticeKind.STORE_RESUMED)


def test_a_system_can_be_stopped_while_a_store_is_full_and_goes_on_later(tmp_path: Path) -> None:
    SmallHost.room.clear()
    watcher = Watcher()
    with running(tmp_path, World(), host=SmallHost, observers=(watcher,)) as system:
        handle = system.start_saga(JOURNEY, Trip("Oslo"))
        watcher.wait_for_notice(NoticeKind.STORE_PAUSED)
    SmallHost.room.set()
    with running(tmp_path, World(), host=SmallHost) as system:
        assert isinstance(system.handle(handle.saga_id).result(20), SagaCompleted)


def test_a_stopped_system_refuses_new_work(tmp_path: Path) -> None:
    with running(tmp_path, World()) as system:
        pass
    with pytest.raises(SagaError, match="was stopped"):
        system.start_saga(JOURNEY, Trip("Oslo"))
    system.stop()


def test_duplicates_of_any_event_change_nothing(tmp_path: Path) -> None:
    watcher = Watcher()
    world = World(on={"stay": lambda context: StepPending() if context.attempt == 1 else None})
    with running(tmp_path, world, observers=(watcher,)) as system:
        handle = system.start_saga(JOURNEY, Trip("Oslo"))
        watcher.wait_for_event(StepStarted)
        world.wait_for_call("stay")
        with watcher.changed:
            seen = tuple(watcher.events)
        for actor in (Packer, Pilot, Host):
            for ref in system.refs(actor):
                ref.tell(SagaEvent(Events(seen + seen)))
        system.cancel_saga(handle.saga_id, "over")
        system.stop()
    assert world.calls.count("pack") == world.calls.count("fly") == world.calls.count("stay") == 1


def test_a_step_that_always_raises_is_quarantined_with_its_error(tmp_path: Path) -> None:
    def broken(_: SagaContext) -> None:
        raise KeyError("room")

    world = World(on={"pack": broken})
    with running(tmp_path, world) as system:
        handle = system.start_saga(JOURNEY, Trip("Oslo"))
        (record,) = wait_for_quarantine(system, handle)
        assert "KeyError" in str(record)


def wait_for_quarantine(system: SagaSystem, handle: SagaHandle) -> list[object]:
    assert not isinstance(handle.result(20), SagaCompleted | SagaFailed)
    return list(system.quarantined())
