"""Timers: in order, at once when overdue, indifferent to jumps of the wall clock."""

import threading
from collections.abc import Iterator

import pytest

from saga_choreography.runtime.timers import Timers
from saga_choreography.testing import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def timers(clock: ManualClock) -> Iterator[Timers]:
    timers = Timers(clock)
    timers.start()
    yield timers
    timers.stop()


class Fired:
    """What fired, in order."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._changed = threading.Condition()

    def note(self, name: str) -> None:
        with self._changed:
            self.names.append(name)
            self._changed.notify_all()

    def wait_for(self, count: int) -> list[str]:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.names) >= count, 10), self.names
            return list(self.names)


def test_timers_fire_in_the_order_they_are_due(timers: Timers, clock: ManualClock) -> None:
    fired = Fired()
    timers.arm(clock.now_millis() + 2000, lambda: fired.note("second"))
    timers.arm(clock.now_millis() + 1000, lambda: fired.note("first"))
    clock.advance(3000)
    assert fired.wait_for(2) == ["first", "second"]


def test_an_overdue_timer_fires_at_once(timers: Timers, clock: ManualClock) -> None:
    fired = Fired()
    timers.arm(clock.now_millis() - 5, lambda: fired.note("late"))
    assert fired.wait_for(1) == ["late"]


def test_a_wall_clock_that_jumps_back_does_not_un_expire_a_timer(timers: Timers, clock: ManualClock) -> None:
    fired = Fired()
    timers.arm(clock.now_millis() + 1000, lambda: fired.note("due"))
    clock.jump(-3_600_000)
    clock.advance(1500)
    assert fired.wait_for(1) == ["due"]


def test_a_wall_clock_that_jumps_forward_fires_nothing_early(timers: Timers, clock: ManualClock) -> None:
    fired = Fired()
    timers.arm(clock.now_millis() + 60_000, lambda: fired.note("early"))
    clock.jump(3_600_000)
    timers.arm(clock.now_millis() - 1, lambda: fired.note("marker"))
    assert fired.wait_for(1) == ["marker"]


def test_a_stopped_timer_thread_forgets_everything(clock: ManualClock) -> None:
    timers = Timers(clock)
    timers.start()
    fired = Fired()
    timers.arm(clock.now_millis() + 1000, lambda: fired.note("never"))
    timers.stop()
    clock.advance(5000)
    assert fired.names == []
