"""`max_in_flight` under load: who finds no place waits, is turned away by name, or gets one; no place is ever lost."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from saga_choreography import (
    SagaBackpressure,
    SagaContext,
    SagaError,
    SagaFailed,
    SagaHandle,
    SagaId,
    SagaIdConflict,
    SagaQuarantined,
    SagaSystem,
    StepPending,
    TerminalStepError,
    WorkflowError,
)
from saga_choreography.helpers.admission import Admission
from saga_choreography.types import new_saga_id
from tests.load.postcards import POSTCARDS, WAIT_SECONDS, Greeting, Postman, assert_completed, crowd, post
from tests.load.test_killed_initiators import assert_no_place_is_taken
from tests.runtime.journey import JOURNEY, CancellableHost, Trip, World, running

LIMIT = 25


def pend(_: SagaContext) -> StepPending:
    return StepPending()


def fill(system: SagaSystem) -> list[SagaHandle]:
    """Take all places."""
    return crowd(lambda number: system.start_saga(JOURNEY, Trip(f"town-{number}")), LIMIT)


def assert_exactly_the_limit_fits(system: SagaSystem) -> list[SagaHandle]:
    """All places can be taken, and not one more."""
    handles = fill(system)
    with pytest.raises(SagaBackpressure, match=f"has {LIMIT} sagas in flight") as refused:
        system.start_saga(JOURNEY, Trip("Rome"), timeout=0.3)
    assert (refused.value.limit, refused.value.waited_millis) == (LIMIT, 300)
    return handles


def cancel(system: SagaSystem, handles: list[SagaHandle]) -> None:
    for handle in handles:
        system.cancel_saga(handle.saga_id, "enough")
        assert isinstance(handle.result(WAIT_SECONDS), SagaFailed)


def test_a_start_waits_for_a_place_and_is_turned_away_by_name_when_none_comes_free(tmp_path: Path) -> None:
    with running(tmp_path, World(on={"stay": pend}), host=CancellableHost, max_in_flight=LIMIT) as system:
        handles = assert_exactly_the_limit_fits(system)
        with ThreadPoolExecutor(LIMIT) as pool:
            waiting = [
                pool.submit(system.start_saga, JOURNEY, Trip(f"late-{number}"), timeout=WAIT_SECONDS)
                for number in range(LIMIT)
            ]
            cancel(system, handles)
            late = [start.result(WAIT_SECONDS) for start in waiting]
        assert len({handle.saga_id for handle in late}) == LIMIT
        cancel(system, late)
        assert_no_place_is_taken(system, "system")


def test_places_are_given_back_however_a_saga_ends_and_none_leaks(tmp_path: Path) -> None:
    def mixed(context: SagaContext) -> StepPending | None:
        match context.saga_id.int % 3:
            case 0:
                raise TerminalStepError("fully booked")
            case 1:
                raise ZeroDivisionError("no room left")
            case _:
                return None

    world = World(on={"stay": mixed})
    with running(tmp_path, world, host=CancellableHost, max_in_flight=LIMIT) as system:
        system.start_actor(Postman)
        for round_number in range(3):
            handles = fill(system)
            for handle in handles:
                if isinstance(handle.result(WAIT_SECONDS), SagaQuarantined):
                    # A parked saga is live: it keeps its place until an operator has resolved it.
                    system.resolve(handle.saga_id, "stay", "not_executed", by="me", why=f"round {round_number}")
                handle.wait_until_ended(WAIT_SECONDS)
            assert_no_place_is_taken(system, "system")
        assert_completed(post(system, 8 * LIMIT))
        assert_no_place_is_taken(system, "system")
        world.on["stay"] = pend
        cancel(system, assert_exactly_the_limit_fits(system))


def test_duplicates_conflicts_and_refused_workflows_take_no_place_for_good(tmp_path: Path) -> None:
    with running(tmp_path, World(on={"stay": pend}), host=CancellableHost, max_in_flight=LIMIT) as system:
        first = system.start_saga(JOURNEY, Trip("Oslo"))
        again = crowd(lambda _: system.start_saga(JOURNEY, Trip("Oslo"), saga_id=first.saga_id), 4 * LIMIT)
        assert {handle.saga_id for handle in again} == {first.saga_id}
        for number in range(2 * LIMIT):
            with pytest.raises(SagaIdConflict):
                system.start_saga(JOURNEY, Trip(f"town-{number}"), saga_id=first.saga_id)
            with pytest.raises(WorkflowError):
                system.start_saga(POSTCARDS, Greeting(number))  # served by nobody here
        assert system._seats["system"].admission.in_flight == 1
        cancel(system, [first])
        after_the_end = crowd(lambda _: system.start_saga(JOURNEY, Trip("Oslo"), saga_id=first.saga_id), 4 * LIMIT)
        assert all(isinstance(handle.outcome(), SagaFailed) for handle in after_the_end)
        assert_no_place_is_taken(system, "system")
        cancel(system, assert_exactly_the_limit_fits(system))


def test_one_id_started_by_many_at_once_is_one_saga_in_one_place(tmp_path: Path) -> None:
    with running(tmp_path, World(), max_in_flight=2) as system:
        ids = [new_saga_id() for _ in range(20)]
        handles = crowd(
            lambda number: system.start_saga(
                JOURNEY, Trip(f"town-{number % 20}"), saga_id=ids[number % 20], timeout=WAIT_SECONDS
            ),
            200,
            clients=16,
        )
        assert_completed(handles)
        assert_no_place_is_taken(system, "system")


def test_sagas_of_an_earlier_run_have_their_places_and_give_them_back(tmp_path: Path) -> None:
    world = World(on={"stay": pend})
    with running(tmp_path, world, host=CancellableHost, max_in_flight=LIMIT) as system:
        handles = fill(system)
    with running(tmp_path, world, host=CancellableHost, max_in_flight=LIMIT) as system:
        with pytest.raises(SagaBackpressure, match=f"has {LIMIT} sagas in flight"):
            system.start_saga(JOURNEY, Trip("Rome"), timeout=0)
        cancel(system, [system.handle(handle.saga_id) for handle in handles])
        cancel(system, assert_exactly_the_limit_fits(system))
        assert_no_place_is_taken(system, "system")


def test_who_waits_for_a_place_when_the_system_stops_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(tmp_path, World(on={"stay": pend}), max_in_flight=LIMIT) as system:
        fill(system)
        entering = threading.Semaphore(0)
        enter = Admission.enter

        def enter_and_say_so(admission: Admission, saga_id: SagaId, timeout: float) -> None:
            entering.release()
            enter(admission, saga_id, timeout)

        monkeypatch.setattr(Admission, "enter", enter_and_say_so)
        pool = ThreadPoolExecutor(LIMIT)
        starts = [pool.submit(system.start_saga, JOURNEY, Trip("Rome"), timeout=10_000) for _ in range(LIMIT)]
        for _ in range(LIMIT):
            assert entering.acquire(timeout=WAIT_SECONDS)
        system.stop()
        for start in starts:
            with pytest.raises(SagaError, match="is stopping; nothing was started"):
                start.result(WAIT_SECONDS)
        pool.shutdown()
