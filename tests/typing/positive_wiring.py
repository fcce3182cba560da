# pyright: strict
"""Wiring as users write it: payloads, tokens, joins, policies, workflows. Checked by mypy and pyright, never run."""

from typing import assert_type

from attrs import frozen

from saga_choreography import (
    DependencySpec,
    InDoubt,
    RetryPolicy,
    Saga,
    SagaWorkflow,
    Step,
    WorkflowError,
    all_of,
    any_of,
)


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


@frozen
class Cab:
    number: int


@frozen
class Receipt:
    total: float


TRIP = Saga("trip", Trip)
BOOK_FLIGHT = Step[Trip, Flight, CancelFlight](
    "book_flight",
    Flight,
    after=TRIP,
    undo=CancelFlight,
    retry=RetryPolicy(max_attempts=5, initial_delay_millis=50, max_delay_millis=1_000),
    compensation_retry=RetryPolicy(backoff_multiplier=1.5, jitter=0.2),
    in_doubt=InDoubt.QUARANTINE,
    in_doubt_attempts=3,
)
BOOK_HOTEL = Step[Flight, Hotel]("book_hotel", Hotel, after=BOOK_FLIGHT)
BOOK_CAB = Step[Flight, Cab]("book_cab", Cab, after=BOOK_FLIGHT)
MEET = Step[tuple[Hotel, Cab], Receipt]("meet", Receipt, after=all_of(BOOK_HOTEL, BOOK_CAB))
TELL = Step[Hotel | Cab, bytes]("tell", bytes, after=any_of(BOOK_HOTEL, BOOK_CAB), pure=True)
PAY = Step[tuple[Trip, Flight, Hotel, Cab], Receipt](
    "pay", Receipt, after=all_of(TRIP, BOOK_FLIGHT, BOOK_HOTEL, BOOK_CAB)
)
FIRST_OF_FOUR = Step[Trip | Flight | Hotel | Cab, Receipt](
    "first", Receipt, after=any_of(TRIP, BOOK_FLIGHT, BOOK_HOTEL, BOOK_CAB)
)
NESTED = Step[tuple[Trip, Hotel | Cab], Receipt]("nested", Receipt, after=all_of(TRIP, any_of(BOOK_HOTEL, BOOK_CAB)))

TRIP_WORKFLOW = SagaWorkflow(
    TRIP,
    steps=(BOOK_FLIGHT, BOOK_HOTEL, BOOK_CAB, MEET, TELL, PAY),
    overall_timeout_millis=30_000,
    stalled_timeout_millis=10_000,
)


def tokens_know_their_classes() -> None:
    """What is inferred where nothing is written."""
    assert_type(TRIP, Saga[Trip])
    assert_type(TRIP.gives, type[Trip])
    assert_type(BOOK_FLIGHT, Step[Trip, Flight, CancelFlight])
    assert_type(BOOK_HOTEL, Step[Flight, Hotel, None])
    assert_type(BOOK_HOTEL.gives, type[Hotel])
    assert_type(all_of(BOOK_HOTEL, BOOK_CAB, TRIP).gives, type[tuple[Hotel, Cab, Trip]])
    assert_type(TRIP_WORKFLOW, SagaWorkflow[Trip])


def a_dependency_is_plain_data() -> DependencySpec:
    """What a token compiles to."""
    return MEET.after.dependency()


def every_fault_is_listed() -> tuple[str, ...]:
    """A graph that no checker can judge is judged when it is built."""
    try:
        SagaWorkflow(TRIP, steps=(BOOK_HOTEL,))
    except WorkflowError as error:
        return error.faults
    return ()
