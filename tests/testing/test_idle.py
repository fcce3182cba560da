"""Idle means idle: nothing is left that goes on by itself."""

import threading
from collections.abc import Iterator
from uuid import UUID

import pykka
import pytest

from saga_choreography import (
    NoticeKind,
    SagaContext,
    SagaEvent,
    SagaId,
    StepOutput,
    StepPending,
    complete_pending,
    handle_saga_event,
)
from saga_choreography.runtime import member
from saga_choreography.runtime.event_stream import Observed
from saga_choreography.runtime.member import Member
from saga_choreography.testing import FaultPoint, NotSeen, SagaTestWorld
from tests.runtime.journey import World
from tests.testing.parcels import (
    DELIVERY,
    RESTLESS,
    Loader,
    Parcel,
    RestlessShipper,
    Shipped,
    Shipper,
    start,
)


def _wait(gate: threading.Event) -> None:
    assert gate.wait(60)


def test_an_idle_world_has_done_all_that_was_asked_of_it() -> None:
    with SagaTestWorld() as world:
        start(world)
        for _ in range(40):
            handle = world.start_saga(DELIVERY, Parcel(1))
            world.wait_until_idle()
            assert world.transcript(handle.saga_id)[-1] == "SagaCompleted"


def test_many_sagas_at_once_have_all_ended_when_the_world_is_idle() -> None:
    with SagaTestWorld() as world:
        start(world)
        for round_number in range(5):
            for grams in range(40):
                world.start_saga(DELIVERY, Parcel(grams))
            world.wait_until_idle()
            assert world.transcript().count("SagaCompleted") == 40 * (round_number + 1)


@pytest.mark.parametrize("point", FaultPoint, ids=lambda point: point.value)
@pytest.mark.parametrize("actor", ["Loader", "Shipper", "system"])
def test_an_idle_world_has_restarted_whoever_died_and_gone_on(point: FaultPoint, actor: str) -> None:
    with SagaTestWorld() as world:
        start(world)
        world.faults.fail(point, actor)
        if point is FaultPoint.RECOVERING:
            world.faults.fail(FaultPoint.AFTER_COMMIT, actor)
        handle = world.start_saga(DELIVERY, Parcel(1))
        world.wait_until_idle()
        assert world.transcript(handle.saga_id)[-1] == "SagaCompleted"
        called = {FaultPoint.BEFORE_CALL, FaultPoint.AFTER_CALL} if actor == "system" else set()
        assert bool(world.faults.not_reached()) == (point in called)


