"""Explicit wiring, initiators of their own, shards, the start gate, admission."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Literal, cast
from uuid import UUID

import pykka
import pytest

from saga_choreography import (
    Durability,
    NoticeKind,
    PayloadError,
    ResolutionRefused,
    Saga,
    SagaActor,
    SagaBackpressure,
    SagaChoreographyEvent,
    SagaCompleted,
    SagaContext,
    SagaEvent,
    SagaFailed,
    SagaHandle,
    SagaId,
    SagaIdConflict,
    SagaInitiator,
    SagaNotice,
    SagaObserver,
    SagaQuarantined,
    SagaSystem,
    SagaWorkflow,
    Step,
    StepOutput,
    StepPending,
    StoreMisused,
    TerminalStepError,
    UnknownSaga,
    WorkflowError,
    handle_saga_event,
)
from tests.runtime.explicit import Clerk, RoomReady, RoomRefused
from tests.runtime.journey import (
    CAREFUL_STAY,
    JOURNEY,
    PACK,
    STAY,
    Flight,
    Host,
    Packed,
    Packer,
    Pilot,
    Stay,
    Trip,
    World,
    running,
    workflow,
)

NOBODY = SagaId(UUID(int=5))


class Restarted:
    """An observer that waits for the supervisor."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def wait(self, timeout: float) -> bool:
        return self._event.wait(timeout)

    def on_event(self, event: SagaChoreographyEvent) -> None:
        """Facts do not matter here."""

    def on_notice(self, notice: SagaNotice) -> None:
        if notice.kind is NoticeKind.ACTOR_RESTARTED:
            self._event.set()


def with_clerk(path: Path, waiting: "Future[SagaId]", world: World, *observers: SagaObserver) -> SagaSystem:
    system = SagaSystem(path, durability=Durability.PROCESS, observers=observers)
    system.start_actor(Packer, world)
    system.start_actor(Pilot, world)
    system.start_actor(Clerk, waiting)
    return system


def test_a_pending_step_of_an_explicitly_wired_actor_is_finished_by_a_message(tmp_path: Path) -> None:
    waiting: Future[SagaId] = Future()
    with with_clerk(tmp_path, waiting, World()) as system:
        handle = system.start_saga(JOURNEY, Trip("Oslo"))
        (clerk,) = system.refs(Clerk)
        clerk.tell(RoomReady(waiting.result(10), 11))
        assert isinstance(handle.result(10), SagaCompleted)
        assert handle.output_of(STAY) == Stay(11)


def test_a_pending_step_can_be_reported_as_failed(tmp_path: Path) -> None:
    waiting: Future[SagaId] = Future()
    world = World()
    with with_clerk(tmp_path, waiting, world) as system:
        handle = system.start_saga(JOURNEY, Trip("Oslo"))
        (clerk,) = system.refs(Clerk)
        clerk.tell(RoomRefused(waiting.result(10), "fully booked"))
        outcome = handle.result(10)
    assert isinstance(outcome, SagaFailed)
    assert "fully booked" in outcome.reason
    assert world.undone_steps() == ["fly", "pack"]


def test_a_pending_step_is_resumed_after_a_restart(tmp_path: Path) -> None:
    waiting: Future[SagaId] = Future()
    with with_clerk(tmp_path, waiting, World()) as system:
        handle = system.start_saga(JOURNEY, Trip("Oslo"))
        waiting.result(10)
    again: Future[SagaId] = Future()
    with with_clerk(tmp_path, again, World()) as system:
        (clerk,) = system.refs(Clerk)
        clerk.tell(RoomReady(again.result(10), 12))
        assert isinstance(system.handle(handle.saga_id).result(10), SagaCompleted)


def test_an_actor_that_dies_is_restarted_and_its_sagas_go_on(tmp_path: Path) -> None:
    waiting: Future[SagaId] = Future()
    again = Restarted()
    with with_clerk(tmp_path, waiting, World(), again) as system:
        handle = system.start_saga(JOURNEY, Trip("Oslo"))
        saga_id = waiting.result(10)
        (clerk,) = system.refs(Clerk)
        clerk.tell(RoomReady(NOBODY, 1))  # unknown saga: complete_pending raises, which ends a Pykka actor
        assert clerk.actor_stopped.wait(10)
        assert again.wait(10), "the supervisor did not restart the actor"
        (present,) = system.refs(Clerk)
        assert present is not clerk
        present.tell(RoomReady(saga_id, 13))
        assert isinstance(handle.result(10), SagaCompleted)


class Agency(SagaInitiator, pykka.ThreadingActor):
    """Starts journeys itself and hears how they end."""

    def __init__(self, ended: "list[object]", recovered: "Future[list[Trip]]") -> None:
        super().__init__()
        self.ended = ended
        self.recovered = recovered

    def on_receive(self, message: object) -> object:
        if isinstance(message, SagaEvent):
            handle_saga_event(self, message.event)
            return None
        assert isinstance(message, Trip)
        return self.start_saga(JOURNEY, message)

    def on_sagas_recovered(self) -> None:
        if not self.recovered.done():
            self.recovered.set_result([trip for _, trip in self.live_sagas(JOURNEY)])

    def on_saga_outcome(self, outcome: SagaCompleted | SagaFailed | SagaQuarantined) -> None:
        self.ended.append(outcome)
        raise RuntimeError("a hook that raises harms nothing")


