"""Mis-wired steps. Each line is an error in both checkers; `names:` is what both messages must say."""

from saga_choreography import InDoubt, RetryPolicy, Saga, SagaWorkflow, Step, all_of, any_of
from tests.typing.positive_wiring import (
    BOOK_CAB,
    BOOK_FLIGHT,
    BOOK_HOTEL,
    TRIP,
    Cab,
    CancelFlight,
    Flight,
    Hotel,
    Receipt,
    Trip,
)

# after= a source of another class
Step[Trip, Hotel]("book_hotel", Hotel, after=BOOK_FLIGHT)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: Step Flight Trip
Step[Flight, Hotel]("book_hotel", Hotel, after=TRIP)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: Trip Flight
Step[Flight, Hotel]("book_hotel", Hotel, after=BOOK_CAB)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: Cab Flight
Step[Flight, Hotel]("book_hotel", Hotel, after="book_flight")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: Source Flight
Step[Flight, Hotel]("book_hotel", Hotel)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # names: after

# the class of the output, of the undo data, of the payload
Step[Flight, Hotel]("book_hotel", Cab, after=BOOK_FLIGHT)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: Cab Hotel
Step[Flight, Hotel]("book_hotel", Hotel(1), after=BOOK_FLIGHT)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: Hotel
Step[Trip, Flight, CancelFlight]("book_flight", Flight, after=TRIP, undo=Flight)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: Flight CancelFlight
Step[Trip, Flight]("book_flight", Flight, after=TRIP, undo=CancelFlight)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: CancelFlight None
Saga[Trip]("trip", Flight)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: Flight Trip

# joins
Step[tuple[Hotel, Cab], Receipt]("meet", Receipt, after=all_of(BOOK_CAB, BOOK_HOTEL))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: Hotel Cab
Step[tuple[Hotel, Cab], Receipt]("meet", Receipt, after=all_of(BOOK_HOTEL, BOOK_CAB, TRIP))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: Hotel Cab
Step[tuple[Hotel, Cab], Receipt]("meet", Receipt, after=any_of(BOOK_HOTEL, BOOK_CAB))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: Hotel Cab
Step[Hotel | Cab, Receipt]("meet", Receipt, after=all_of(BOOK_HOTEL, BOOK_CAB))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: Hotel Cab
Step[Hotel | Cab, Receipt]("meet", Receipt, after=any_of(BOOK_HOTEL, BOOK_FLIGHT))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: Flight Hotel Cab
Step[Hotel, Receipt]("meet", Receipt, after=any_of(BOOK_HOTEL, BOOK_CAB))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: Cab Hotel
Step[Hotel | Cab, Receipt]("meet", Receipt, after=BOOK_HOTEL)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: Hotel Cab
all_of(BOOK_HOTEL)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]  # names: all_of
all_of(BOOK_HOTEL, Cab)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]  # names: all_of Cab
any_of(BOOK_HOTEL)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]  # names: any_of
any_of(BOOK_HOTEL, "book_cab")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]  # names: any_of

# workflows
SagaWorkflow(BOOK_FLIGHT, steps=())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: SagaWorkflow Step Saga
SagaWorkflow(TRIP, steps=(TRIP,))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: Saga StepToken
SagaWorkflow(TRIP, steps=(Flight,))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: Flight StepToken
SagaWorkflow(TRIP)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # names: steps
wrong: SagaWorkflow[Flight] = SagaWorkflow(TRIP, steps=(BOOK_FLIGHT,))  # type: ignore[arg-type]  # pyright: ignore[reportAssignmentType]  # names: Trip Flight

# policies, and tokens that somebody would change
Step[Trip, Flight]("book_flight", Flight, after=TRIP, in_doubt="retry")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: in_doubt InDoubt
Step[Trip, Flight]("book_flight", Flight, after=TRIP, retry=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: retry RetryPolicy
RetryPolicy(max_attempts="five")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: max_attempts
BOOK_FLIGHT.in_doubt = InDoubt.RETRY  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]  # names: in_doubt
TRIP.gives = Trip  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]  # names: gives
