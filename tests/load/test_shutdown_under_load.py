"""`stop()` with hundreds of sagas in flight: it returns, nobody hangs, and all that was acknowledged ends next time."""

import threading
from pathlib import Path

import pytest

from saga_choreography import (
    NoReply,
    SagaCompleted,
    SagaContext,
    SagaError,
    SagaFailed,
    SagaId,
    SagaSystem,
    StepPending,
    StoreLocked,
    TerminalStepError,
)
from saga_choreography.testing import ManualClock
from saga_choreography.types import new_saga_id
from tests.load.postcards import CLIENTS, WAIT_SECONDS, Postman, assert_completed, post
from tests.runtime.journey import JOURNEY, Host, Trip, World, running

ENOUGH = 150


def fussy(context: SagaContext) -> None:
    if context.saga_id.int % 3 == 0:
        raise TerminalStepError("fully booked")


class Clients:
    """Threads that start sagas until they are refused."""

    def __init__(self, system: SagaSystem, count: int = CLIENTS) -> None:
        self._system = system
        self._changed = threading.Condition()
        self.acknowledged: list[SagaId] = []
        self.refusals: list[Exception] = []
        self._threads = [threading.Thread(target=self._start_all, daemon=True) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def _start_all(self) -> None:
        while True:
            saga_id = new_saga_id()
            try:
                self._system.start_saga(JOURNEY, Trip("Oslo"), saga_id=saga_id, timeout=10_000)
            except Exception as refusal:
                with self._changed:
                    self.refusals.append(refusal)
                return
            with self._changed:
                self.acknowledged.append(saga_id)
                self._changed.notify_all()

    def wait_for(self, count: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.acknowledged) >= count, WAIT_SECONDS), self.refusals

    def join(self) -> None:
        """Everybody was refused, clearly, and nobody hangs."""
        for thread in self._threads:
            thread.join(WAIT_SECONDS)
        assert not [thread for thread in self._threads if thread.is_alive()], "a client hangs"
        assert len(self.refusals) == len(self._threads)
        for refusal in self.refusals:
            assert isinstance(refusal, SagaError), repr(refusal)
            assert "stop" in str(refusal) or isinstance(refusal, NoReply), repr(refusal)


def check_effects(world: World, outcomes: dict[SagaId, object]) -> None:
    """Effects and undone effects, by key, are what the outcomes say."""
    done = {key for _, key in world.done}
    undone = {key for _, key in world.undone}
    for saga_id, outcome in outcomes.items():
        did = {key for key in done if key.startswith(f"{saga_id.hex}-")}
        undid = {key for key in undone if key.startswith(f"{saga_id.hex}-")}
        if isinstance(outcome, SagaCompleted):
            assert (len(did), len(undid)) == (3, 0)
        else:
            assert isinstance(outcome, SagaFailed)
            assert (len(did), len(undid)) == (2, 2)


@pytest.mark.parametrize("limit", [None, 20])
def test_clients_that_go_on_starting_are_refused_and_what_was_acknowledged_ends_after_the_restart(
    tmp_path: Path, limit: int | None
) -> None:
    world = World(on={"stay": fussy})
    acknowledged: list[SagaId] = []
    for _ in range(3):
        with running(tmp_path, world, max_in_flight=limit) as system:
            clients = Clients(system)
            clients.wait_for(ENOUGH)
            system.stop()
            clients.join()
            acknowledged += clients.acknowledged
    with running(tmp_path, world) as system:
        outcomes: dict[SagaId, object] = {
            saga_id: system.handle(saga_id).wait_until_ended(WAIT_SECONDS) for saga_id in acknowledged
        }
    assert len(outcomes) >= 3 * ENOUGH
    check_effects(world, outcomes)


def test_a_blocked_participant_does_not_keep_the_system_from_stopping(tmp_path: Path) -> None:
    gate = threading.Event()

    def wait_at_the_gate(_: SagaContext) -> None:
        gate.wait(2 * WAIT_SECONDS)

    world = World(on={"stay": wait_at_the_gate})
    with running(tmp_path, world) as system:
        clients = Clients(system)
        world.wait_for_call("stay", WAIT_SECONDS)
        clients.wait_for(ENOUGH)
        blocked = system.refs(Host)[0]
        stopped = threading.Thread(target=system.stop, args=(0.5,), daemon=True)
        stopped.start()
        stopped.join(WAIT_SECONDS)
        assert not stopped.is_alive(), "stop waits for a step that does not end"
        assert blocked.is_alive()
        clients.join()
    with SagaSystem(tmp_path) as system, pytest.raises(StoreLocked, match="opened it before"):
        system.start_actor(Host, world)
    gate.set()
    assert blocked.actor_stopped.wait(WAIT_SECONDS), "what was left behind ends with its step"
    world.on.clear()
    with running(tmp_path, world) as system:
        assert_completed([system.handle(saga_id) for saga_id in clients.acknowledged])
    keys = [key for _, key in world.done]
    assert len(keys) == len(set(keys)), "the step that ended late was committed and is not run again"


def test_who_asks_a_stopped_system_is_told_so(tmp_path: Path) -> None:
    with running(tmp_path, World(on={"stay": lambda _: StepPending()})) as system:
        handle = system.start_saga(JOURNEY, Trip("Oslo"))
    asked = [
        lambda: system.start_saga(JOURNEY, Trip("Rome")),
        lambda: system.cancel_saga(handle.saga_id, "enough"),
        lambda: system.handle(handle.saga_id),
        lambda: system.resolve(handle.saga_id, "stay", "undone", by="me", why="I looked"),
        system.quarantined,
    ]
    for ask in asked:
        with pytest.raises(SagaError, match="this SagaSystem was stopped"):
            ask()


def test_a_request_that_nobody_can_answer_any_more_is_refused_at_once(tmp_path: Path) -> None:
    with running(tmp_path, World()) as system:
        (initiator,) = system._registry.members_of("system")
    with pytest.raises(NoReply, match="has ended for good"):
        initiator.await_successor(initiator.ref, 10_000)


class SlowPostman(Postman):
    """Takes its time to open its store."""

    opening = threading.Event()
    go_on = threading.Event()

    def __init__(self) -> None:
        super().__init__()
        self.opening.set()
        assert self.go_on.wait(WAIT_SECONDS)


def test_pruning_while_an_actor_starts_harms_no_timer(tmp_path: Path) -> None:
    clock = ManualClock()
    with SagaSystem(tmp_path, clock=clock) as system:
        starting = threading.Thread(target=system.start_actor, args=(SlowPostman,), daemon=True)
        starting.start()
        assert SlowPostman.opening.wait(WAIT_SECONDS)
        clock.advance(11 * 60 * 1000)  # pruning is due
        later = threading.Event()
        system._timers.arm(clock.now_millis(), later.set)
        assert later.wait(WAIT_SECONDS), "the timer thread has ended"
        SlowPostman.go_on.set()
        starting.join(WAIT_SECONDS)
        assert_completed(post(system, 5))
