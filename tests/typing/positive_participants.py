# pyright: strict
"""Participants as users write them: in one class, and wired by hand. Checked by mypy and pyright, never run."""

from collections.abc import MutableMapping
from typing import TypeAlias, assert_never, final

import pykka
from attrs import frozen
from typing_extensions import override

from saga_choreography import (
    AmbiguousCompensationError,
    AmbiguousStepError,
    CompensationError,
    CompensationRequiredError,
    IdempotencyKey,
    LmdbDedupe,
    LmdbJournal,
    NotAttached,
    NothingToUndo,
    ParticipantDedupeStore,
    ParticipantEvent,
    ParticipantJournal,
    ParticipantStats,
    PeerId,
    ProbeResult,
    ResolutionRefused,
    RetryableStepError,
    SafeToRetryCompensationError,
    SagaActor,
    SagaContext,
    SagaEvent,
    SagaId,
    SagaParticipant,
    SagaStateEntry,
    SagaStateExt,
    StepError,
    StepNotExecuted,
    StepOutcomeUnknown,
    StepOutput,
    StepPending,
    StorePlace,
    TerminalCompensationError,
    TerminalStepError,
    complete_pending,
    fail_pending,
    handle_saga_event,
    recover_sagas,
)
from tests.typing.positive_wiring import (
    BOOK_CAB,
    BOOK_FLIGHT,
    BOOK_HOTEL,
    TELL,
    Cab,
    CancelFlight,
    Flight,
    Hotel,
    Trip,
)


@final
class FlightDesk(SagaActor[Trip, Flight, CancelFlight]):
    """Everything a participant may implement."""

    step = BOOK_FLIGHT

    @override
    def execute_step(self, context: SagaContext, step_input: Trip) -> StepOutput[Flight, CancelFlight]:
        key: IdempotencyKey = context.idempotency_key
        initiator: PeerId = context.initiator
        if step_input.city == "Atlantis":
            raise TerminalStepError(f"no flights to {step_input.city}")
        seat = f"{key} {initiator} {context.saga_type} {context.step_name} {context.saga_started_at_millis}"
        return StepOutput(Flight(seat), CancelFlight(seat))

    @override
    def compensate_step(self, context: SagaContext, undo: CancelFlight) -> None:
        if context.attempt > 3:
            raise TerminalCompensationError(f"{undo.seat} cannot be cancelled")
        raise SafeToRetryCompensationError("the line is busy")

    @override
    def probe_step(self, context: SagaContext, step_input: Trip) -> ProbeResult[Flight, CancelFlight]:
        match context.attempt:
            case 1:
                return StepNotExecuted()
            case 2:
                return StepOutcomeUnknown("no answer")
            case 3:
                return StepPending(timeout_millis=500)
            case _:
                return StepOutput(Flight(step_input.city), CancelFlight(step_input.city))

    @override
    def on_saga_completed(self, context: SagaContext) -> None:
        print(context.saga_id)

    @override
    def on_saga_failed(self, context: SagaContext, reason: str) -> None:
        print(context.saga_id, reason)

    @override
    def on_quarantined(self, context: SagaContext, reason: str) -> None:
        print(context.saga_id, reason)

    @override
    def on_message(self, message: object) -> object:
        return message


@final
class Teller(NothingToUndo, SagaActor[Hotel | Cab, bytes, None]):
    """A pure step takes its undo from a mixin."""

    step = TELL

    @override
    def execute_step(self, context: SagaContext, step_input: Hotel | Cab) -> StepOutput[bytes, None]:
        return StepOutput(repr(step_input).encode(), None)


class CabDesk(SagaActor[Flight, Cab]):
    """Undo data defaults to None; every error a step may raise."""

    steps = (BOOK_CAB,)

    @override
    def execute_step(self, context: SagaContext, step_input: Flight) -> StepOutput[Cab, None]:
        errors: list[StepError] = [
            CompensationRequiredError("no cabs today"),
            RetryableStepError("busy"),
            AmbiguousStepError("the line went dead"),
        ]
        raise errors[context.attempt % 3]

    @override
    def compensate_step(self, context: SagaContext, undo: None) -> None:
        error: CompensationError = AmbiguousCompensationError("the line went dead")
        raise error


@frozen
class RoomReady:
    saga_id: SagaId
    room: int


@frozen
class RoomRefused:
    saga_id: SagaId
    why: str


HotelMessage: TypeAlias = RoomReady | RoomRefused | SagaEvent


class HotelSteps(SagaParticipant[Flight, Hotel, None]):
    """The behaviour of a step that ends outside."""

    step = BOOK_HOTEL

    @override
    def execute_step(self, context: SagaContext, step_input: Flight) -> StepPending:
        return StepPending(timeout_millis=60_000)

    @override
    def compensate_step(self, context: SagaContext, undo: None) -> None:
        print("room released")

    @override
    def cancel_step(self, context: SagaContext, step_input: Flight) -> StepNotExecuted:
        return StepNotExecuted()

    @override
    def resume_pending(self, context: SagaContext, step_input: Flight) -> None:
        print("asking again for", step_input.seat)


class HotelSagaState(SagaStateExt):
    """Where its saga state lives."""

    def __init__(self) -> None:
        super().__init__()
        self._states: dict[SagaId, SagaStateEntry] = {}
        self._stats = ParticipantStats()
        self._journal: LmdbJournal[ParticipantEvent] | None = None

    @override
    def open_saga_store(self, place: StorePlace) -> None:
        self._journal = place.open_journal()
        self._dedupe = LmdbDedupe(self._journal)

    @property
    @override
    def saga_states(self) -> MutableMapping[SagaId, SagaStateEntry]:
        return self._states

    @property
    @override
    def saga_journal(self) -> ParticipantJournal:
        assert self._journal is not None
        return self._journal

    @property
    @override
    def saga_dedupe(self) -> ParticipantDedupeStore:
        return self._dedupe

    @property
    @override
    def saga_stats(self) -> ParticipantStats:
        return self._stats


@final
class HotelDesk(HotelSteps, HotelSagaState, pykka.ThreadingActor):
    """Wired by hand, with messages of its own."""

    def on_receive(self, message: HotelMessage) -> None:
        """Handle one message; the checker knows when one is forgotten."""
        match message:
            case RoomReady(saga_id, room):
                complete_pending(self, saga_id, StepOutput(Hotel(room), None))
            case RoomRefused(saga_id, why):
                try:
                    fail_pending(self, saga_id, why)
                except (ResolutionRefused, NotAttached) as error:
                    print(error)
            case SagaEvent(event):
                handle_saga_event(self, event)
            case _:
                assert_never(message)

    def in_flight(self) -> list[SagaId]:
        """What the journals say."""
        return recover_sagas(self)
