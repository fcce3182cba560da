"""`SagaTestWorld`: how it starts and ends, restarts, kills, waits, and says what it waited for in vain."""

from pathlib import Path

import pykka
import pytest

from saga_choreography import (
    NoticeKind,
    SagaBackpressure,
    SagaCompleted,
    SagaContext,
    SagaFailed,
    SagaId,
    SagaStarted,
    StepCompleted,
    StepPending,
    StepStarted,
    StoreLocked,
    TerminalCompensationError,
    TerminalStepError,
)
from saga_choreography.testing import SYSTEM, FaultPoint, FaultPoints, ManualClock, NotSeen, SagaTestWorld
from saga_choreography.types import new_saga_id
from tests.runtime.journey import World
from tests.testing.parcels import (
    DELIVERY,
    LOAD,
    RETRY_MILLIS,
    SHIP,
    Loaded,
    Loader,
    Parcel,
    Shipped,
    Shipper,
    fails_once,
    start,
)


def later(_: SagaContext) -> StepPending:
    return StepPending()


def refuse(_: SagaContext) -> None:
    raise TerminalStepError("no truck")


# -------------------------------------------------------------------- how it starts and ends


def test_without_a_directory_it_uses_one_that_is_gone_afterwards() -> None:
    with SagaTestWorld() as world:
        assert world._temporary is not None
        path = Path(world._temporary.name)
        assert (path / "state" / "manifest.json").is_file()
    assert not path.exists()


def test_a_given_directory_stays_and_another_world_goes_on_there(tmp_path: Path) -> None:
    with SagaTestWorld(tmp_path) as world:
        start(world)
        saga_id = world.start_saga(DELIVERY, Parcel(1)).saga_id
        world.wait_for_terminal(saga_id)
    with SagaTestWorld(tmp_path) as world:
        assert isinstance(world.wait_for_terminal(saga_id), SagaCompleted)
        assert world.transcript() == []


def test_outside_of_its_with_block_it_says_how_it_is_used() -> None:
    world = SagaTestWorld()
    with pytest.raises(RuntimeError, match="with SagaTestWorld"):
        world.start_saga(DELIVERY, Parcel(1))
    with world:
        pass
    with pytest.raises(RuntimeError, match="with SagaTestWorld"):
        world.restart()


def test_in_real_time_there_is_no_clock_to_move() -> None:
    with SagaTestWorld() as world:
        with pytest.raises(RuntimeError, match="clock=ManualClock"):
            _ = world.clock
        with pytest.raises(RuntimeError, match="clock=ManualClock"):
            world.advance(1)


def test_a_directory_that_is_in_use_is_refused_and_nothing_is_left_behind(tmp_path: Path) -> None:
    with SagaTestWorld(tmp_path), pytest.raises(StoreLocked), SagaTestWorld(tmp_path):
        pass


def test_faults_that_were_set_before_it_started_are_its_own() -> None:
    faults = FaultPoints.from_environment({"SAGA_CHOREOGRAPHY_FAULT": "fail@after_call@Shipper"})
    with SagaTestWorld(faults=faults) as world:
        start(world)
        assert isinstance(world.wait_for_terminal(world.start_saga(DELIVERY, Parcel(1))), SagaCompleted)
        assert world.faults is faults
        assert faults.not_reached() == ()


def test_the_options_of_the_system_reach_it() -> None:
    with SagaTestWorld(max_in_flight=1, workflows=(DELIVERY,)) as world:
        start(world, ship=later)
        world.start_saga(DELIVERY, Parcel(1))
        with pytest.raises(SagaBackpressure):
            world.system.start_saga(DELIVERY, Parcel(2), timeout=0.01)


# -------------------------------------------------------------------- what was told


def test_a_saga_ends_and_its_transcript_reads_as_its_steps() -> None:
    with SagaTestWorld() as world:
        start(world)
        handle = world.start_saga(DELIVERY, Parcel(1))
        assert isinstance(world.wait_for_terminal(handle), SagaCompleted)
        assert handle.output_of(SHIP) == Shipped("from bay 1")
        world.wait_until_idle()
        assert world.transcript(handle.saga_id)[0] == "SagaStarted"
        completed = [line for line in world.transcript() if line.startswith("StepCompleted")]
        assert completed == ["StepCompleted load", "StepCompleted ship"]
        assert len(world.events()) == len(world.transcript())


def test_an_event_is_found_by_kind_step_saga_and_condition() -> None:
    with SagaTestWorld() as world:
        start(world)
        first, second = (world.start_saga(DELIVERY, Parcel(grams)) for grams in (1, 2))
        fact = world.wait_for_event(StepCompleted, saga_id=second.saga_id, step="ship")
        assert (fact.saga_id, fact.step_name) == (second.saga_id, "ship")
        fact = world.wait_for_event(StepCompleted, where=lambda event: event.saga_id == first.saga_id)
        assert fact.step_name == "load"


def test_a_parked_saga_is_waited_for_and_ends_after_the_word_of_an_operator() -> None:
    def stuck(_: SagaContext) -> None:
        raise TerminalCompensationError("the bay is locked")

    with SagaTestWorld() as world:
        start(world, ship=refuse, **{"undo load": stuck})
        handle = world.start_saga(DELIVERY, Parcel(1))
        assert [step.step_name for step in world.wait_for_quarantine(handle).steps] == ["load"]
        with pytest.raises(NotSeen, match="SagaQuarantined"):
            world.wait_for_terminal(handle, timeout=0.01)
        world.system.resolve(handle.saga_id, "load", "undone", by="anna", why="unloaded by hand")
        assert isinstance(world.wait_for_terminal(handle), SagaFailed)
        with pytest.raises(NotSeen, match="SagaQuarantined of saga"):
            world.wait_for_quarantine(handle, timeout=0.01)


