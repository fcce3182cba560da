# ruff: noqa: E501, I001
# fmt: off
# The README's first example, here so that both type checkers see it. Below this line it is copied character by character.
from attrs import frozen
from saga_choreography import Saga, SagaActor, SagaContext, SagaSystem, SagaWorkflow, Step, StepOutput

@frozen
class Trip:
    city: str

@frozen
class Flight:
    seat: str

@frozen
class CancelFlight:
    seat: str

@frozen
class Hotel:
    room: int

TRIP = Saga("trip", Trip)
BOOK_FLIGHT = Step[Trip, Flight, CancelFlight]("book_flight", Flight, after=TRIP, undo=CancelFlight)
BOOK_HOTEL = Step[Flight, Hotel]("book_hotel", Hotel, after=BOOK_FLIGHT)
TRIP_WORKFLOW = SagaWorkflow(TRIP, steps=(BOOK_FLIGHT, BOOK_HOTEL), overall_timeout_millis=30_000, stalled_timeout_millis=10_000)

class FlightDesk(SagaActor[Trip, Flight, CancelFlight]):
    step = BOOK_FLIGHT

    def execute_step(self, context: SagaContext, step_input: Trip) -> StepOutput[Flight, CancelFlight]:
        seat = f"12A to {step_input.city} ({context.idempotency_key})"
        return StepOutput(Flight(seat), CancelFlight(seat))

    def compensate_step(self, context: SagaContext, undo: CancelFlight) -> None:
        print("cancelled", undo.seat)

class HotelDesk(SagaActor[Flight, Hotel, None]):          # Undo = None: the undo needs no data (it still exists)
    step = BOOK_HOTEL

    def execute_step(self, context: SagaContext, step_input: Flight) -> StepOutput[Hotel, None]:
        return StepOutput(Hotel(7), None)

    def compensate_step(self, context: SagaContext, undo: None) -> None:
        print("room released")

if __name__ == "__main__":
    with SagaSystem("state") as system:
        system.start_actor(FlightDesk)
        system.start_actor(HotelDesk)
        handle = system.start_saga(TRIP_WORKFLOW, Trip("Oslo"))
        print(handle.result(timeout=5))      # SagaCompleted | SagaFailed | SagaQuarantined; TimeoutError if not terminal yet
