"""Observers that raise or hang while hundreds of sagas run: memory stays bounded, and what was missed is said."""

import logging
import threading
import tracemalloc
from pathlib import Path

import pytest

from saga_choreography import NoticeKind, PeerId, SagaChoreographyEvent, SagaCompleted, SagaNotice
from saga_choreography.runtime import observers
from saga_choreography.runtime.observers import ObserverThread
from saga_choreography.testing import SagaEventCollector
from saga_choreography.types import SagaOrigin, new_saga_id
from tests.load.postcards import WAIT_SECONDS, Postman, assert_completed, post
from tests.runtime.journey import JOURNEY, Host, Trip, World, running

MANY = 200


class Hanging:
    """Never returns from the first thing it is told; remembers what it is told afterwards."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.entered = threading.Event()
        self.notices: list[SagaNotice] = []
        self.events: list[SagaChoreographyEvent] = []

    def on_event(self, event: SagaChoreographyEvent) -> None:
        self.entered.set()
        assert self.gate.wait(2 * WAIT_SECONDS)
        self.events.append(event)

    def on_notice(self, notice: SagaNotice) -> None:
        self.entered.set()
        assert self.gate.wait(2 * WAIT_SECONDS)
        self.notices.append(notice)


class Raising:
    """Raises whatever it was made with; SystemExit is what a library may raise that thinks it owns the program."""

    def __init__(self, error: type[BaseException]) -> None:
        self.error = error
        self.told = 0
        self.changed = threading.Condition()

    def on_event(self, event: SagaChoreographyEvent) -> None:
        self._told()

    def on_notice(self, notice: SagaNotice) -> None:
        self._told()

    def _told(self) -> None:
        with self.changed:
            self.told += 1
            self.changed.notify_all()
        raise self.error("I am no good observer")


@pytest.mark.parametrize("error", [RuntimeError, SystemExit])
def test_an_observer_that_always_raises_is_told_everything_and_harms_nobody(
    tmp_path: Path, error: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, logger="saga_choreography")  # hundreds of tracebacks help nobody
    bad, good = Raising(error), SagaEventCollector()
    with running(tmp_path, World(), observers=(bad, good)) as system:
        system.start_actor(Postman)
        handles = post(system, MANY)
        assert_completed(handles)
        for handle in handles:
            good.wait_for_outcome(handle.saga_id, timeout=WAIT_SECONDS)
        with bad.changed:
            assert bad.changed.wait_for(lambda: bad.told >= len(good.events()), WAIT_SECONDS)


def test_an_observer_that_hangs_keeps_a_bounded_queue_and_what_it_missed_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(observers, "QUEUE_LIMIT", 50)
    hanging = Hanging()
    try:
        with running(tmp_path, World(), observers=(hanging,)) as system:
            system.start_actor(Postman)
            assert_completed(post(system, MANY))
            (thread,) = system._observers
            assert hanging.entered.wait(WAIT_SECONDS)
            assert len(thread._queue) <= 50
            assert thread.dropped > MANY
    finally:
        hanging.gate.set()
    assert f"observer Hanging was too slow and missed {thread.dropped} events" in caplog.text


def test_a_notice_that_a_hanging_observer_misses_is_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Notices wait in the same queue as facts and may be dropped with them; the log has all of them."""
    monkeypatch.setattr(observers, "QUEUE_LIMIT", 50)
    hanging, good = Hanging(), SagaEventCollector()
    try:
        with running(tmp_path, World(), observers=(hanging, good)) as system:
            system.start_actor(Postman)
            (ref,) = system.refs(Host)
            journey = system.start_saga(JOURNEY, Trip("Oslo"))
            assert_completed([journey])
            assert hanging.entered.wait(WAIT_SECONDS)
            ref.tell("you do not know me")
            good.wait_for_notice(NoticeKind.ACTOR_RESTARTED, timeout=WAIT_SECONDS)
            assert_completed(post(system, MANY))
    finally:
        hanging.gate.set()
    assert "Host: actor_restarted: restarted after" in caplog.text


def test_the_newest_news_survive_a_flood(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observers, "QUEUE_LIMIT", 50)
    hanging = Hanging()
    thread = ObserverThread(hanging)
    try:
        flood(thread, 1_000)
        assert hanging.entered.wait(WAIT_SECONDS)
        thread.tell([SagaNotice(kind=NoticeKind.ACTOR_GAVE_UP, peer=PeerId("host"), detail="the last")])
    finally:
        hanging.gate.set()
    thread.stop(WAIT_SECONDS)
    assert [notice.detail for notice in hanging.notices] == ["the last"]
    assert thread.dropped + len(hanging.events) == 1_000


def test_a_hanging_observer_costs_no_more_memory_than_its_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observers, "QUEUE_LIMIT", 1_000)
    hanging = Hanging()
    thread = ObserverThread(hanging)
    try:
        flood(thread, 2_000)
        tracemalloc.start()
        flood(thread, 2_000)
        full, _ = tracemalloc.get_traced_memory()
        flood(thread, 20_000)
        after, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    finally:
        hanging.gate.set()
    assert after < 2 * full, f"{full} bytes became {after} while the queue was full all the time"
    thread.stop(WAIT_SECONDS)


def flood(thread: ObserverThread, count: int) -> None:
    """Tell an observer many facts, each made on its own."""
    for number in range(count):
        origin = SagaOrigin(saga_id=new_saga_id(), initiator=PeerId("me"), started_at_millis=number, plan=JOURNEY.plan)
        thread.tell([SagaCompleted(origin=origin, at_millis=number)])
