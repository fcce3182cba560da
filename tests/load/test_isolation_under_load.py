"""A participant that blocks, raises or dies without end harms no saga but its own, while many others run."""

import threading
import time
from functools import partial
from pathlib import Path

import pytest

from saga_choreography import (
    Durability,
    NoticeKind,
    SagaCompleted,
    SagaContext,
    SagaFailed,
    SagaHandle,
    SagaQuarantined,
    SagaSystem,
    TerminalStepError,
)
from saga_choreography.runtime.event_stream import shard_of
from saga_choreography.runtime.member import RESTART_DELAYS
from saga_choreography.testing import SagaEventCollector
from tests.load.postcards import WAIT_SECONDS, Postman, assert_completed, crowd, post
from tests.runtime.journey import JOURNEY, Host, Packer, Pilot, Trip, World, running

MANY = 200


def start_journeys(system: SagaSystem, count: int) -> list[SagaHandle]:
    return crowd(lambda number: system.start_saga(JOURNEY, Trip(f"town-{number}")), count)


def wait_at(gate: threading.Event) -> None:
    gate.wait(WAIT_SECONDS)


def test_a_participant_that_blocks_harms_no_other_saga_type(tmp_path: Path) -> None:
    gate = threading.Event()
    world = World(on={"fly": lambda _: wait_at(gate)})
    with running(tmp_path, world) as system:
        try:
            system.start_actor(Postman)
            journeys = start_journeys(system, 20)
            world.wait_for_call("fly", WAIT_SECONDS)
            assert_completed(post(system, MANY))
            assert all(journey.outcome() is None for journey in journeys)
            world.on.clear()
        finally:
            gate.set()
        assert_completed(journeys)


def test_a_shard_that_blocks_harms_its_own_sagas_only(tmp_path: Path) -> None:
    shards, gate, blocked = 3, threading.Event(), threading.Event()

    def block_shard_zero(context: SagaContext) -> None:
        if shard_of(context.saga_id, shards) == 0:
            blocked.set()
            gate.wait(WAIT_SECONDS)

    world = World(on={"stay": block_shard_zero})
    with SagaSystem(tmp_path, durability=Durability.PROCESS) as system:
        try:
            system.start_actor(Packer, world)
            system.start_actor(Pilot, world)
            system.start_actor(Host, world, shards=shards)
            journeys = start_journeys(system, MANY)
            assert blocked.wait(WAIT_SECONDS)
            assert_completed([each for each in journeys if shard_of(each.saga_id, shards) != 0])
            stuck = [each for each in journeys if shard_of(each.saga_id, shards) == 0]
            assert stuck
            assert all(each.outcome() is None for each in stuck)
            world.on.clear()
        finally:
            gate.set()
        assert_completed(stuck)


def test_a_step_that_always_raises_is_quarantined_with_evidence_and_other_sagas_go_on(tmp_path: Path) -> None:
    def broken(_: SagaContext) -> None:
        raise ZeroDivisionError("no room left")

    with running(tmp_path, World(on={"stay": broken})) as system:
        system.start_actor(Postman)
        journeys = start_journeys(system, 50)
        assert_completed(post(system, MANY))
        assert all(isinstance(each.result(WAIT_SECONDS), SagaQuarantined) for each in journeys)
        records = {record.saga_id: record for record in system.quarantined()}
        assert set(records) == {each.saga_id for each in journeys}
        for record in records.values():
            assert record.error == "ZeroDivisionError: no room left"
            assert record.step_input is not None
            assert record.attempts > 1
            system.resolve(record.saga_id, "stay", "not_executed", by="me", why="there is no room")
        for each in journeys:
            assert isinstance(each.wait_until_ended(WAIT_SECONDS), SagaFailed)


def test_a_step_that_always_refuses_fails_its_sagas_and_no_other(tmp_path: Path) -> None:
    def refuse(_: SagaContext) -> None:
        raise TerminalStepError("fully booked")

    world = World(on={"stay": refuse})
    with running(tmp_path, world) as system:
        system.start_actor(Postman)
        journeys = start_journeys(system, 50)
        assert_completed(post(system, MANY))
        assert all(isinstance(each.result(WAIT_SECONDS), SagaFailed) for each in journeys)
    assert sorted(world.undone_steps()) == ["fly"] * 50 + ["pack"] * 50