def test_who_is_held_is_not_idle_and_is_named() -> None:
    with SagaTestWorld() as world:
        start(world)
        with world.faults.hold(FaultPoint.AFTER_CALL, Loader) as hold:
            world.start_saga(DELIVERY, Parcel(1))
            hold.wait_until_reached()
            with pytest.raises(NotSeen, match=r"Loader is busy.* held at a fault point.*told was:\n  SagaStarted"):
                world.wait_until_idle(timeout=2)
        world.wait_until_idle()
        assert world.transcript()[-1] == "SagaCompleted"


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Whoever waits for it goes on at the end of the test."""
    gate = threading.Event()
    yield gate
    gate.set()


def test_a_timer_that_is_due_and_was_not_heard_yet_is_waited_for(gate: threading.Event) -> None:
    with SagaTestWorld() as world:
        world.system._timers.arm(0, lambda: _wait(gate))
        with pytest.raises(NotSeen, match="the timer thread is busy"):
            world.wait_until_idle(timeout=1)
        gate.set()
        world.wait_until_idle()


def test_facts_that_were_not_delivered_yet_are_waited_for(gate: threading.Event) -> None:
    with SagaTestWorld() as world:
        start(world)
        world.system._stream.tell(Observed(lambda _: _wait(gate)))
        world.start_saga(DELIVERY, Parcel(1))
        with pytest.raises(NotSeen, match="the event stream is busy"):
            world.wait_until_idle(timeout=2)
        gate.set()
        world.wait_until_idle()
        assert world.transcript()[-1] == "SagaCompleted"


def test_news_that_were_not_seen_yet_are_waited_for(gate: threading.Event, monkeypatch: pytest.MonkeyPatch) -> None:
    with SagaTestWorld() as world:
        start(world)
        monkeypatch.setattr(world._observer, "on_event", lambda _: _wait(gate))
        world.start_saga(DELIVERY, Parcel(1))
        with pytest.raises(NotSeen, match="the observer has not seen all news"):
            world.wait_until_idle(timeout=2)


def test_actors_that_keep_each_other_busy_are_not_idle_though_none_of_them_is_ever_stuck() -> None:
    with SagaTestWorld() as world:
        world.start_actor(Loader, World())
        world.start_actor(RestlessShipper, World())
        world.start_saga(RESTLESS, Parcel(1))
        with pytest.raises(NotSeen, match=r"not idle within 1 s.*\n  \.\.\. \d+ lines\n"):
            world.wait_until_idle(timeout=1)
        world.system.cancel_saga(world.events()[0].saga_id, "enough")


def test_an_actor_that_has_not_joined_yet_is_not_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    with SagaTestWorld() as world:
        with monkeypatch.context() as before_it_joins:
            before_it_joins.setattr(Member, "engines", ())
            with pytest.raises(NotSeen, match="not idle within 1 s"):
                world.wait_until_idle(timeout=1)
        world.wait_until_idle()


def test_actors_that_were_given_up_do_not_keep_a_world_from_being_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(member, "RESTART_DELAYS", (0.0,))
    with SagaTestWorld() as world:
        start(world)
        for death in (1, 2):
            world.faults.fail(FaultPoint.AFTER_CALL, Shipper, nth=death)
        world.start_saga(DELIVERY, Parcel(1))
        world.wait_for_notice(NoticeKind.ACTOR_GAVE_UP)
        world.wait_until_idle()
        assert "StepCompleted ship" not in world.transcript()


class Relay(pykka.ThreadingActor):
    """An actor of the test's own: passes a saga id on, hop by hop, until the shipper gets it."""

    use_daemon_thread = True

    def __init__(self, following: "pykka.ActorRef[Relay] | None" = None) -> None:
        super().__init__()
        self.following = following

    def on_receive(self, message: "tuple[SagaId, pykka.ActorRef[RelayedShipper]]") -> None:
        saga_id, shipper = message
        threading.Event().wait(0.005)  # slow enough for the others to be looked at meanwhile
        if self.following is None:
            shipper.tell(saga_id)
        else:
            self.following.tell(message)


class RelayedShipper(Shipper):
    def __init__(self, world: World, first: "pykka.ActorRef[Relay]") -> None:
        super().__init__(world)
        self.first = first

    def execute_step(self, context: SagaContext, step_input: object) -> StepPending:
        self.first.tell((context.saga_id, self.actor_ref))
        return StepPending()

    def on_receive(self, message: object) -> None:
        if isinstance(message, UUID):
            complete_pending(self, SagaId(message), StepOutput(Shipped("relayed"), None))
        elif isinstance(message, SagaEvent):
            handle_saga_event(self, message.event)


def test_messages_between_the_actors_of_a_test_are_followed() -> None:
    first = Relay.start(Relay.start(Relay.start(Relay.start())))
    try:
        with SagaTestWorld() as world:
            world.start_actor(Loader, World())
            world.start_actor(RelayedShipper, World(), first)
            for _ in range(5):
                handle = world.start_saga(DELIVERY, Parcel(1))
                world.wait_until_idle()
                assert world.transcript(handle.saga_id)[-1] == "SagaCompleted"
    finally:
        for ref in pykka.ActorRegistry.get_by_class(Relay):
            ref.stop(timeout=10)
