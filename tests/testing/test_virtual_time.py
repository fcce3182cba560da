"""Virtual time: hours pass at once, and nothing happens early."""

from saga_choreography import (
    SagaCompleted,
    SagaContext,
    SagaFailed,
    StepPending,
    StepStarted,
)
from saga_choreography.testing import ManualClock, SagaTestWorld
from tests.testing.parcels import DELIVERY, RETRY_MILLIS, Parcel, fails_once, start, workflow

HOUR = 3_600_000


def never_ends(_: SagaContext) -> StepPending:
    return StepPending()


def attempts(world: SagaTestWorld, step: str) -> int:
    return sum(isinstance(event, StepStarted) and event.step_name == step for event in world.events())


def test_a_retry_after_thirty_seconds_comes_when_they_have_passed_and_not_before() -> None:
    with SagaTestWorld(clock=ManualClock()) as world:
        start(world, ship=fails_once)
        handle = world.start_saga(DELIVERY, Parcel(1))
        world.advance(RETRY_MILLIS - 1)
        assert attempts(world, "ship") == 1
        world.advance(1)
        assert attempts(world, "ship") == 2
        assert isinstance(world.wait_for_terminal(handle), SagaCompleted)


def test_a_timer_is_armed_when_the_world_is_idle_so_the_clock_may_be_moved_by_hand() -> None:
    with SagaTestWorld(clock=ManualClock()) as world:
        start(world, ship=fails_once)
        handle = world.start_saga(DELIVERY, Parcel(1))
        world.wait_until_idle()
        world.clock.advance(RETRY_MILLIS)
        assert isinstance(world.wait_for_terminal(handle), SagaCompleted)


def test_a_retry_survives_a_restart_and_its_delay_goes_on() -> None:
    with SagaTestWorld(clock=ManualClock()) as world:
        start(world, ship=fails_once)
        handle = world.start_saga(DELIVERY, Parcel(1))
        world.advance(RETRY_MILLIS - 1000)
        world.restart()
        world.advance(999)
        assert attempts(world, "ship") == 1
        world.advance(1)
        assert isinstance(world.wait_for_terminal(handle), SagaCompleted)


def test_a_pending_step_whose_time_is_up_is_run_again_under_its_key() -> None:
    def late_once(context: SagaContext) -> StepPending | None:
        return StepPending(timeout_millis=60_000) if context.attempt == 1 else None

    with SagaTestWorld(clock=ManualClock()) as world:
        outside = start(world, ship=late_once)
        handle = world.start_saga(DELIVERY, Parcel(1))
        world.advance(59_999)
        assert attempts(world, "ship") == 1
        world.advance(1)
        while attempts(world, "ship") == 1:  # it is in doubt now, and tried again after the delay of its policy
            world.advance(RETRY_MILLIS)
        assert isinstance(world.wait_for_terminal(handle), SagaCompleted)
        assert len({key for step, key in outside.done if step == "ship"}) == 1


def test_a_saga_is_undone_when_its_hour_is_over_and_not_before() -> None:
    with SagaTestWorld(clock=ManualClock()) as world:
        outside = start(world, ship=never_ends)
        handle = world.start_saga(workflow(overall=HOUR), Parcel(1))
        world.advance(HOUR - 1)
        assert handle.outcome() is None
        world.advance(1)
        outcome = handle.outcome()
        assert isinstance(outcome, SagaFailed)
        assert "ship" in outcome.reason
        assert outside.undone_steps() == ["load"]


def test_a_saga_is_undone_when_it_made_no_progress_for_ten_minutes() -> None:
    with SagaTestWorld(clock=ManualClock()) as world:
        outside = start(world, load=fails_once, ship=never_ends)
        handle = world.start_saga(workflow(stalled=600_000), Parcel(1))
        world.advance(RETRY_MILLIS)  # load completes: progress
        world.advance(599_999)
        assert handle.outcome() is None
        world.advance(1)
        assert isinstance(handle.outcome(), SagaFailed)
        assert outside.undone_steps() == ["load"]


def test_deadlines_survive_a_restart() -> None:
    with SagaTestWorld(clock=ManualClock()) as world:
        start(world, ship=never_ends)
        handle = world.start_saga(workflow(overall=HOUR), Parcel(1))
        world.advance(HOUR - 1000)
        world.restart()
        world.advance(1000)
        assert isinstance(world.wait_for_terminal(handle), SagaFailed)


def test_a_wall_clock_set_back_by_an_hour_delays_no_retry() -> None:
    with SagaTestWorld(clock=ManualClock()) as world:
        start(world, ship=fails_once)
        handle = world.start_saga(DELIVERY, Parcel(1))
        world.wait_until_idle()
        world.clock.jump(-HOUR)
        world.advance(RETRY_MILLIS)
        assert isinstance(world.wait_for_terminal(handle), SagaCompleted)


def test_a_wall_clock_far_before_its_epoch_changes_nothing() -> None:
    with SagaTestWorld(clock=ManualClock(0)) as world:
        start(world, ship=fails_once)
        world.clock.jump(-HOUR)
        handle = world.start_saga(DELIVERY, Parcel(1))
        world.advance(RETRY_MILLIS)
        assert isinstance(world.wait_for_terminal(handle), SagaCompleted)


def test_a_wall_clock_set_forward_by_an_hour_hastens_no_retry_and_no_deadline() -> None:
    with SagaTestWorld(clock=ManualClock()) as world:
        start(world, ship=fails_once)
        handle = world.start_saga(workflow(overall=HOUR), Parcel(1))
        world.wait_until_idle()
        world.clock.jump(HOUR)
        world.wait_until_idle()
        assert attempts(world, "ship") == 1
        assert handle.outcome() is None
        world.advance(RETRY_MILLIS)
        assert isinstance(world.wait_for_terminal(handle), SagaCompleted)