def test_an_actor_may_be_an_initiator_itself(tmp_path: Path) -> None:
    ended: list[object] = []
    with running(tmp_path, World()) as system:
        agency = system.start_actor(Agency, ended, Future())
        first = agency.ask(Trip("Oslo"), timeout=10)
        second = agency.ask(Trip("Rome"), timeout=10)
        assert isinstance(first, SagaHandle)
        assert isinstance(second, SagaHandle)
        assert isinstance(first.result(10), SagaCompleted)
        assert isinstance(second.result(10), SagaCompleted)
        assert isinstance(system.handle(first.saga_id).outcome(), SagaCompleted)
    assert [type(outcome) for outcome in ended] == [SagaCompleted, SagaCompleted]


def test_an_initiator_learns_what_is_in_flight_after_a_restart(tmp_path: Path) -> None:
    waiting: Future[SagaId] = Future()
    with with_clerk(tmp_path, waiting, World()) as system:
        agency = system.start_actor(Agency, [], Future())
        agency.ask(Trip("Oslo"), timeout=10)
        waiting.result(10)
    recovered: Future[list[Trip]] = Future()
    with with_clerk(tmp_path, Future(), World()) as system:
        system.start_actor(Agency, [], recovered)
        assert recovered.result(10) == [Trip("Oslo")]


def test_the_start_gate_lists_every_fault(tmp_path: Path) -> None:
    with SagaSystem(tmp_path, durability=Durability.PROCESS) as system:
        system.start_actor(Packer, World())
        with pytest.raises(WorkflowError) as caught:
            system.start_saga(JOURNEY, Trip("Oslo"))
    assert caught.value.faults == (
        "step 'fly' is served by no started actor",
        "step 'stay' is served by no started actor",
    )


def test_the_start_gate_refuses_a_step_declared_differently(tmp_path: Path) -> None:
    with (
        running(tmp_path, World()) as system,
        pytest.raises(WorkflowError, match=r"step 'stay' is declared differently by actor 'Host'"),
    ):
        system.start_saga(workflow(stay=CAREFUL_STAY), Trip("Oslo"))


def test_the_start_gate_refuses_a_participant_the_workflow_does_not_know(tmp_path: Path) -> None:
    shorter = SagaWorkflow(JOURNEY.saga, steps=JOURNEY.steps[:2])
    with (
        running(tmp_path, World()) as system,
        pytest.raises(WorkflowError, match=r"actor 'Host' serves step 'stay', which the workflow does not have"),
    ):
        system.start_saga(shorter, Trip("Oslo"))


def test_one_actor_cannot_own_two_steps_of_one_saga(tmp_path: Path) -> None:
    class Greedy(Packer):
        steps = (PACK, Step[Trip, Packed]("pack_again", Packed, after=JOURNEY.saga))

    with SagaSystem(tmp_path) as system, pytest.raises(WorkflowError, match="it can own one of a saga"):
        system.start_actor(Greedy, World())


def test_a_workflow_known_in_advance_is_held_against_every_actor(tmp_path: Path) -> None:
    known = workflow(stay=CAREFUL_STAY)
    with (
        SagaSystem(tmp_path, workflows=(known,)) as system,
        pytest.raises(WorkflowError, match="step 'stay' is not declared like this"),
    ):
        system.start_actor(Host, World())


def test_two_actors_cannot_serve_one_step(tmp_path: Path) -> None:
    class OtherHost(Host):
        pass

    with running(tmp_path, World()) as system, pytest.raises(WorkflowError, match="served by 'Host' already"):
        system.start_actor(OtherHost, World())


def test_a_class_that_is_no_saga_actor_is_refused(tmp_path: Path) -> None:
    class Plain(pykka.ThreadingActor):
        pass

    with SagaSystem(tmp_path) as system, pytest.raises(WorkflowError, match="neither a SagaParticipant"):
        system.start_actor(Plain)


def test_the_same_start_twice_is_one_saga_and_another_payload_a_conflict(tmp_path: Path) -> None:
    world = World()
    with running(tmp_path, world) as system:
        handle = system.start_saga(JOURNEY, Trip("Oslo"))
        handle.result(10)
        again = system.start_saga(JOURNEY, Trip("Oslo"), saga_id=handle.saga_id)
        assert isinstance(again.result(0), SagaCompleted)
        with pytest.raises(SagaIdConflict, match="another saga type or payload"):
            system.start_saga(JOURNEY, Trip("Rome"), saga_id=handle.saga_id)
    assert [step for step, _ in world.done] == ["pack", "fly", "stay"]


def test_a_payload_of_another_class_is_refused_by_name(tmp_path: Path) -> None:
    with (
        running(tmp_path, World()) as system,
        pytest.raises(PayloadError, match=r"saga type 'journey'.* Trip: got Flight"),
    ):
        system.start_saga(JOURNEY, cast("Trip", Flight("1")))


