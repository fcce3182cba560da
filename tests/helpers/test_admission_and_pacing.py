"""Admission bounds what is in flight; pacing bounds what a crash can put in doubt."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from saga_choreography import SagaBackpressure
from saga_choreography.helpers.admission import Admission
from saga_choreography.helpers.pacing import MOST, Pacing
from saga_choreography.testing import ManualClock
from saga_choreography.types import new_saga_id


def test_without_a_limit_everybody_enters() -> None:
    admission = Admission("i", None)
    for _ in range(100):
        admission.enter(new_saga_id(), 0)
    assert admission.in_flight == 100


def test_a_full_house_turns_away_and_lets_in_who_waits() -> None:
    admission = Admission("i", 1)
    first, second = new_saga_id(), new_saga_id()
    admission.enter(first, 0)
    with pytest.raises(SagaBackpressure, match="initiator 'i' has 1 sagas in flight"):
        admission.enter(second, 0)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(admission.enter, second, 10)
        admission.leave(first)
        waiting.result(10)
    assert admission.in_flight == 1


def test_entering_and_leaving_twice_count_once() -> None:
    admission = Admission("i", 2)
    saga = new_saga_id()
    admission.enter(saga, 0)
    admission.enter(saga, 0)
    admission.recovered([saga])
    assert admission.in_flight == 1
    admission.leave(saga)
    admission.leave(saga)
    assert admission.in_flight == 0


def test_a_limit_below_one_makes_no_sense() -> None:
    with pytest.raises(ValueError, match="max_in_flight is 0"):
        Admission("i", 0)


def run(pacing: Pacing, clock: ManualClock, seconds: float) -> bool:
    started = pacing.start()
    clock.advance(seconds * 1000)
    return pacing.finished(started)


def test_unknown_code_starts_one_at_a_time_and_fast_code_many() -> None:
    clock = ManualClock()
    pacing = Pacing(clock)
    assert pacing.room() == 1
    for _ in range(50):
        run(pacing, clock, 0.000001)
    assert pacing.room() == MOST


def test_slow_code_goes_back_to_one_at_a_time_and_commits_at_once() -> None:
    clock = ManualClock()
    pacing = Pacing(clock)
    for _ in range(50):
        run(pacing, clock, 0.000001)
    assert run(pacing, clock, 1.0) is True
    assert pacing.room() == 1


def test_fast_results_share_a_commit_until_the_budget_is_spent() -> None:
    clock = ManualClock()
    pacing = Pacing(clock)
    assert [run(pacing, clock, 0.002) for _ in range(4)] == [False, False, True, False]
