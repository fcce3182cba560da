# pyright: strict
"""The typestate, the events and the core's commands, matched to the last one. Checked by both checkers, never run."""

from typing import assert_never, assert_type

from saga_choreography import (
    AckStatus,
    Compensated,
    Compensating,
    CompensationCompleted,
    CompensationFailed,
    CompensationRequested,
    CompensationStarted,
    Completed,
    Executing,
    Failed,
    FailureCause,
    FailureKind,
    Idle,
    IllegalTransition,
    ParticipantEvent,
    ParticipantState,
    Quarantined,
    QuarantinedStep,
    SagaChoreographyEvent,
    SagaCompleted,
    SagaFailed,
    SagaQuarantined,
    SagaStarted,
    SagaStateEntry,
    StepAck,
    StepCompleted,
    StepFailed,
    StepStarted,
    StepState,
    TimestampedEvent,
    Triggered,
)
from saga_choreography.protocol import commands
from saga_choreography.state import is_in, transitions


def forward(entry: ParticipantState[Idle]) -> ParticipantState[Completed]:
    """The good way, one state after the other."""
    triggered = transitions.trigger(entry, (("@start", b"trip"),), 1)
    assert_type(triggered, ParticipantState[Triggered])
    executing = transitions.start_execution(triggered, 1, 2)
    assert_type(executing, ParticipantState[Executing])
    again = transitions.start_execution(transitions.suspend(executing, 9, 3), 2, 4)
    completed = transitions.complete(again, b"flight", b"cancel", 5)
    assert_type(completed.state.output, bytes)
    return completed


def backward(entry: ParticipantState[Completed]) -> ParticipantState[Compensated]:
    """The way back."""
    compensating = transitions.start_compensation(entry, 6)
    assert_type(compensating, ParticipantState[Compensating])
    return transitions.complete_compensation(compensating, 7)


def parked(entry: ParticipantState[Executing]) -> ParticipantState[Failed]:
    """Only an operator's word leads out of quarantine."""
    quarantined = transitions.quarantine(entry, "in doubt", None, 8)
    assert_type(quarantined, ParticipantState[Quarantined])
    return transitions.fail(quarantined, "not executed", 9)


def refused_at_run_time(entry: ParticipantState[Idle]) -> tuple[str, ...]:
    """Who deceives the checker is refused all the same."""
    try:
        transitions.trigger(entry, (), 1)
    except IllegalTransition as error:
        return (error.source, error.target, *error.legal)
    return ()


def any_state(entry: ParticipantState[Idle] | ParticipantState[Triggered]) -> ParticipantState[StepState]:
    """The state is covariant."""
    return entry


def told_apart(entry: SagaStateEntry) -> str:
    """All eight, narrowed to nothing."""
    if is_in(entry, Idle):
        return "idle"
    if is_in(entry, Triggered):
        return str(entry.state.triggered_at_millis)
    if is_in(entry, Executing):
        return entry.state.phase.value
    if is_in(entry, Completed):
        return str(entry.state.output)
    if is_in(entry, Failed):
        return entry.state.error
    if is_in(entry, Compensating):
        return str(entry.state.undo)
    if is_in(entry, Compensated):
        return str(entry.saga_id)
    if is_in(entry, Quarantined):
        return entry.state.reason
    assert_never(entry)


def told(event: SagaChoreographyEvent) -> str:
    """Every event that travels."""
    match event:
        case SagaStarted(payload=payload):
            return repr(payload)
        case StepStarted() | CompensationStarted():
            return f"{event.step_name} {event.attempt}"
        case StepCompleted():
            return f"{event.output!r} {event.late}"
        case StepFailed() | CompensationFailed():
            return event.reason
        case StepAck(status=status):
            return "never ran" if status is AckStatus.NOT_APPLICABLE else event.reason
        case CompensationRequested(cause=FailureCause(kind=FailureKind.CANCELLED)):
            return "cancelled"
        case CompensationRequested():
            return ", ".join(event.cause.steps)
        case CompensationCompleted():
            return event.step_name
        case SagaCompleted():
            return event.saga_type
        case SagaFailed():
            return event.reason
        case SagaQuarantined(steps=steps):
            return ", ".join(map(name_of, steps))
        case _:
            assert_never(event)


def name_of(step: QuarantinedStep) -> str:
    """A parked step."""
    return f"{step.step_name}: {step.reason}"


def record(entry: TimestampedEvent[ParticipantEvent]) -> tuple[int, int, ParticipantEvent]:
    """A journal record; ParticipantEvent is what it holds when nothing is said."""
    unsaid: TimestampedEvent = entry
    return unsaid.sequence, unsaid.at_millis, unsaid.event


def done(command: commands.Command) -> str:
    """Every command of the participant's core."""
    match command:
        case commands.Publish(event):
            return told(event)
        case commands.AwaitRun() | commands.RunStep() | commands.RunProbe() | commands.RunCancel():
            return "forward"
        case commands.RunCompensation():
            return "backward"
        case commands.ResumePending():
            return "wait"
        case commands.ArmTimer(at_millis):
            return str(at_millis)
        case commands.Forget():
            return command.outcome.saga_type
        case commands.NotifyQuarantined(text) | commands.Refuse(text) | commands.Anomaly(text):
            return text
        case _:
            assert_never(command)