def test_unknown_sagas_are_named(tmp_path: Path) -> None:
    with running(tmp_path, World()) as system:
        for call in (
            lambda: system.handle(NOBODY),
            lambda: system.cancel_saga(NOBODY, "no"),
            lambda: system.resolve(NOBODY, "fly", "undone", by="ann", why="no"),
        ):
            with pytest.raises(UnknownSaga, match=str(NOBODY)):
                call()


def test_a_step_that_is_not_quarantined_cannot_be_resolved(tmp_path: Path) -> None:
    with running(tmp_path, World(on={"stay": raise_terminal})) as system:
        handle = system.start_saga(JOURNEY, Trip("Oslo"))
        handle.result(10)
        with pytest.raises((ResolutionRefused, UnknownSaga)):
            system.resolve(handle.saga_id, "fly", "undone", by="ann", why="just so")


def test_a_resolution_says_who_and_why_and_is_one_that_exists(tmp_path: Path) -> None:
    with running(tmp_path, World()) as system:
        handle = system.start_saga(JOURNEY, Trip("Oslo"))
        with pytest.raises(ResolutionRefused, match="'ignored' is no resolution; say 'undone'"):
            system.resolve(handle.saga_id, "fly", cast("Literal['undone']", "ignored"), by="ann", why="so")
        with pytest.raises(ResolutionRefused, match="say who resolves it"):
            system.resolve(handle.saga_id, "fly", "undone", by="", why="so")


def raise_terminal(_: SagaContext) -> None:
    raise TerminalStepError("no")


def test_max_in_flight_turns_the_next_saga_away_until_one_ends(tmp_path: Path) -> None:
    gate = threading.Event()

    def wait(_: SagaContext) -> None:
        assert gate.wait(20)

    world = World(on={"stay": wait})
    with running(tmp_path, world, max_in_flight=1) as system:
        first = system.start_saga(JOURNEY, Trip("Oslo"))
        world.wait_for_call("stay")
        with pytest.raises(SagaBackpressure, match="1 sagas in flight"):
            system.start_saga(JOURNEY, Trip("Rome"), timeout=0.01)
        with ThreadPoolExecutor(1) as pool:
            second = pool.submit(system.start_saga, JOURNEY, Trip("Rome"), timeout=20)
            gate.set()
            assert isinstance(first.result(10), SagaCompleted)
            assert isinstance(second.result(20).result(10), SagaCompleted)


def test_shards_share_the_work_and_their_number_is_kept_while_sagas_live(tmp_path: Path) -> None:
    world = World()
    with SagaSystem(tmp_path, durability=Durability.PROCESS) as system:
        refs = system.start_actor(Packer, world, shards=3)
        assert len(refs) == 3
        system.start_actor(Pilot, world, shards=2)
        system.start_actor(Host, world)
        started = [system.start_saga(JOURNEY, Trip(f"city {n}")) for n in range(24)]
        assert all(isinstance(handle.result(20), SagaCompleted) for handle in started)
        by_shard = {peer: stats.completed for peer, stats in system.stats().items() if peer.startswith("Packer")}
        assert sum(by_shard.values()) == 24
        assert len([count for count in by_shard.values() if count]) > 1
    gate = World(on={"stay": lambda _: StepPending()})
    with SagaSystem(tmp_path, durability=Durability.PROCESS) as system:
        system.start_actor(Packer, gate, shards=1)  # nothing lives: the number may change
        system.start_actor(Pilot, gate, shards=2)
        system.start_actor(Host, gate)
        system.start_saga(JOURNEY, Trip("Oslo"))
        gate.wait_for_call("stay")
    with (
        SagaSystem(tmp_path, durability=Durability.PROCESS) as system,
        pytest.raises(StoreMisused, match=r"has 1 live saga.* start it with shards="),
    ):
        system.start_actor(Host, gate, shards=4)


def test_one_actor_can_serve_several_saga_types(tmp_path: Path) -> None:
    other = Saga("errand", Trip)
    pack_too = Step[Trip, Packed]("pack_too", Packed, after=other)
    errand = SagaWorkflow(other, steps=(pack_too,))

    class BusyPacker(SagaActor[Trip, Packed, None]):
        steps = (PACK, pack_too)

        def execute_step(self, context: SagaContext, step_input: Trip) -> StepOutput[Packed, None]:
            return StepOutput(Packed(len(context.step_name)), None)

        def compensate_step(self, context: SagaContext, undo: None) -> None:
            """Nothing to do."""

    world = World()
    with SagaSystem(tmp_path, durability=Durability.PROCESS) as system:
        system.start_actor(BusyPacker)
        system.start_actor(Pilot, world)
        system.start_actor(Host, world)
        assert isinstance(system.start_saga(JOURNEY, Trip("Oslo")).result(10), SagaCompleted)
        handle = system.start_saga(errand, Trip("home"))
        assert isinstance(handle.result(10), SagaCompleted)
        assert handle.output_of(pack_too) == Packed(8)
