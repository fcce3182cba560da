"""Prints what actors tell each other, as Mermaid; `--write` puts the diagrams into topics/protocol.md.

Each diagram is a saga that really ran, on threads and stores: its arrows are the facts an observer was told, and who is
told each is what the event stream asks. tests/docs/test_sequence_diagrams.py compares the page with another run.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from attrs import frozen

from saga_choreography import (
    CompensationStarted,
    Saga,
    SagaActor,
    SagaChoreographyEvent,
    SagaContext,
    SagaHandle,
    SagaQuarantined,
    SagaWorkflow,
    Step,
    StepOutput,
    StepStarted,
    TerminalCompensationError,
    TerminalStepError,
)
from saga_choreography.events import StepEvent
from saga_choreography.protocol.routing import addressees
from saga_choreography.testing import SagaTestWorld, describe

PAGE: Final = Path(__file__).resolve().parent / "topics" / "protocol.md"


@frozen
class Trip:
    """Where to, and what goes wrong on the way."""

    city: str
    card: str = "good"
    airline: str = "answers"


@frozen
class Booking:
    """What a desk has booked."""

    trip: Trip


TRIP: Final = Saga("trip", Trip)
BOOK_FLIGHT: Final = Step[Trip, Booking, Booking]("book_flight", Booking, after=TRIP, undo=Booking)
BOOK_HOTEL: Final = Step[Booking, Booking, None]("book_hotel", Booking, after=BOOK_FLIGHT)
PAY: Final = Step[Booking, Booking, None]("pay", Booking, after=BOOK_HOTEL)
PAID_TRIP: Final = SagaWorkflow(TRIP, steps=(BOOK_FLIGHT, BOOK_HOTEL, PAY))


class FlightDesk(SagaActor[Trip, Booking, Booking]):
    """Books; cancels only if the airline answers."""

    step = BOOK_FLIGHT

    def execute_step(self, context: SagaContext, step_input: Trip) -> StepOutput[Booking, Booking]:
        return StepOutput(Booking(step_input), Booking(step_input))

    def compensate_step(self, context: SagaContext, undo: Booking) -> None:
        if undo.trip.airline == "is silent":
            raise TerminalCompensationError("the airline does not answer")


class HotelDesk(SagaActor[Booking, Booking, None]):
    """Books and releases."""

    step = BOOK_HOTEL

    def execute_step(self, context: SagaContext, step_input: Booking) -> StepOutput[Booking, None]:
        return StepOutput(step_input, None)

    def compensate_step(self, context: SagaContext, undo: None) -> None:
        return


class Cashier(SagaActor[Booking, Booking, None]):
    """Takes good cards only."""

    step = PAY

    def execute_step(self, context: SagaContext, step_input: Booking) -> StepOutput[Booking, None]:
        if step_input.trip.card != "good":
            raise TerminalStepError("card refused")
        return StepOutput(step_input, None)

    def compensate_step(self, context: SagaContext, undo: None) -> None:
        return


DESKS: Final[dict[str, type[FlightDesk | HotelDesk | Cashier]]] = {
    "book_flight": FlightDesk,
    "book_hotel": HotelDesk,
    "pay": Cashier,
}
INITIATOR: Final = "Initiator"

Line = str
Journey = Callable[[SagaTestWorld], Iterator[Line]]


def arrows(event: SagaChoreographyEvent) -> Iterator[Line]:
    """An arrow to each whom an event is told to; what is told to observers only is a note."""
    teller = DESKS[event.step_name].__name__ if isinstance(event, StepEvent) else INITIATOR
    match event:
        case StepStarted():
            yield f"Note over {teller}: commits the attempt, runs execute_step"
        case CompensationStarted():
            yield f"Note over {teller}: commits the attempt, runs compensate_step"
        case SagaQuarantined():
            yield f"Note over {teller}: SagaQuarantined, waits for an operator"
        case _:
            to = addressees(event)
            hearers = [DESKS[step].__name__ for step in to.steps] + ([INITIATOR] if to.initiator else [])
            for hearer in hearers:
                yield f"{teller}->>{hearer}: {describe(event)}"


def since(world: SagaTestWorld, saga: SagaHandle, already: int) -> Iterator[Line]:
    """The arrows of what was told of a saga after its first `already` facts."""
    world.wait_until_idle()
    for event in world.events(saga.saga_id)[already:]:
        yield from arrows(event)


def completed(world: SagaTestWorld) -> Iterator[Line]:
    """All goes well."""
    saga = world.start_saga(PAID_TRIP, Trip("Oslo"))
    world.wait_for_terminal(saga)
    yield from since(world, saga, 0)


def undone(world: SagaTestWorld) -> Iterator[Line]:
    """The last step fails."""
    saga = world.start_saga(PAID_TRIP, Trip("Oslo", card="stolen"))
    world.wait_for_terminal(saga)
    yield from since(world, saga, 0)


def quarantined(world: SagaTestWorld) -> Iterator[Line]:
    """The last step fails, the undo of the first one too, and an operator has the last word."""
    saga = world.start_saga(PAID_TRIP, Trip("Oslo", card="stolen", airline="is silent"))
    world.wait_for_quarantine(saga)
    yield from since(world, saga, 0)
    told = len(world.events(saga.saga_id))
    world.system.resolve(saga.saga_id, "book_flight", "undone", by="anna", why="cancelled by phone")
    yield f'Operator->>{FlightDesk.__name__}: resolve(saga_id, "book_flight", "undone", ...)'
    world.wait_for_terminal(saga)
    yield from since(world, saga, told)


JOURNEYS: Final[dict[str, Journey]] = {journey.__name__: journey for journey in (completed, undone, quarantined)}


def diagram(name: str) -> str:
    """The Mermaid block of one journey, ending in a newline."""
    with SagaTestWorld() as world:
        for desk in DESKS.values():
            world.start_actor(desk)
        told = list(JOURNEYS[name](world))
    who = [INITIATOR, *(desk.__name__ for desk in DESKS.values())]
    if any(line.startswith("Operator") for line in told):
        who.append("Operator")
    lines = ["```mermaid", "sequenceDiagram", *(f"    participant {one}" for one in who)]
    return "\n".join([*lines, *(f"    {line}" for line in told), "```"]) + "\n"


def markers(name: str) -> tuple[str, str]:
    """The lines around a diagram in the page."""
    begin, end = (f"<!-- {word}: printed by docs/make_sequence_diagrams.py {name} -->\n" for word in ("begin", "end"))
    return begin, end


def with_diagrams(page: str) -> str:
    """The page with its diagrams replaced.

    Raises:
        ValueError: the markers of a diagram are not there, once each and in order.
    """
    for name in JOURNEYS:
        begin, end = markers(name)
        before, found, rest = page.partition(begin)
        _, ended, after = rest.partition(end)
        if not found or not ended or begin in rest or end in after:
            raise ValueError(f"{PAGE.name} needs one {begin.strip()} and one {end.strip()} behind it")
        page = f"{before}{begin}{diagram(name)}{end}{after}"
    return page


def main(arguments: list[str]) -> int:
    """Print one or write all; 2 on wrong arguments."""
    match arguments:
        case ["--write"]:
            PAGE.write_text(with_diagrams(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
        case [name] if name in JOURNEYS:
            sys.stdout.write(diagram(name))
        case _:
            sys.stderr.write(f"usage: python docs/make_sequence_diagrams.py --write | {' | '.join(JOURNEYS)}\n")
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
