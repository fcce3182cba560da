"""Journeys left live by an earlier program, and workflows of later programs that find them.

`python -m tests.cli.journeys DIRECTORY` is the earlier program: it says "live" when its sagas wait, and ends them
at the next line of its input.
"""

import sys
from pathlib import Path
from typing import Any, Final

from attrs import field, frozen
from pykka.messages import ProxyGetAttr

from saga_choreography import (
    RetryPolicy,
    Saga,
    SagaHandle,
    SagaId,
    SagaSystem,
    SagaWorkflow,
    Step,
    StepPending,
    all_of,
    any_of,
    stored_as,
    versioned,
)
from tests.runtime.journey import (
    JOURNEY,
    QUICK,
    CancelFlight,
    CancellableHost,
    Flight,
    Packed,
    Stay,
    Trip,
    World,
    running,
)

CITIES: Final = ("Oslo", "Rome")
SECONDS: Final = 60
TURNS: Final = 4
"""Messages after which an actor has committed what came of those before: two would do, the second one is its flush."""
SAME: Final = JOURNEY


@versioned(2, {1: lambda old: {"to": {"city": old["city"]}}})
@frozen
class TripOfToday:
    @frozen
    class Place:
        city: str

    to: Place


@frozen
class CountryTrip:
    """A new field without a default."""

    city: str
    country: str


@frozen
class Bags:
    """`bags` has another name, and its old one is forgotten."""

    pieces: int


@frozen
class RenamedBags:
    pieces: int = field(metadata=stored_as("pieces", formerly=("bags",)))


@frozen
class Seat:
    """Stored by the earlier program as a text."""

    seat: int


def today(
    *,
    trip: type[Any] = Trip,
    packed: type[Any] = Packed,
    flight: type[Any] = Flight,
    cancel: type[Any] = CancelFlight,
    stay_after: str = "fly",
    extra: bool = False,
    stay: bool = True,
    retry: RetryPolicy = QUICK,
    overall: int | None = None,
) -> SagaWorkflow[Any]:
    """The workflow of the journey, with some of it changed."""
    start = Saga[Any]("journey", trip)
    pack = Step[Any, Any]("pack", packed, after=start, retry=QUICK, compensation_retry=QUICK)
    fly = Step[Any, Any, Any](
        "fly", flight, after=all_of(start, pack), undo=cancel, retry=retry, compensation_retry=QUICK
    )
    after = {"fly": fly, "both": all_of(pack, fly), "either": any_of(pack, fly), "start": start}[stay_after]
    steps = [pack, fly]
    if stay:
        steps.append(Step[Any, Any]("stay", Stay, after=after, retry=QUICK, compensation_retry=QUICK))
    if extra:
        steps.append(Step[Any, Any]("dine", Stay, after=fly))
    return SagaWorkflow(start, steps=tuple(steps), overall_timeout_millis=overall)


EVOLVED: Final = today(trip=TripOfToday, packed=RenamedBags, extra=True)
BROKEN: Final = today(trip=CountryTrip, cancel=Seat)
OTHER: Final = SagaWorkflow(
    Saga("errand", Trip), steps=(Step[Trip, Packed]("pack", Packed, after=Saga("errand", Trip)),)
)
NO_WORKFLOW: Final = "a text"


def left_waiting(path: Path, step: str = "stay") -> list[SagaId]:
    """Sagas whose step is pending; the system that ran them has stopped."""
    world = World(on={step: lambda _: StepPending()})
    with running(path, world) as system:
        return [handle.saga_id for handle in waiting(system, world, step)]


def waiting(system: SagaSystem, world: World, step: str) -> list[SagaHandle]:
    handles = [system.start_saga(JOURNEY, Trip(city)) for city in CITIES]
    with world.changed:
        assert world.changed.wait_for(lambda: [name for name, _ in world.done].count(step) == len(CITIES), SECONDS)
    return handles


def main() -> None:
    world = World(on={"stay": lambda _: StepPending()})
    with running(Path(sys.argv[1]), world, host=CancellableHost) as system:
        handles = waiting(system, world, "stay")
        (host,) = system.refs(CancellableHost)
        for _ in range(TURNS):
            host.ask(ProxyGetAttr(attr_path=("actor_urn",)), timeout=SECONDS)
        print("live", flush=True)
        sys.stdin.readline()
        for handle in handles:
            system.cancel_saga(handle.saga_id, "enough")
        print(*(type(handle.result(SECONDS)).__name__ for handle in handles), flush=True)
        sys.stdin.readline()


if __name__ == "__main__":
    main()
