"""A system used wrongly. Each line is an error in both checkers; `names:` is what both messages must say."""

from uuid import uuid4

from saga_choreography import (
    SagaChoreographyEvent,
    SagaHandle,
    SagaId,
    SagaInitiator,
    SagaQuarantined,
    SagaSystem,
    StepOutput,
)
from tests.typing.positive_wiring import BOOK_FLIGHT, BOOK_HOTEL, TRIP, TRIP_WORKFLOW, CancelFlight, Flight, Hotel, Trip


class HalfAnObserver:
    def on_event(self, event: SagaChoreographyEvent, /) -> None: ...


def systems() -> None:
    SagaSystem()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # names: data_dir
    SagaSystem("state", durability="fsync")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: durability Durability
    SagaSystem("state", observers=[HalfAnObserver()])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]  # names: HalfAnObserver SagaObserver
    SagaSystem("state", workflows=[TRIP])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]  # names: Saga AnyWorkflow
    SagaSystem("state", retention=7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: retention timedelta


def starts(system: SagaSystem, agency: SagaInitiator) -> None:
    system.start_saga(TRIP_WORKFLOW, Flight("1"))  # type: ignore[misc]  # pyright: ignore[reportArgumentType]  # names: start_saga Payload
    system.start_saga(TRIP_WORKFLOW, "Oslo")  # type: ignore[misc]  # pyright: ignore[reportArgumentType]  # names: start_saga Payload
    system.start_saga(TRIP_WORKFLOW)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # names: payload
    system.start_saga(TRIP, Trip("Oslo"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: start_saga Saga SagaWorkflow
    system.start_saga("trip", Trip("Oslo"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: start_saga SagaWorkflow
    system.start_saga(TRIP_WORKFLOW, Trip("Oslo"), saga_id=uuid4())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: start_saga UUID SagaId
    system.start_saga(TRIP_WORKFLOW, Trip("Oslo"), timeout="1 s")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: start_saga timeout float
    agency.start_saga(TRIP_WORKFLOW, Flight("1"))  # type: ignore[misc]  # pyright: ignore[reportArgumentType]  # names: start_saga Payload
    agency.live_sagas(TRIP)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: live_sagas Saga SagaWorkflow


def handles(system: SagaSystem, handle: SagaHandle) -> None:
    hotel: Hotel = handle.output_of(BOOK_FLIGHT)  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]  # names: Flight Hotel
    handle.output_of(TRIP)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: output_of Saga Step
    handle.output_of("book_flight")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: output_of Step
    handle.output_of(Flight)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: output_of Flight Step
    print(handle.output_of(BOOK_HOTEL).seat)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]  # names: Hotel seat
    handle.result("5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: result float
    print(handle.result().reason)  # type: ignore[union-attr]  # pyright: ignore[reportAttributeAccessIssue]  # names: SagaCompleted reason
    print(handle.outcome().saga_id)  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]  # names: saga_id None
    done: SagaQuarantined = handle.wait_until_ended()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]  # names: SagaQuarantined
    system.handle("7")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: handle SagaId
    system.cancel_saga(handle.saga_id)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # names: reason
    print(hotel, done)


def words(system: SagaSystem, saga_id: SagaId) -> None:
    found = StepOutput(Flight("1"), CancelFlight("1"))
    system.resolve(saga_id, "book_flight", "done", by="me", why="it is")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: resolve done undone not_executed retry
    system.resolve(saga_id, "book_flight", Flight("1"), by="me", why="it is")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: resolve Flight StepOutput
    system.resolve(saga_id, "book_flight", found, by="me")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # names: why
    system.resolve(saga_id, BOOK_FLIGHT, "undone", by="me", why="it is")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: resolve Step str
    system.resolve("7", "book_flight", "undone", by="me", why="it is")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: resolve SagaId