def test_what_was_waited_for_in_vain_is_named_with_the_transcript() -> None:
    with SagaTestWorld() as world:
        start(world, ship=later)
        handle = world.start_saga(DELIVERY, Parcel(1))
        world.wait_for_event(StepStarted, step="ship")
        with pytest.raises(NotSeen, match=r"the outcome of saga .* told was:\n  SagaStarted\n"):
            world.wait_for_terminal(handle, timeout=0.01)
        with pytest.raises(NotSeen, match=r"StepCompleted ship was not told within 0\.01 s"):
            world.wait_for_event(StepCompleted, step="ship", timeout=0.01)
        with pytest.raises(NotSeen, match="ACTOR_GAVE_UP"):
            world.wait_for_notice(NoticeKind.ACTOR_GAVE_UP, timeout=0.01)
        with pytest.raises(NotSeen, match="nothing"):
            world.wait_for_terminal(new_saga_id(), timeout=0.01)


# -------------------------------------------------------------------- restarts and deaths


def test_after_a_restart_the_saga_goes_on_and_so_does_the_transcript() -> None:
    with SagaTestWorld(clock=ManualClock()) as world:
        outside = start(world, ship=fails_once)
        handle = world.start_saga(DELIVERY, Parcel(1))
        world.wait_until_idle()
        before, told = world.system, world.transcript()
        world.restart()
        assert world.system is not before
        world.advance(RETRY_MILLIS)
        assert isinstance(world.wait_for_terminal(handle), SagaCompleted)
        assert world.transcript()[: len(told)] == told
        assert [step for step, _ in outside.done] == ["load", "ship"]


def test_a_restart_gives_every_actor_its_arguments_and_shards_again() -> None:
    with SagaTestWorld() as world:
        outside = World()
        refs: list[pykka.ActorRef[Loader]] = world.start_actor(Loader, outside, shards=2, bay=7)
        ref: pykka.ActorRef[Shipper] = world.start_actor(Shipper, outside)
        world.restart()
        assert not any(old.is_alive() for old in refs)
        assert not ref.is_alive()
        assert len(world.system.refs(Loader)) == 2
        handle = world.start_saga(DELIVERY, Parcel(1))
        world.wait_for_terminal(handle)
        assert world.system.handle(handle.saga_id).output_of(LOAD) == Loaded(7)


def test_a_restart_releases_an_actor_that_is_held() -> None:
    with SagaTestWorld() as world:
        start(world)
        hold = world.faults.hold(FaultPoint.AFTER_COMMIT, Shipper)
        handle = world.start_saga(DELIVERY, Parcel(1))
        hold.wait_until_reached()
        world.restart()
        assert isinstance(world.wait_for_terminal(handle), SagaCompleted)


def test_a_killed_actor_has_recovered_when_the_test_goes_on() -> None:
    with SagaTestWorld(clock=ManualClock()) as world:
        start(world, ship=fails_once)
        handle = world.start_saga(DELIVERY, Parcel(1))
        world.wait_until_idle()
        (ref,) = world.system.refs(Shipper)
        world.kill_actor(Shipper)
        assert not ref.is_alive()
        assert world.system.refs(Shipper)[0].is_alive()
        world.advance(RETRY_MILLIS)
        assert isinstance(world.wait_for_terminal(handle), SagaCompleted)


def test_all_shards_and_the_systems_own_initiator_can_be_killed() -> None:
    with SagaTestWorld() as world:
        world.start_actor(Loader, World(), shards=2)
        world.kill_actor("Loader")
        world.kill_actor(SYSTEM)
        assert sorted(notice.peer for notice in world.notices(NoticeKind.ACTOR_RESTARTED)) == [
            "Loader-0",
            "Loader-1",
            "system",
        ]


def test_an_actor_that_was_not_started_cannot_be_killed() -> None:
    with SagaTestWorld() as world, pytest.raises(ValueError, match="no actor 'Shipper' was started"):
        world.kill_actor(Shipper)


def test_an_outcome_that_nobody_could_be_told_is_found_in_the_journal() -> None:
    with SagaTestWorld() as world:
        start(world)
        world.faults.fail(FaultPoint.AFTER_COMMIT, SYSTEM, nth=2)  # 1: the start, 2: the outcome
        handle = world.start_saga(DELIVERY, Parcel(1))
        assert isinstance(world.wait_for_terminal(handle), SagaCompleted)
        assert world.faults.not_reached() == ()


def test_deaths_are_forgiven_after_a_minute_of_virtual_time() -> None:
    with SagaTestWorld(clock=ManualClock()) as world:
        start(world)
        world.kill_actor(Loader)
        world.kill_actor(Loader)
        world.advance(60_000)
        world.kill_actor(Loader)
        deaths = [notice.detail.partition(", ")[2] for notice in world.notices(NoticeKind.ACTOR_RESTARTED)]
        assert deaths == ["death 1 in a row", "death 2 in a row", "death 1 in a row"]


# -------------------------------------------------------------------- typed


def test_what_comes_back_is_typed() -> None:
    with SagaTestWorld() as world:
        start(world)
        saga_id: SagaId = world.start_saga(DELIVERY, Parcel(1)).saga_id
        started: SagaStarted = world.wait_for_event(SagaStarted)
        outcome: SagaCompleted | SagaFailed = world.wait_for_terminal(saga_id)
        assert started.saga_id == outcome.saga_id
