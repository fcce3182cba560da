"""Whole sagas through real actors and real stores: every way they end."""

from pathlib import Path

import pytest

from saga_choreography import (
    AmbiguousCompensationError,
    AmbiguousStepError,
    FailureKind,
    RetryableStepError,
    SafeToRetryCompensationError,
    SagaCompleted,
    SagaContext,
    SagaFailed,
    SagaQuarantined,
    StepOutput,
    StepPending,
    TerminalCompensationError,
    TerminalStepError,
)
from tests.runtime.journey import (
    FLY,
    JOURNEY,
    STAY,
    CancellableHost,
    CarefulHost,
    Flight,
    ProbingHost,
    Stay,
    Trip,
    World,
    running,
    workflow,
)

CAREFUL = workflow(stay=CarefulHost.step)


def refuse(_: SagaContext) -> None:
    raise TerminalStepError("no room")


def test_a_saga_whose_steps_all_succeed_completes_without_any_retelling(tmp_path: Path) -> None:
    world = World()
    with running(tmp_path, world) as system:
        handle = system.start_saga(JOURNEY, Trip("Oslo"))
        assert isinstance(handle.result(10), SagaCompleted)
        assert handle.output_of(FLY) == Flight("Oslo-2")
        assert handle.output_of(STAY) == Stay(7)
        stats = system.stats()
    assert [step for step, _ in world.done] == ["pack", "fly", "stay"]
    assert world.undone == []
    assert all(one.facts_retold == 0 and one.anomalies == 0 for one in stats.values())


def test_a_failing_step_undoes_the_others_in_reverse_dependency_order(tmp_path: Path) -> None:
    world = World(on={"stay": refuse})
    with running(tmp_path, world) as system:
        outcome = system.start_saga(JOURNEY, Trip("Oslo")).result(10)
        stats = system.stats()
    assert isinstance(outcome, SagaFailed)
    assert outcome.cause.kind is FailureKind.STEP_FAILED
    assert outcome.cause.steps == ("stay",)
    assert "no room" in outcome.reason
    assert world.undone_steps() == ["fly", "pack"]
    assert all(one.facts_retold == 0 for one in stats.values())


def test_every_attempt_has_the_same_key_and_the_undo_one_other(tmp_path: Path) -> None:
    keys: list[str] = []

    def flaky(context: SagaContext) -> None:
        keys.append(context.idempotency_key)
        if context.attempt < 3:
            raise RetryableStepError("later")

    world = World(on={"fly": flaky, "stay": refuse})
    with running(tmp_path, world) as system:
        assert isinstance(system.start_saga(JOURNEY, Trip("Oslo")).result(10), SagaFailed)
    assert len(keys) == 3
    assert len(set(keys)) == 1
    undo_key = dict(world.undone)["fly"]
    assert undo_key != keys[0]


def test_a_step_that_stays_retryable_fails_without_effect(tmp_path: Path) -> None:
    def never(_: SagaContext) -> None:
        raise RetryableStepError("not today")

    world = World(on={"fly": never})
    with running(tmp_path, world) as system:
        outcome = system.start_saga(JOURNEY, Trip("Oslo")).result(10)
    assert isinstance(outcome, SagaFailed)
    assert world.calls.count("fly") == 3
    assert world.undone_steps() == ["pack"]


def test_an_undo_that_fails_for_now_is_tried_again(tmp_path: Path) -> None:
    tries: list[int] = []

    def grudging(context: SagaContext) -> None:
        tries.append(context.attempt)
        if context.attempt == 1:
            raise SafeToRetryCompensationError("busy")

    world = World(on={"stay": refuse, "undo fly": grudging})
    with running(tmp_path, world) as system:
        assert isinstance(system.start_saga(JOURNEY, Trip("Oslo")).result(10), SagaFailed)
    assert tries == [1, 2]
    assert world.undone_steps() == ["fly", "pack"]


@pytest.mark.parametrize("error", [AmbiguousCompensationError, TerminalCompensationError])
def test_an_undo_nobody_can_vouch_for_is_quarantined_until_an_operator_resolves_it(
    tmp_path: Path, error: type[Exception]
) -> None:
    def broken(_: SagaContext) -> None:
        raise error("who knows")

    world = World(on={"stay": refuse, "undo fly": broken})
    with running(tmp_path, world) as system:
        handle = system.start_saga(JOURNEY, Trip("Oslo"))
        parked = handle.result(10)
        assert isinstance(parked, SagaQuarantined)
        assert [step.step_name for step in parked.steps] == ["fly"]
        with pytest.raises(TimeoutError, match="parked for an operator"):
            handle.wait_until_ended(0)
        (record,) = system.quarantined()
        assert record.while_compensating
        assert record.output == Flight("Oslo-2")
        assert "who knows" in str(record.error)
        assert world.undone_steps() == [], "what the quarantined step depends on waits for the operator"
        system.resolve(handle.saga_id, "fly", "undone", by="ann", why="cancelled by phone")
        assert isinstance(handle.wait_until_ended(10), SagaFailed)
        assert world.undone_steps() == ["pack"]
        assert system.quarantined() == []