class DeafHost(Host):
    """Raises on every message, once it is told to."""

    deaf = threading.Event()

    def on_receive(self, message: object) -> object:
        if self.deaf.is_set():
            raise ConnectionError("what did you say?")
        return super().on_receive(message)


def test_an_actor_that_raises_on_every_message_is_given_up_and_only_its_own_sagas_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("saga_choreography.runtime.member.RESTART_DELAYS", (0.01, 0.02, 0.03))
    DeafHost.deaf.clear()
    seen, world = SagaEventCollector(), World()
    with running(tmp_path, world, host=DeafHost, observers=(seen,)) as system:
        system.start_actor(Postman)
        DeafHost.deaf.set()
        journeys = start_journeys(system, 20)
        assert_completed(post(system, MANY))
        seen.wait_for_notice(NoticeKind.ACTOR_GAVE_UP, timeout=WAIT_SECONDS)
        assert_completed(post(system, MANY))
        assert all(each.outcome() is None for each in journeys)
    DeafHost.deaf.clear()
    with running(tmp_path, world, host=DeafHost) as system:
        assert_completed([system.handle(each.saga_id) for each in journeys])
    keys = [key for _, key in world.done]
    assert len(keys) == len(set(keys)) == 3 * 20


def restarted(seen: SagaEventCollector, times: int) -> bool:
    return len(seen.notices(NoticeKind.ACTOR_RESTARTED)) == times


def test_a_foreign_message_ends_an_actor_which_is_started_again_and_loses_nothing(tmp_path: Path) -> None:
    seen, world = SagaEventCollector(), World()
    with running(tmp_path, world, observers=(seen,)) as system:
        for death in range(1, 4):
            journeys = start_journeys(system, MANY)
            (ref,) = system.refs(Host)
            ref.tell("you do not know me")
            assert ref.actor_stopped.wait(WAIT_SECONDS), f"death {death}"
            assert_completed(journeys)
            # They may all have been through it before it ended: the next message is for its successor.
            seen.wait_until(partial(restarted, seen, death), f"restart {death}")
    assert len(RESTART_DELAYS) > len(seen.notices(NoticeKind.ACTOR_RESTARTED)) == 3
    assert len({key for _, key in world.done}) == 3 * 3 * MANY


class MoodyHost(Host):
    """Every hook of it raises."""

    def on_saga_completed(self, context: SagaContext) -> None:
        raise ValueError("completed")

    def on_saga_failed(self, context: SagaContext, reason: str) -> None:
        raise ValueError("failed")

    def on_quarantined(self, context: SagaContext, reason: str) -> None:
        raise ValueError("quarantined")


def test_hooks_that_always_raise_change_no_outcome(tmp_path: Path) -> None:
    def mixed(context: SagaContext) -> None:
        match context.saga_id.int % 3:
            case 0:
                raise TerminalStepError("fully booked")
            case 1:
                raise ZeroDivisionError("no room left")
            case _:
                pass

    wanted = {0: SagaFailed, 1: SagaQuarantined, 2: SagaCompleted}
    with running(tmp_path, World(on={"stay": mixed}), host=MoodyHost) as system:
        journeys = start_journeys(system, MANY)
        for each in journeys:
            assert isinstance(each.result(WAIT_SECONDS), wanted[each.saga_id.int % 3])
        assert system.stats()[system._registry.members_of("MoodyHost")[0].peer_id].anomalies == 0


def leaves_once(context: SagaContext) -> None:
    """Business code that wants to end the program, as a command-line library may do on an error."""
    if context.attempt == 1:
        raise SystemExit("I am leaving")


def test_a_step_that_raises_system_exit_harms_no_other_saga(tmp_path: Path) -> None:
    with running(tmp_path, World(on={"stay": leaves_once})) as system:
        handle = system.start_saga(JOURNEY, Trip("Oslo"))
        deadline = time.monotonic() + WAIT_SECONDS
        while handle.outcome() is None and time.monotonic() < deadline:
            assert not system._stream.actor_stopped.wait(0.05), "the event stream was stopped"
        assert isinstance(handle.outcome(), SagaCompleted)
