"""Participants that are not what their step declares. Each line is an error in both checkers; `names:` is what both
messages must say."""

from typing import final

from saga_choreography import (
    NothingToUndo,
    ProbeResult,
    SagaActor,
    SagaContext,
    SagaHandle,
    SagaId,
    SagaParticipant,
    SagaSystem,
    StepNotExecuted,
    StepOutput,
    StepPending,
    complete_pending,
    fail_pending,
)
from tests.typing.positive_participants import CabDesk, FlightDesk, HotelDesk
from tests.typing.positive_wiring import BOOK_CAB, BOOK_FLIGHT, BOOK_HOTEL, Cab, CancelFlight, Flight, Hotel, Trip


@final
class NoUndo(SagaActor[Trip, Flight, CancelFlight]):  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]  # names: NoUndo compensate_step
    step = BOOK_FLIGHT

    def execute_step(self, context: SagaContext, step_input: Trip) -> StepOutput[Flight, CancelFlight]:
        return StepOutput(Flight("1"), CancelFlight("1"))


@final
class NoForward(SagaActor[Trip, Flight, CancelFlight]):  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]  # names: NoForward execute_step
    step = BOOK_FLIGHT

    def compensate_step(self, context: SagaContext, undo: CancelFlight) -> None: ...


class OpenNoUndo(SagaActor[Trip, Flight, CancelFlight]):
    step = BOOK_FLIGHT

    def execute_step(self, context: SagaContext, step_input: Trip) -> StepOutput[Flight, CancelFlight]:
        return StepOutput(Flight("1"), CancelFlight("1"))


OpenNoUndo()  # type: ignore[abstract]  # pyright: ignore[reportAbstractUsage]  # names: OpenNoUndo compensate_step


class ForeignToken(SagaActor[Flight, Hotel]):
    step = BOOK_CAB  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]  # names: Step Cab Hotel

    def execute_step(self, context: SagaContext, step_input: Flight) -> StepOutput[Hotel, None]:
        return StepOutput(Hotel(1), None)

    def compensate_step(self, context: SagaContext, undo: None) -> None: ...


class ForeignTokens(SagaParticipant[Flight, Hotel]):
    steps = (BOOK_HOTEL, BOOK_CAB)  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]  # names: Step Cab Hotel


class OtherInput(SagaParticipant[Flight, Hotel]):
    step = BOOK_HOTEL

    def execute_step(self, context: SagaContext, step_input: Trip) -> StepOutput[Hotel, None]:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]  # names: execute_step Flight
        return StepOutput(Hotel(1), None)


class OtherOutput(SagaParticipant[Flight, Hotel]):
    step = BOOK_HOTEL

    def execute_step(self, context: SagaContext, step_input: Flight) -> StepOutput[Cab, None]:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]  # names: execute_step Cab
        return StepOutput(Cab(1), None)


class OtherUndo(SagaParticipant[Flight, Hotel]):
    step = BOOK_HOTEL

    def execute_step(self, context: SagaContext, step_input: Flight) -> StepOutput[Hotel, int]:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]  # names: execute_step int
        return StepOutput(Hotel(1), 1)


class BareOutput(SagaParticipant[Flight, Hotel]):
    step = BOOK_HOTEL

    def execute_step(self, context: SagaContext, step_input: Flight) -> Hotel:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]  # names: execute_step Hotel
        return Hotel(1)


class OtherReturned(SagaParticipant[Flight, Hotel]):
    step = BOOK_HOTEL

    def execute_step(self, context: SagaContext, step_input: Flight) -> StepOutput[Hotel, None] | StepPending:
        if step_input.seat:
            return StepOutput(Cab(1), None)  # type: ignore[arg-type]  # pyright: ignore[reportReturnType]  # names: Cab Hotel
        return StepOutput(Hotel(1), CancelFlight("1"))  # type: ignore[arg-type]  # pyright: ignore[reportReturnType]  # names: CancelFlight None


class ForgottenReturn(SagaParticipant[Flight, Hotel]):
    step = BOOK_HOTEL

    def execute_step(self, context: SagaContext, step_input: Flight) -> StepPending:  # type: ignore[return]  # pyright: ignore[reportReturnType]  # names: return
        print(step_input)


class UndoOfOther(SagaParticipant[Trip, Flight, CancelFlight]):
    step = BOOK_FLIGHT

    def compensate_step(self, context: SagaContext, undo: Hotel) -> None: ...  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]  # names: compensate_step CancelFlight


class UndoThatAnswers(SagaParticipant[Trip, Flight, CancelFlight]):
    step = BOOK_FLIGHT

    def compensate_step(self, context: SagaContext, undo: CancelFlight) -> bool:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]  # names: compensate_step bool
        return True


class ProbeOfOther(SagaParticipant[Trip, Flight, CancelFlight]):
    step = BOOK_FLIGHT

    def probe_step(self, context: SagaContext, step_input: Flight) -> StepNotExecuted:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]  # names: probe_step Trip
        return StepNotExecuted()


class ProbeWithOther(SagaParticipant[Trip, Flight, CancelFlight]):
    step = BOOK_FLIGHT

    def probe_step(self, context: SagaContext, step_input: Trip) -> ProbeResult[Hotel, None]:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]  # names: probe_step Hotel
        return StepNotExecuted()


class CancelOfOther(SagaParticipant[Trip, Flight, CancelFlight]):
    step = BOOK_FLIGHT

    def cancel_step(self, context: SagaContext, step_input: Flight) -> StepNotExecuted:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]  # names: cancel_step Trip
        return StepNotExecuted()


class DataWithNothingToUndo(NothingToUndo, SagaActor[Trip, Flight, CancelFlight]):  # type: ignore[misc]  # pyright: ignore[reportIncompatibleMethodOverride]  # names: compensate_step
    step = BOOK_FLIGHT


def system(system: SagaSystem, handle: SagaHandle, saga_id: SagaId, desk: HotelDesk, cabs: CabDesk) -> None:
    """What is given to the library from outside."""
    system.start_actor(FlightDesk())  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]  # names: start_actor FlightDesk
    system.start_actor(Trip)  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]  # names: start_actor Trip
    complete_pending(desk, saga_id, StepOutput(Cab(1), None))  # type: ignore[misc]  # pyright: ignore[reportArgumentType]  # names: complete_pending Out
    complete_pending(desk, saga_id, Hotel(1))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: complete_pending Hotel StepOutput
    complete_pending(cabs, saga_id, StepOutput(Cab(1), 7))  # type: ignore[misc]  # pyright: ignore[reportArgumentType]  # names: complete_pending Undo
    fail_pending(desk, saga_id)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # names: reason
    fail_pending(handle, saga_id, "why")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: fail_pending SagaHandle SagaParticipant
    StepPending(timeout_millis="500")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: timeout_millis int
    StepOutput(Hotel(1))  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # names: undo
