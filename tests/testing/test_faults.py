"""`FaultPoints`: the right fault happens to the right actor at the right moment, once, and nobody stays blocked."""

import threading
from collections.abc import Callable

import pytest

from saga_choreography import (
    PeerId,
    StoreError,
)
from saga_choreography.testing import (
    FaultInjected,
    FaultPoint,
    FaultPoints,
    FaultSettingError,
    HoldExpired,
    NotReached,
)
from saga_choreography.testing.fault_settings import VARIABLE
from tests.runtime.journey import Pilot

COMMITTED, CALLED = FaultPoint.AFTER_COMMIT, FaultPoint.AFTER_CALL
PILOT, HOST = PeerId("Pilot"), PeerId("Host")


def on_a_thread(call: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    return thread


# -------------------------------------------------------------------- which moment


def test_nothing_happens_until_it_is_set() -> None:
    faults = FaultPoints()
    faults(COMMITTED, PILOT)
    assert faults.not_reached() == ()


def test_a_fault_happens_the_nth_time_and_never_again() -> None:
    faults = FaultPoints()
    faults(COMMITTED, PILOT)  # before it is set: does not count
    faults.fail(COMMITTED, Pilot, nth=2)
    faults(COMMITTED, PILOT)
    with pytest.raises(FaultInjected):
        faults(COMMITTED, PILOT)
    faults(COMMITTED, PILOT)


def test_other_points_and_other_actors_do_not_count() -> None:
    faults = FaultPoints()
    faults.fail(COMMITTED, "Pilot")
    faults(CALLED, PILOT)
    faults(COMMITTED, HOST)
    assert faults.not_reached() == ("after_commit of Pilot (visit 1)",)
    with pytest.raises(FaultInjected):
        faults(COMMITTED, PILOT)
    assert faults.not_reached() == ()


def test_no_actor_means_any_actor() -> None:
    faults = FaultPoints()
    faults.fail(COMMITTED, nth=2)
    faults(COMMITTED, PILOT)
    with pytest.raises(FaultInjected):
        faults(COMMITTED, HOST)


@pytest.mark.parametrize(
    ("actor", "meant"), [(Pilot, ["Pilot", "Pilot-0", "Pilot-12"]), ("Pilot-12", ["Pilot-12"]), ("Pi", []), ("", [])]
)
def test_a_class_means_all_its_shards_and_a_name_may_mean_one(actor: type | str, meant: list[str]) -> None:
    for peer in ("Pilot", "Pilot-0", "Pilot-12", "Pilot-x", "CoPilot", "system"):
        faults = FaultPoints()
        hold = faults.hold(COMMITTED, actor)
        hold.release()
        faults(COMMITTED, PeerId(peer))
        assert (faults.not_reached() == ()) == (peer in meant), peer


def test_visits_are_counted_by_point_and_actor() -> None:
    faults = FaultPoints()
    for peer in ("Pilot-0", "Pilot-1", "Pilot-1", "Host"):
        faults(COMMITTED, PeerId(peer))
    assert faults.reached(COMMITTED) == 4
    assert faults.reached(COMMITTED, Pilot) == 3
    assert faults.reached(COMMITTED, "Pilot-1") == 2
    assert faults.reached(CALLED) == 0


def test_the_number_of_a_visit_begins_with_one() -> None:
    with pytest.raises(ValueError, match="nth is 0"):
        FaultPoints().fail(COMMITTED, nth=0)


def test_every_visit_of_many_threads_is_counted_and_one_of_them_fails() -> None:
    faults = FaultPoints()
    faults.fail(COMMITTED, nth=2500)
    failed = []

    def visit() -> None:
        for _ in range(1000):
            try:
                faults(COMMITTED, PILOT)
            except FaultInjected as error:
                failed.append(error)

    for thread in [on_a_thread(visit) for _ in range(4)]:
        thread.join(30)
    assert faults.reached(COMMITTED) == 4000
    assert len(failed) == 1


def test_an_injected_fault_is_a_store_error_that_names_actor_and_moment() -> None:
    faults = FaultPoints()
    faults.fail(COMMITTED, Pilot)
    with pytest.raises(StoreError, match=r"store Pilot: failed at after_commit of Pilot \(visit 1\)"):
        faults(COMMITTED, PILOT)


# -------------------------------------------------------------------- holds


def test_a_held_thread_goes_on_when_it_is_released() -> None:
    faults = FaultPoints()
    with faults.hold(COMMITTED, Pilot) as hold:
        thread = on_a_thread(lambda: faults(COMMITTED, PILOT))
        assert hold.wait_until_reached() == "Pilot"
        assert hold.is_held()
        assert thread.is_alive()
    thread.join(30)
    assert not thread.is_alive()
    assert not hold.is_held()
    hold.release()


def test_a_hold_and_then_a_failure_may_be_set_for_one_moment() -> None:
    faults = FaultPoints()
    hold = faults.hold(COMMITTED, Pilot)
    faults.fail(COMMITTED, Pilot)
    ended = threading.Event()

    def visit() -> None:
        with pytest.raises(FaultInjected):
            faults(COMMITTED, PILOT)
        ended.set()

    on_a_thread(visit)
    hold.wait_until_reached()
    assert not ended.is_set()
    hold.release()
    assert ended.wait(30)


def test_a_hold_that_was_released_before_stops_nobody() -> None:
    faults = FaultPoints()
    with faults.hold(COMMITTED):
        pass
    faults(COMMITTED, PILOT)


def test_waiting_for_what_nobody_reaches_says_what_was_reached() -> None:
    faults = FaultPoints()
    faults(CALLED, HOST)
    with pytest.raises(NotReached, match=r"after_commit of Pilot \(visit 3\) within 0\.01 s.*after_call of Host \(1\)"):
        faults.hold(COMMITTED, Pilot, nth=3).wait_until_reached(timeout=0.01)


def test_a_hold_that_nobody_releases_ends_the_actor_and_tells_the_test() -> None:
    faults = FaultPoints()
    hold = faults.hold(COMMITTED, Pilot, limit=0.01)
    with pytest.raises(FaultInjected, match=r"nobody released it within 0\.01 s; release every Hold"):
        faults(COMMITTED, PILOT)
    with pytest.raises(HoldExpired, match=r"more than 0\.01 s"):
        hold.wait_until_reached()
    with pytest.raises(HoldExpired):
        hold.release()
    with pytest.raises(HoldExpired), hold:
        pass
    with pytest.raises(KeyError), hold:
        raise KeyError("the error of the test itself is not hidden")


def test_all_holds_can_be_released_at_once() -> None:
    faults = FaultPoints()
    for point in (COMMITTED, CALLED):
        faults.hold(point)
    threads = [on_a_thread(lambda: faults(COMMITTED, PILOT)), on_a_thread(lambda: faults(CALLED, HOST))]
    faults.release_all()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


# -------------------------------------------------------------------- from the environment


def test_without_the_variable_nothing_happens() -> None:
    for environ in ({}, {VARIABLE: ""}, {VARIABLE: "  "}):
        faults = FaultPoints.from_environment(environ)
        for point in FaultPoint:
            faults(point, PILOT)
        assert faults.not_reached() == ()


def test_the_variable_names_actions_points_actors_and_numbers() -> None:
    value = "kill@after_commit@FlightDesk@3; fail@before_call ;fail@recovering@*@2;kill@after_call@Desk-1"
    faults = FaultPoints.from_environment({VARIABLE: value})
    assert faults.not_reached() == (
        "after_commit of FlightDesk (visit 3)",
        "before_call of any actor (visit 1)",
        "recovering of any actor (visit 2)",
        "after_call of Desk-1 (visit 1)",
    )
    with pytest.raises(FaultInjected):
        faults(FaultPoint.BEFORE_CALL, PILOT)


@pytest.mark.parametrize(
    ("part", "why"),
    [
        ("kill", "1 field"),
        ("kill@after_commit@A@1@x", "5 field"),
        ("", "1 field"),
        ("stop@after_commit", "no action 'stop'; there are: kill, fail"),
        ("kill@sometimes", "no fault point 'sometimes'; there are: before_commit, after_commit"),
        ("kill@after_commit@", "the actor is empty"),
        ("kill@after_commit@A@0", "number '0'"),
        ("kill@after_commit@A@-1", "number '-1'"),
        ("kill@after_commit@A@two", "number 'two'"),
        ("kill@after_commit@A@", "number ''"),
        ("kill@after_commit@A@1234567890", "number '1234567890'"),
    ],
)
def test_a_malformed_value_is_refused_with_variable_part_and_remedy(part: str, why: str) -> None:
    with pytest.raises(FaultSettingError) as refused:
        FaultPoints.from_environment({VARIABLE: f"fail@after_commit;{part}"})
    text = str(refused.value)
    assert text.startswith(f"environment variable SAGA_CHOREOGRAPHY_FAULT: {part!r}: ")
    assert why in text
    assert "kill@after_commit@FlightDesk@3" in text
    assert "unset the variable" in text
