"""States and events read wrongly, and matches that forget a case. Each line is an error in both checkers; `names:` is
what both messages must say."""

from typing import assert_never

from saga_choreography import (
    AckStatus,
    Compensating,
    CompensationCompleted,
    CompensationRequested,
    CompensationStarted,
    Completed,
    Executing,
    Failed,
    Idle,
    ParticipantState,
    Quarantined,
    SagaChoreographyEvent,
    SagaCompleted,
    SagaEvent,
    SagaFailed,
    SagaQuarantined,
    SagaStarted,
    SagaStateEntry,
    StepAck,
    StepCompleted,
    StepFailed,
    StepStarted,
    StepState,
    Triggered,
    compensate_wrapper,
    execute_step_wrapper,
)
from saga_choreography.helpers.execution import bind
from saga_choreography.helpers.ports import Clock
from saga_choreography.protocol import commands
from saga_choreography.state import is_in
from tests.typing.positive_participants import CabDesk, FlightDesk, RoomReady, RoomRefused
from tests.typing.positive_wiring import BOOK_CAB, BOOK_FLIGHT


def forgotten_state(entry: SagaStateEntry) -> str:
    if is_in(entry, Idle) or is_in(entry, Triggered) or is_in(entry, Executing) or is_in(entry, Completed):
        return "forward"
    if is_in(entry, Failed) or is_in(entry, Compensating) or is_in(entry, Quarantined):
        return "backward"
    assert_never(entry)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: Compensated


def forgotten_state_in_a_match(state: StepState) -> str:
    match state:
        case Idle() | Triggered() | Executing() | Completed() | Failed() | Compensating() | Quarantined():
            return "known"
        case _:
            assert_never(state)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: Compensated


def forgotten_event(event: SagaChoreographyEvent) -> str:
    match event:
        case SagaStarted() | StepStarted() | StepCompleted() | StepFailed() | StepAck() | CompensationRequested():
            return "forward"
        case CompensationStarted() | CompensationCompleted() | SagaCompleted() | SagaFailed() | SagaQuarantined():
            return "backward"
        case _:
            assert_never(event)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: CompensationFailed


def forgotten_command(command: commands.Command) -> str:
    match command:
        case commands.Publish() | commands.AwaitRun() | commands.RunStep() | commands.RunProbe() | commands.RunCancel():
            return "forward"
        case commands.ResumePending() | commands.ArmTimer() | commands.Forget() | commands.NotifyQuarantined():
            return "wait"
        case commands.Refuse() | commands.Anomaly():
            return "refuse"
        case _:
            assert_never(command)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: RunCompensation


def forgotten_outcome(outcome: SagaCompleted | SagaFailed | SagaQuarantined) -> str:
    match outcome:
        case SagaCompleted() | SagaFailed():
            return "ended"
        case _:
            assert_never(outcome)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: SagaQuarantined


def forgotten_message(message: RoomReady | RoomRefused | SagaEvent) -> str:
    match message:
        case RoomReady() | SagaEvent():
            return "handled"
        case _:
            assert_never(message)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: RoomRefused


def forgotten_status(status: AckStatus) -> str:
    match status:
        case AckStatus.NOT_APPLICABLE | AckStatus.QUARANTINED:
            return "known"
        case _:
            assert_never(status)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: AckStatus NOTHING_TO_UNDO


def what_a_state_has_not(entry: SagaStateEntry, executing: ParticipantState[Executing]) -> None:
    print(executing.state.output)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]  # names: Executing output
    print(executing.state.undo)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]  # names: Executing undo
    print(entry.state.attempt)  # type: ignore[union-attr]  # pyright: ignore[reportAttributeAccessIssue]  # names: Idle attempt
    executing.state = executing.state  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]  # names: state
    executing.state.attempt = 2  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]  # names: attempt


def a_wider_state(entry: ParticipantState[StepState], either: ParticipantState[Idle | Failed]) -> None:
    idle: ParticipantState[Idle] = entry  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]  # names: ParticipantState Idle
    failed: ParticipantState[Failed] = either  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]  # names: ParticipantState Idle Failed
    print(idle, failed, ParticipantState[int])  # type: ignore[type-var]  # pyright: ignore[reportInvalidTypeArguments]  # names: int ParticipantState


def what_an_event_has_not(event: SagaChoreographyEvent, failed: SagaFailed) -> None:
    print(event.step_name)  # type: ignore[union-attr]  # pyright: ignore[reportAttributeAccessIssue]  # names: SagaStarted step_name
    print(failed.output)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]  # names: SagaFailed output
    failed.at_millis = 1  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]  # names: at_millis


def wrappers(
    desk: FlightDesk, cabs: CabDesk, clock: Clock, idle: ParticipantState[Idle], running: ParticipantState[Executing]
) -> None:
    bound = bind(desk, BOOK_FLIGHT)
    bind(desk, BOOK_CAB)  # type: ignore[misc]  # pyright: ignore[reportArgumentType]  # names: bind
    execute_step_wrapper(desk, bound, idle, clock)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: execute_step_wrapper Idle Executing
    execute_step_wrapper(cabs, bound, running, clock)  # type: ignore[misc]  # pyright: ignore[reportArgumentType]  # names: execute_step_wrapper
    compensate_wrapper(desk, bound, running)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: compensate_wrapper Executing Compensating
