"""Faults in real systems: wherever an actor ends or the process is killed, the saga ends well."""

from pathlib import Path
from signal import SIGKILL

import pytest

from saga_choreography import NoticeKind, SagaCompleted, SagaFailed, StepCompleted, TerminalStepError
from saga_choreography.testing import SYSTEM, FaultPoint, SagaTestWorld
from tests.runtime.crashing import COMPLETED, FAILED, ledger
from tests.runtime.journey import JOURNEY, Host, Packer, Pilot, Trip, World
from tests.testing.dying import in_a_process

COMMITTED = FaultPoint.AFTER_COMMIT


def start_journey(world: SagaTestWorld, outside: World) -> None:
    for actor in (Packer, Pilot, Host):
        world.start_actor(actor, outside)


def test_what_is_committed_and_not_told_yet_is_told_when_the_actor_is_released() -> None:
    with SagaTestWorld() as world:
        start_journey(world, World())
        with world.faults.hold(COMMITTED, Pilot, nth=2) as hold:  # 1: the attempt, 2: its result
            handle = world.start_saga(JOURNEY, Trip("Oslo"))
            hold.wait_until_reached()
            assert "StepCompleted fly" not in world.transcript()
        world.wait_for_event(StepCompleted, step="fly")
        assert isinstance(world.wait_for_terminal(handle), SagaCompleted)


@pytest.mark.parametrize("fails", ["", "stay"])
@pytest.mark.parametrize("actor", [Pilot, SYSTEM])
@pytest.mark.parametrize("point", FaultPoint, ids=lambda point: point.value)
def test_an_actor_that_ends_anywhere_is_restarted_and_the_saga_ends_well(
    point: FaultPoint, actor: type | str, fails: str
) -> None:
    def refuse(_: object) -> None:
        raise TerminalStepError("full")

    outside = World(on={fails: refuse} if fails else {})
    with SagaTestWorld() as world:
        start_journey(world, outside)
        if point is FaultPoint.RECOVERING:
            world.faults.fail(COMMITTED, actor)
        world.faults.fail(point, actor)
        handle = world.start_saga(JOURNEY, Trip("Oslo"))
        outcome = world.wait_for_terminal(handle)
        assert isinstance(outcome, SagaFailed if fails else SagaCompleted)
        world.wait_until_idle()
        can_be_called = actor is Pilot or point not in (FaultPoint.BEFORE_CALL, FaultPoint.AFTER_CALL)
        assert bool(world.notices(NoticeKind.ACTOR_RESTARTED)) == can_be_called
        for step in {step for step, _ in outside.done}:
            assert len({key for name, key in outside.done if name == step}) == 1
        assert sorted(set(outside.undone_steps())) == (["fly", "pack"] if fails else [])


KILLS = {
    FaultPoint.BEFORE_COMMIT: ["kill@before_commit@Pilot@1"],
    FaultPoint.AFTER_COMMIT: ["kill@after_commit@Pilot@2"],
    FaultPoint.AFTER_PUBLISH: ["kill@after_publish@system@1"],
    FaultPoint.BEFORE_CALL: ["kill@before_call@Pilot"],
    FaultPoint.AFTER_CALL: ["kill@after_call@Pilot"],
    FaultPoint.RECOVERING: ["kill@after_call@Pilot", "kill@recovering@Pilot"],
}


@pytest.mark.parametrize("fails", ["", "stay"])
@pytest.mark.parametrize("point", FaultPoint, ids=lambda point: point.value)
def test_a_process_killed_at_a_fault_point_is_started_again_and_the_saga_ends_well(
    tmp_path: Path, point: FaultPoint, fails: str
) -> None:
    for faults in KILLS[point]:
        assert in_a_process(tmp_path, fails=fails, faults=faults) == -SIGKILL
    assert in_a_process(tmp_path, fails=fails) == (FAILED if fails else COMPLETED)
    effects = ledger(tmp_path)
    assert {what for what, _ in effects} == (
        {"pack", "fly", "undo fly", "undo pack"} if fails else {"pack", "fly", "stay"}
    )
    keys = {what: {key for name, key in effects if name == what} for what, _ in effects}
    assert all(len(of_one) == 1 for of_one in keys.values())
    assert len({key for of_one in keys.values() for key in of_one}) == len(keys)
