"""`ManualClock`: two clocks that a test moves, together or the wall clock alone."""

import random
import threading

import pytest

from saga_choreography.runtime.timers import Timers
from saga_choreography.testing import ManualClock


def test_time_passes_on_both_clocks() -> None:
    clock = ManualClock(5_000)
    clock.advance(1_500)
    assert clock.now_millis() == 6_500
    assert clock.monotonic_seconds() == pytest.approx(1.5)


def test_fractions_of_a_millisecond_add_up() -> None:
    clock = ManualClock(0)
    clock.advance(0.5)
    assert clock.now_millis() == 0
    clock.advance(0.5)
    assert clock.now_millis() == 1


def test_a_jump_moves_the_wall_clock_alone() -> None:
    clock = ManualClock(5_000)
    clock.jump(-10_000)
    assert clock.now_millis() == -5_000
    clock.jump(60_000)
    assert clock.now_millis() == 55_000
    assert clock.monotonic_seconds() == 0


def test_time_does_not_pass_backwards() -> None:
    clock = ManualClock()
    with pytest.raises(ValueError, match=r"jump\(-5\) moves the wall clock alone"):
        clock.advance(-5)
    assert clock.monotonic_seconds() == 0


def test_whoever_listens_is_told_of_every_move_when_it_has_happened() -> None:
    clock = ManualClock(0)
    seen: list[tuple[int, float]] = []
    clock.on_moved(lambda: seen.append((clock.now_millis(), round(clock.monotonic_seconds(), 6))))
    clock.advance(1000)
    clock.jump(-500)
    assert seen == [(1000, 1.0), (500, 1.0)]


def test_time_advanced_by_exactly_a_delay_never_falls_short_of_it() -> None:
    chance = random.Random(7)
    clock = ManualClock()
    for _ in range(20_000):
        parts = [chance.randint(0, 100_000) for _ in range(chance.randint(1, 3))]
        due = clock.monotonic_seconds() + sum(parts) / 1000
        for part in parts:
            clock.advance(part)
        assert clock.monotonic_seconds() >= due
        assert clock.monotonic_seconds() < due + 1e-6


def test_a_timer_fires_when_exactly_its_delay_has_passed_whatever_passed_before() -> None:
    clock = ManualClock()
    timers = Timers(clock)
    timers.start()
    try:
        for delay in range(1, 200):
            fired = threading.Event()
            timers.arm(clock.now_millis() + delay, fired.set)
            clock.advance(delay)
            assert fired.wait(30), f"a timer of {delay} ms at {clock.monotonic_seconds()} s"
    finally:
        timers.stop()


def test_moves_of_several_threads_are_all_counted() -> None:
    clock = ManualClock(0)

    def move() -> None:
        for _ in range(1000):
            clock.advance(1)

    movers = [threading.Thread(target=move) for _ in range(4)]
    for mover in movers:
        mover.start()
    for mover in movers:
        mover.join(30)
    assert clock.now_millis() == 4000
    assert clock.monotonic_seconds() == pytest.approx(4.0)
