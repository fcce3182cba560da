# pyright: strict
"""A program around its sagas, as users write it. Checked by mypy and pyright, never run."""

from datetime import timedelta
from pathlib import Path
from typing import assert_never, assert_type, final
from uuid import UUID

import pykka
from typing_extensions import override

from saga_choreography import (
    ActorStartError,
    Durability,
    EventStream,
    Executing,
    NoReply,
    NoticeKind,
    ParticipantState,
    ParticipantStatsSnapshot,
    PayloadError,
    PeerId,
    QuarantinedRecord,
    ResolutionRefused,
    SagaBackpressure,
    SagaChoreographyEvent,
    SagaCompleted,
    SagaError,
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
    StepOutput,
    StoreDamaged,
    StoreError,
    StoreFull,
    StoreLocked,
    StoreMisused,
    StoreVersionError,
    UnknownSaga,
    WorkflowError,
    compensate_wrapper,
    execute_step_wrapper,
    handle_saga_event,
)
from saga_choreography.helpers.execution import BoundStep, bind
from saga_choreography.helpers.ports import Clock
from saga_choreography.state import Compensating
from tests.typing.positive_participants import CabDesk, FlightDesk, HotelDesk, Teller
from tests.typing.positive_wiring import BOOK_FLIGHT, BOOK_HOTEL, TRIP_WORKFLOW, CancelFlight, Flight, Hotel, Trip


@final
class Agency(SagaInitiator, pykka.ThreadingActor):
    """An actor that starts sagas and hears of their outcomes."""

    def on_receive(self, message: SagaEvent | Trip) -> None:
        """A trip starts a saga."""
        match message:
            case Trip():
                print(self.start_saga(TRIP_WORKFLOW, message).saga_id)
            case SagaEvent(event):
                handle_saga_event(self, event)
            case _:
                assert_never(message)

    @override
    def on_sagas_recovered(self) -> None:
        for saga_id, trip in self.live_sagas(TRIP_WORKFLOW):
            print(saga_id, trip.city)

    @override
    def on_saga_outcome(self, outcome: SagaCompleted | SagaFailed | SagaQuarantined) -> None:
        match outcome:
            case SagaCompleted():
                print(outcome.saga_id)
            case SagaFailed():
                print(outcome.reason)
            case SagaQuarantined():
                print(outcome.steps)
            case _:
                assert_never(outcome)


class Printer:
    """An observer needs no base class."""

    def on_event(self, event: SagaChoreographyEvent, /) -> None:
        """A fact."""
        print(event.saga_id, event.at_millis)

    def on_notice(self, notice: SagaNotice, /) -> None:
        """News."""
        if notice.kind is NoticeKind.STORE_PAUSED:
            print(notice.peer, notice.detail, notice.saga_id)


def run() -> None:
    """From the start of a program to its end."""
    observer: SagaObserver = Printer()
    with SagaSystem(
        Path("state"),
        workflows=[TRIP_WORKFLOW],
        durability=Durability.PROCESS,
        observers=[observer],
        max_in_flight=100,
        retention=timedelta(days=1),
    ) as system:
        assert_type(system.start_actor(FlightDesk), pykka.ActorRef[FlightDesk])
        assert_type(system.start_actor(HotelDesk, shards=4), list[pykka.ActorRef[HotelDesk]])
        system.start_actor(CabDesk)
        system.start_actor(Teller)
        system.start_actor(Agency)
        assert_type(system.refs(Agency), list[pykka.ActorRef[Agency]])
        handle = system.start_saga(TRIP_WORKFLOW, Trip("Oslo"), saga_id=SagaId(UUID(int=7)), timeout=1.0)
        print(ended(handle), outputs(handle), operate(system), system.handle(handle.saga_id))
        system.cancel_saga(handle.saga_id, "enough")
        stats: dict[PeerId, ParticipantStatsSnapshot] = system.stats()
        print(stats)
        system.stop(timeout=5)


def ended(handle: SagaHandle) -> str:
    """The outcome, matched to the last one."""
    outcome = handle.outcome()
    assert_type(outcome, SagaCompleted | SagaFailed | SagaQuarantined | None)
    assert_type(handle.wait_until_ended(timeout=60), SagaCompleted | SagaFailed)
    verdict = handle.result(timeout=5)
    match verdict:
        case SagaCompleted():
            return "done"
        case SagaFailed():
            return verdict.reason
        case SagaQuarantined():
            return verdict.saga_type
        case _:
            assert_never(verdict)


def outputs(handle: SagaHandle) -> tuple[str, int]:
    """The token says what a step gave."""
    assert_type(handle.output_of(BOOK_FLIGHT), Flight)
    assert_type(handle.output_of(BOOK_HOTEL), Hotel)
    return handle.output_of(BOOK_FLIGHT).seat, handle.output_of(BOOK_HOTEL).room


def operate(system: SagaSystem) -> list[QuarantinedRecord]:
    """An operator's four words."""
    records = system.quarantined()
    for record in records:
        found = StepOutput(Flight("12A"), CancelFlight("12A"))
        system.resolve(record.saga_id, record.step_name, "undone", by="me", why="called them")
        system.resolve(record.saga_id, record.step_name, "not_executed", by="me", why="called them")
        system.resolve(record.saga_id, record.step_name, "retry", by="me", why="called them")
        system.resolve(record.saga_id, record.step_name, found, by="me", why="called them")
    return records


def explained(error: SagaError) -> str:
    """Every error of a program's own doing, and the exit code it carries."""
    match error:
        case WorkflowError():
            return "\n".join(error.faults)
        case StoreLocked() | StoreFull() | StoreVersionError() | StoreDamaged() | StoreMisused():
            return f"{error.store}: {error.why}; {error.remedy}"
        case StoreError():
            return error.remedy
        case PayloadError():
            return error.expected
        case SagaIdConflict() | UnknownSaga():
            return str(error.saga_id)
        case ResolutionRefused():
            return error.step_name
        case SagaBackpressure():
            return str(error.limit)
        case ActorStartError() | NoReply():
            return "try again"
        case _:
            return str(error.exit_code)


def by_hand(
    desk: FlightDesk, clock: Clock, running: ParticipantState[Executing], undoing: ParticipantState[Compensating]
) -> None:
    """The helpers under everything, and the actor that fans facts out."""
    bound = bind(desk, BOOK_FLIGHT)
    assert_type(bound, BoundStep[Trip, Flight, CancelFlight])
    execute_step_wrapper(desk, bound, running, clock)
    compensate_wrapper(desk, bound, undoing)
    assert_type(EventStream.start(), pykka.ActorRef[EventStream])
