"""Initiators that die under load lose no saga, no place, no answer; hooks of theirs that raise change nothing."""

import threading
from concurrent.futures import Future
from pathlib import Path

import pykka
import pytest
from attrs import frozen

from saga_choreography import (
    Durability,
    NoticeKind,
    PeerId,
    SagaBackpressure,
    SagaCompleted,
    SagaEvent,
    SagaFailed,
    SagaHandle,
    SagaId,
    SagaInitiator,
    SagaQuarantined,
    SagaSystem,
    handle_saga_event,
)
from saga_choreography.helpers.fault_points import FaultPoint
from saga_choreography.testing import SagaEventCollector
from saga_choreography.types import new_saga_id
from tests.load.deaths import DEATHS_EACH, RandomDeaths, outcome_in_the_end
from tests.load.postcards import POSTCARDS, WAIT_SECONDS, Greeting, Postman, assert_completed, crowd

MANY = 300
LIMIT = 30


@frozen
class SendOne:
    """Start a saga with this id; again and again if need be."""

    number: int
    saga_id: SagaId
    started: "Future[SagaHandle]"


class Sender(SagaInitiator, pykka.ThreadingActor):
    """Starts sagas on its own thread; both of its hooks raise."""

    def on_receive(self, message: SendOne | SagaEvent) -> None:
        if isinstance(message, SagaEvent):
            handle_saga_event(self, message.event)
            return
        try:
            handle = self.start_saga(POSTCARDS, Greeting(message.number), saga_id=message.saga_id)
        except SagaBackpressure as full:
            message.started.set_exception(full)
        else:
            message.started.set_result(handle)

    def on_saga_outcome(self, outcome: SagaCompleted | SagaFailed | SagaQuarantined, /) -> None:
        raise ValueError("I do not want to know")

    def on_sagas_recovered(self) -> None:
        raise ValueError("nor this")


def send(system: SagaSystem, number: int, saga_id: SagaId) -> SagaHandle:
    """Ask the sender until it says that the saga is started: it may die, or have no place."""
    for _ in range(10_000):
        started: Future[SagaHandle] = Future()
        (ref,) = system.refs(Sender)
        try:
            ref.tell(SendOne(number, saga_id, started))
            return started.result(1)
        except pykka.ActorDeadError:
            system._registry.members_of("Sender")[0].await_successor(ref, WAIT_SECONDS)
        except TimeoutError:
            continue  # it died with the request in its mailbox
        except SagaBackpressure:
            oldest = next(iter(system._seats["Sender"].admission.taken()), None)
            if oldest is not None and oldest != saga_id:
                outcome_in_the_end(system, oldest)
    raise AssertionError(f"saga {number} was never started")


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(2, 12))])
def test_an_actor_that_starts_sagas_dies_under_load_and_every_one_of_them_ends(tmp_path: Path, seed: int) -> None:
    deaths = RandomDeaths(seed, one_in=80, only=PeerId("Sender"))
    seen = SagaEventCollector()
    with SagaSystem(tmp_path, durability=Durability.PROCESS, observers=(seen,), fault_points=deaths) as system:
        system.start_actor(Postman)
        system.start_actor(Sender)
        deaths.arm()
        ids = [new_saga_id() for _ in range(MANY)]
        crowd(lambda number: send(system, number, ids[number]), MANY)
        for saga_id in ids:
            assert isinstance(outcome_in_the_end(system, saga_id), SagaCompleted)
        deaths.wait_for(DEATHS_EACH)
        assert system.stats()[PeerId("Postman")].completed == MANY
    assert seen.notices(NoticeKind.HOOK_RAISED)


def test_handles_and_places_survive_an_initiator_that_dies_right_after_the_outcome_is_committed(
    tmp_path: Path,
) -> None:
    deaths = RandomDeaths(3, one_in=4, only=PeerId("system"), at=FaultPoint.AFTER_COMMIT)
    with SagaSystem(tmp_path, durability=Durability.PROCESS, max_in_flight=LIMIT, fault_points=deaths) as system:
        system.start_actor(Postman)
        deaths.arm()
        handles = crowd(lambda number: system.start_saga(POSTCARDS, Greeting(number), timeout=WAIT_SECONDS), MANY)
        assert_completed(handles)
        deaths.wait_for(DEATHS_EACH)
        assert_no_place_is_taken(system, "system")


def test_a_start_that_dies_before_its_commit_gives_its_place_back(tmp_path: Path) -> None:
    deaths = RandomDeaths(1, one_in=1, only=PeerId("Sender"), at=FaultPoint.BEFORE_COMMIT, each=1)
    seen = SagaEventCollector()
    with SagaSystem(
        tmp_path, durability=Durability.PROCESS, max_in_flight=1, observers=(seen,), fault_points=deaths
    ) as system:
        system.start_actor(Postman)
        (ref,) = system.start_actor(Sender, shards=1)
        deaths.arm()
        ref.tell(SendOne(1, new_saga_id(), Future()))
        seen.wait_for_notice(NoticeKind.ACTOR_RESTARTED, timeout=WAIT_SECONDS)
        started: Future[SagaHandle] = Future()
        system.refs(Sender)[0].tell(SendOne(2, new_saga_id(), started))
        assert_completed([started.result(WAIT_SECONDS)])


def assert_no_place_is_taken(system: SagaSystem, initiator: str) -> None:
    """All places of an initiator are free; the last one is given back a moment after its handle is told."""
    admission = system._seats[initiator].admission
    with admission._released:
        assert admission._released.wait_for(lambda: not admission._in_flight, WAIT_SECONDS), admission.in_flight


def test_a_system_whose_initiator_is_given_up_says_so_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saga_choreography.runtime.member.RESTART_DELAYS", (0.01,))
    seen = SagaEventCollector()
    deaths = RandomDeaths(1, one_in=1, only=PeerId("system"))
    with SagaSystem(tmp_path, durability=Durability.PROCESS, observers=(seen,), fault_points=deaths) as system:
        system.start_actor(Postman)
        deaths.arm()
        told = threading.Event()
        error: Future[BaseException] = Future()

        def start() -> None:
            try:
                system.start_saga(POSTCARDS, Greeting(1))
            except Exception as failure:
                error.set_result(failure)
            told.set()

        threading.Thread(target=start, daemon=True).start()
        seen.wait_for_notice(NoticeKind.ACTOR_GAVE_UP, timeout=WAIT_SECONDS)
        assert told.wait(WAIT_SECONDS)
        assert "has ended for good" in str(error.result(0))