def test_a_forward_step_in_doubt_is_quarantined_and_completes_on_the_operators_word(tmp_path: Path) -> None:
    def vague(_: SagaContext) -> None:
        raise AmbiguousStepError("the line dropped")

    world = World(on={"stay": vague})
    with running(tmp_path, world, host=CarefulHost) as system:
        handle = system.start_saga(CAREFUL, Trip("Oslo"))
        assert isinstance(handle.result(10), SagaQuarantined)
        (record,) = system.quarantined()
        assert not record.while_compensating
        assert record.step_input == Flight("Oslo-2")
        system.resolve(handle.saga_id, "stay", StepOutput(Stay(9), None), by="ann", why="the hotel confirmed")
        assert isinstance(handle.wait_until_ended(10), SagaCompleted)
        assert handle.output_of(CarefulHost.step) == Stay(9)
    assert world.undone == []


def test_a_forward_step_in_doubt_can_be_resolved_as_not_executed(tmp_path: Path) -> None:
    def vague(_: SagaContext) -> None:
        raise AmbiguousStepError("the line dropped")

    world = World(on={"stay": vague})
    with running(tmp_path, world, host=CarefulHost) as system:
        handle = system.start_saga(CAREFUL, Trip("Oslo"))
        assert isinstance(handle.result(10), SagaQuarantined)
        system.resolve(handle.saga_id, "stay", "not_executed", by="ann", why="no booking there")
        assert isinstance(handle.wait_until_ended(10), SagaFailed)
    assert world.undone_steps() == ["fly", "pack"]


def test_a_quarantined_step_can_be_tried_once_more(tmp_path: Path) -> None:
    def vague_once(context: SagaContext) -> None:
        if context.attempt == 1:
            raise AmbiguousStepError("the line dropped")

    world = World(on={"stay": vague_once})
    with running(tmp_path, world, host=CarefulHost) as system:
        handle = system.start_saga(CAREFUL, Trip("Oslo"))
        assert isinstance(handle.result(10), SagaQuarantined)
        system.resolve(handle.saga_id, "stay", "retry", by="ann", why="safe, same key")
        assert isinstance(handle.wait_until_ended(10), SagaCompleted)


def test_a_probe_settles_a_doubt(tmp_path: Path) -> None:
    def vague(_: SagaContext) -> None:
        raise AmbiguousStepError("the line dropped")

    world = World(on={"stay": vague})
    with running(tmp_path, world, host=ProbingHost) as system:
        handle = system.start_saga(JOURNEY, Trip("Oslo"))
        assert isinstance(handle.result(10), SagaCompleted)
        assert handle.output_of(STAY) == Stay(8)
    assert world.calls.count("stay") == 1


def test_a_cancelled_saga_is_undone(tmp_path: Path) -> None:
    def wait(_: SagaContext) -> StepPending:
        return StepPending(timeout_millis=60_000)

    world = World(on={"stay": wait})
    with running(tmp_path, world, host=CancellableHost) as system:
        handle = system.start_saga(JOURNEY, Trip("Oslo"))
        world.wait_for_call("stay")
        system.cancel_saga(handle.saga_id, "changed my mind")
        outcome = handle.result(10)
    assert isinstance(outcome, SagaFailed)
    assert outcome.cause.kind is FailureKind.CANCELLED
    assert world.undone_steps() == ["fly", "pack"]


@pytest.mark.parametrize(
    ("overall", "stalled", "kind"),
    [
        (150, None, FailureKind.OVERALL_TIMEOUT),
        (None, 150, FailureKind.STALLED_TIMEOUT),
    ],
)
def test_a_timeout_leads_to_the_fence_and_names_the_blocking_step(
    tmp_path: Path, overall: int | None, stalled: int | None, kind: FailureKind
) -> None:
    def wait(_: SagaContext) -> StepPending:
        return StepPending()

    world = World(on={"stay": wait})
    with running(tmp_path, world, host=CancellableHost) as system:
        outcome = system.start_saga(workflow(overall=overall, stalled=stalled), Trip("Oslo")).result(10)
    assert isinstance(outcome, SagaFailed)
    assert outcome.cause.kind is kind
    assert outcome.cause.steps == ("stay",)
    assert world.undone_steps() == ["fly", "pack"]
