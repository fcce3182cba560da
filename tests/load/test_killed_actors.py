"""Actors that die under load, at random moments and again and again, lose nothing and leak nothing."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from saga_choreography import Durability, NoticeKind, PeerId, SagaSystem, StepPending
from saga_choreography.helpers.fault_points import FaultPoint
from saga_choreography.helpers.signals import Attach, SagaEvent
from saga_choreography.runtime import member
from saga_choreography.runtime.connection import tell
from saga_choreography.runtime.event_stream import Ref
from saga_choreography.testing import SagaEventCollector
from tests.crash.diamond import DIAMOND, Join, Ledger, Left, Order, Right, Root, saga_number
from tests.crash.soaking import Story, stories
from tests.crash.soaking import _check as check_story
from tests.load.deaths import DEATHS_EACH, RandomDeaths, Struck, outcome_in_the_end
from tests.load.postcards import WAIT_SECONDS, assert_completed, crowd
from tests.runtime.journey import JOURNEY, Host, Packer, Pilot, Trip, World

SAGAS = 400
CLIENTS = 4


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(2, 22))])
def test_every_actor_dies_five_times_under_load_and_every_saga_ends_as_its_effects_say(
    tmp_path: Path, seed: int
) -> None:
    deaths = RandomDeaths(seed, one_in=60)
    seen = SagaEventCollector()
    with SagaSystem(
        tmp_path / "state", durability=Durability.PROCESS, observers=(seen,), fault_points=deaths
    ) as system:
        ledger = Ledger(tmp_path / "ledger")
        for actor in (Root, Left, Right, Join):
            system.start_actor(actor, ledger)
        deaths.arm()

        def start_some(first: int) -> None:
            for number in range(first, SAGAS, CLIENTS):
                system.start_saga(DIAMOND, Order(number), saga_id=saga_number(number))

        crowd(start_some, CLIENTS, CLIENTS)
        outcomes = {number: outcome_in_the_end(system, saga_number(number)) for number in range(SAGAS)}
        deaths.wait_for(5 * DEATHS_EACH)
        assert not seen.notices(NoticeKind.ACTOR_GAVE_UP)
    told = stories(tmp_path)
    for number, outcome in outcomes.items():
        check_story(number, type(outcome).__name__, told.get(saga_number(number), Story()))
    assert len({type(outcome) for outcome in outcomes.values()}) == 2, "some completed and some were undone"


class AtFirst:
    """At the first time that an actor reaches a point after another point, do something, once; when armed."""

    def __init__(self, peer_id: str, after: FaultPoint, point: FaultPoint) -> None:
        self.peer_id = PeerId(peer_id)
        self.after = after
        self.point = point
        self.armed = threading.Event()
        self.reached = threading.Event()
        self._is_near = False

    def __call__(self, point: FaultPoint, peer_id: PeerId) -> None:
        if peer_id != self.peer_id or not self.armed.is_set() or self.reached.is_set():
            return
        if point is self.point and self._is_near:
            self.reached.set()
            self.act()
        self._is_near = self._is_near or point is self.after

    def act(self) -> None:
        raise Struck(self.peer_id, "struck down while it joins", "recover from the journal")


class Held(AtFirst):
    """Holds the actor there until it may go on."""

    def __init__(self, peer_id: str, after: FaultPoint, point: FaultPoint) -> None:
        super().__init__(peer_id, after, point)
        self.go_on = threading.Event()

    def act(self) -> None:
        assert self.go_on.wait(WAIT_SECONDS)


@pytest.mark.parametrize("peer", ["Pilot", "system"])
def test_an_actor_that_dies_while_it_joins_lets_its_successor_have_its_store(tmp_path: Path, peer: str) -> None:
    joining = AtFirst(peer, FaultPoint.RECOVERING, FaultPoint.AFTER_PUBLISH)
    seen, world = SagaEventCollector(), World(on={"stay": lambda _: StepPending(timeout_millis=500)})
    with SagaSystem(tmp_path, durability=Durability.PROCESS, observers=(seen,), fault_points=joining) as system:
        for each in (Packer, Pilot, Host):
            system.start_actor(each, world)
        handles = crowd(lambda number: system.start_saga(JOURNEY, Trip(f"town-{number}")), 20)
        world.wait_for_call("stay", WAIT_SECONDS)
        world.on.clear()
        joining.armed.set()
        system._registry.members_of(peer)[0].ref.tell("you do not know me")
        seen.wait_for_notice(NoticeKind.ACTOR_RESTARTED, timeout=WAIT_SECONDS)
        assert joining.reached.is_set()
        failed = seen.notices(NoticeKind.STORE_FAILED)
        assert ["struck down while it joins" in notice.detail for notice in failed] == [True]
        assert_completed(handles)


def test_who_asks_while_an_actor_is_being_restarted_gets_the_answer_of_its_successor(tmp_path: Path) -> None:
    held = Held("system", FaultPoint.RECOVERING, FaultPoint.RECOVERING)
    deaths = RandomDeaths(1, one_in=1, only=PeerId("system"), at=FaultPoint.BEFORE_COMMIT, each=1)

    def both(point: FaultPoint, peer_id: PeerId) -> None:
        deaths(point, peer_id)
        held(point, peer_id)

    world = World(on={"stay": lambda _: StepPending()})
    with SagaSystem(tmp_path, durability=Durability.PROCESS, fault_points=both) as system:
        for each in (Packer, Pilot, Host):
            system.start_actor(each, world)
        handles = crowd(lambda number: system.start_saga(JOURNEY, Trip(f"town-{number}")), 5)
        world.wait_for_call("stay", WAIT_SECONDS)
        held.armed.set()
        deaths.arm()
        with ThreadPoolExecutor(3) as pool:
            started = pool.submit(system.start_saga, JOURNEY, Trip("Rome"))  # its commit is the one that is struck
            assert held.reached.wait(WAIT_SECONDS)
            known = pool.submit(system.handle, handles[0].saga_id)
            cancelled = pool.submit(system.cancel_saga, handles[1].saga_id, "enough")
            assert not known.done()
            held.go_on.set()
            assert known.result(WAIT_SECONDS).saga_id == handles[0].saga_id
            cancelled.result(WAIT_SECONDS)
            assert started.result(WAIT_SECONDS).outcome() is None


def test_nobody_can_ask_a_successor_before_it_was_told_to_attach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = SagaEventCollector()
    with SagaSystem(tmp_path, durability=Durability.PROCESS, observers=(seen,)) as system:
        (initiator,) = system._registry.members_of("system")
        known_before: list[bool] = []

        def tell_and_look(ref: Ref, message: object) -> None:
            if isinstance(message, SagaEvent) and isinstance(message.event, Attach):
                known_before.append(initiator.ref is ref)
            tell(ref, message)

        monkeypatch.setattr(member, "tell", tell_and_look)
        initiator.ref.tell("you do not know me")
        seen.wait_for_notice(NoticeKind.ACTOR_RESTARTED, timeout=WAIT_SECONDS)
    assert known_before == [False]
