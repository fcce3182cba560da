"""A small saga for tests: pack -> fly -> stay, with an outside world that records effects by idempotency key."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from attrs import define, field, frozen

from saga_choreography import (
    Durability,
    InDoubt,
    ProbeResult,
    RetryPolicy,
    Saga,
    SagaActor,
    SagaContext,
    SagaObserver,
    SagaSystem,
    SagaWorkflow,
    Step,
    StepNotExecuted,
    StepOutput,
    StepPending,
    all_of,
)

QUICK = RetryPolicy(max_attempts=3, initial_delay_millis=1, max_delay_millis=5)


@frozen
class Trip:
    city: str


@frozen
class Packed:
    bags: int


@frozen
class Flight:
    seat: str


@frozen
class CancelFlight:
    seat: str


@frozen
class Stay:
    room: int


TRIP = Saga("journey", Trip)
PACK = Step[Trip, Packed]("pack", Packed, after=TRIP, retry=QUICK, compensation_retry=QUICK)
FLY = Step[tuple[Trip, Packed], Flight, CancelFlight](
    "fly", Flight, after=all_of(TRIP, PACK), undo=CancelFlight, retry=QUICK, compensation_retry=QUICK
)
STAY = Step[Flight, Stay]("stay", Stay, after=FLY, retry=QUICK, compensation_retry=QUICK)
CAREFUL_STAY = Step[Flight, Stay](
    "stay", Stay, after=FLY, retry=QUICK, compensation_retry=QUICK, in_doubt=InDoubt.QUARANTINE
)


def workflow(
    *, overall: int | None = None, stalled: int | None = None, stay: Step[Flight, Stay] = STAY
) -> SagaWorkflow[Trip]:
    return SagaWorkflow(TRIP, steps=(PACK, FLY, stay), overall_timeout_millis=overall, stalled_timeout_millis=stalled)


JOURNEY = workflow()

Behaviour: TypeAlias = Callable[[SagaContext], StepPending | None]


def fine(_: SagaContext) -> None:
    """Nothing goes wrong."""


@define
class World:
    """What happened outside, and what is to go wrong there."""

    on: dict[str, Behaviour] = field(factory=dict)
    done: list[tuple[str, str]] = field(factory=list)
    undone: list[tuple[str, str]] = field(factory=list)
    calls: list[str] = field(factory=list)
    changed: threading.Condition = field(factory=threading.Condition)

    def act(self, what: str, context: SagaContext) -> StepPending | None:
        with self.changed:
            self.calls.append(what)
            self.changed.notify_all()
        answer = self.on.get(what, fine)(context)
        with self.changed:
            ledger = self.undone if what.startswith("undo ") else self.done
            ledger.append((what.removeprefix("undo "), context.idempotency_key))
            self.changed.notify_all()
        return answer

    def wait_for_call(self, what: str, timeout: float = 10) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: what in self.calls, timeout), f"{what} was never called: {self.calls}"

    def undone_steps(self) -> list[str]:
        return [step for step, _ in self.undone]


class Packer(SagaActor[Trip, Packed, None]):
    step = PACK

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world

    def execute_step(self, context: SagaContext, step_input: Trip) -> StepOutput[Packed, None] | StepPending:
        pending = self.world.act("pack", context)
        return pending or StepOutput(Packed(2), None)

    def compensate_step(self, context: SagaContext, undo: None) -> None:
        self.world.act("undo pack", context)


class Pilot(SagaActor[tuple[Trip, Packed], Flight, CancelFlight]):
    step = FLY

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world

    def execute_step(
        self, context: SagaContext, step_input: tuple[Trip, Packed]
    ) -> StepOutput[Flight, CancelFlight] | StepPending:
        trip, packed = step_input
        seat = f"{trip.city}-{packed.bags}"
        return self.world.act("fly", context) or StepOutput(Flight(seat), CancelFlight(seat))

    def compensate_step(self, context: SagaContext, undo: CancelFlight) -> None:
        self.world.act(f"undo fly {undo.seat}".rsplit(" ", 1)[0], context)


class Host(SagaActor[Flight, Stay, None]):
    step = STAY

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world

    def execute_step(self, context: SagaContext, step_input: Flight) -> StepOutput[Stay, None] | StepPending:
        return self.world.act("stay", context) or StepOutput(Stay(7), None)

    def compensate_step(self, context: SagaContext, undo: None) -> None:
        self.world.act("undo stay", context)


class CarefulHost(Host):
    step = CAREFUL_STAY


class ProbingHost(Host):
    """Knows what became of an attempt: whatever the world's ledger says."""

    def probe_step(self, context: SagaContext, step_input: Flight) -> ProbeResult[Stay, None]:
        self.world.act("probe", context)
        return StepOutput(Stay(8), None)


class CancellableHost(Host):
    """Its pending step can be stopped."""

    def cancel_step(self, context: SagaContext, step_input: Flight) -> ProbeResult[Stay, None]:
        return StepNotExecuted()


@contextmanager
def running(
    path: Path,
    world: World,
    *,
    host: type[Host] = Host,
    observers: tuple[SagaObserver, ...] = (),
    max_in_flight: int | None = None,
) -> Iterator[SagaSystem]:
    with SagaSystem(path, durability=Durability.PROCESS, observers=observers, max_in_flight=max_in_flight) as system:
        system.start_actor(Packer, world)
        system.start_actor(Pilot, world)
        system.start_actor(host, world)
        yield system
