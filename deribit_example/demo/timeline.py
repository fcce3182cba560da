"""A saga as a person reads it: one line for each thing that happened, with milliseconds since its start. Pure."""

import re
from enum import Enum
from typing import Final, final

from attrs import frozen

from deribit_example.demo.journals import STEPS, SagaRecords
from saga_choreography.events import (
    AttemptFailure,
    CompensationAttemptFailed,
    CompensationExecutionCompleted,
    CompensationExecutionStarted,
    FenceRaised,
    FenceRecorded,
    InitiatorEvent,
    OutcomeKind,
    ParticipantEvent,
    QuarantineResolved,
    SagaAccepted,
    SagaEnded,
    SagaParked,
    SagaResolved,
    SagaUnparked,
    StepAttemptFailed,
    StepExecutionCompleted,
    StepExecutionFailed,
    StepExecutionStarted,
    StepQuarantined,
    StepSuspended,
    StepTriggered,
)
from saga_choreography.protocol.fold import fold
from saga_choreography.state import Completed, Executing, ExecutionPhase, Failed, Idle, SagaStateEntry, Triggered
from saga_choreography.types import FailureKind

SAGA: Final = "saga"


class Tone(Enum):
    """What a line means to the reader."""

    PLAIN = "plain"
    GOOD = "good"
    DOUBT = "doubt"
    BAD = "bad"


@final
@frozen(kw_only=True)
class Moment:
    """One line of a time line; `offset_millis` counts from the start of the saga."""

    step: str
    sequence: int
    event: str
    offset_millis: int
    attempt: int = 0
    detail: str = ""
    tone: Tone = Tone.PLAIN


_Line = tuple[str, int, str, Tone]
_CLASS_NAME: Final = re.compile(r"^\w+Error: ")
_SETTLED: Final = "the doubt is settled by asking, nothing was sent again"
_INSTEAD: Final = {
    AttemptFailure.CRASHED: "the program ended in the middle of it",
    AttemptFailure.EXPIRED: "no news for too long",
}


def timeline(saga: SagaRecords) -> tuple[Moment, ...]:
    """All moments of a saga. What happened in the same millisecond stands in the order of cause and effect."""
    start = saga.origin.started_at_millis
    ranked: list[tuple[int, int, int, Moment]] = []
    fenced = False
    for record in saga.initiator:
        line = _initiator_line(record.event)
        rank = 2 if isinstance(record.event, FenceRaised) else 0 if isinstance(record.event, SagaAccepted) else 9
        fenced = fenced or rank == 2
        moment = _moment(SAGA, record.sequence, record.at_millis - start, line)
        ranked.append((record.at_millis, rank, record.sequence, moment))
    for place, step in enumerate(STEPS):
        entry: SagaStateEntry | None = None
        after_fence = False
        for at in saga.steps.get(step, ()):
            before, entry = entry, fold(entry, at)
            pure = entry.origin.plan.step(step)
            after_fence = after_fence or isinstance(at.event, FenceRecorded)
            shown = _step_line(at.event, before, is_pure=pure is not None and pure.pure)
            if shown is not None:
                rank = 3 + len(STEPS) - place if after_fence else 1
                order = at.sequence if after_fence else place * 1_000 + at.sequence
                ranked.append((at.at_millis, rank, order, _moment(step, at.sequence, at.at_millis - start, shown)))
    return tuple(moment for *_, moment in sorted(ranked, key=lambda item: item[:3]))


def _moment(step: str, sequence: int, offset: int, line: _Line) -> Moment:
    event, attempt, detail, tone = line
    return Moment(
        step=step, sequence=sequence, event=event, offset_millis=offset, attempt=attempt, detail=detail, tone=tone
    )


def _initiator_line(event: InitiatorEvent) -> _Line:
    match event:
        case SagaAccepted():
            return "started", 0, "", Tone.PLAIN
        case FenceRaised(cause=cause):
            # The reason of a failed step stands in that step's own line.
            why = "failed" if cause.kind is FailureKind.STEP_FAILED else f"{cause.kind.value}: {cause.reason}"
            return "fence", 0, f"{', '.join(cause.steps)} {why}, so what was done is undone".strip(), Tone.BAD
        case SagaParked(steps=steps):
            return "parked", 0, "; ".join(f"{step.step_name}: {step.reason}" for step in steps), Tone.BAD
        case SagaUnparked():
            return "goes on", 0, "an operator has resolved it", Tone.PLAIN
        case SagaResolved(outcome=OutcomeKind.COMPLETED):
            return "COMPLETED", 0, "", Tone.GOOD
        case SagaResolved():
            return "FAILED", 0, "nothing it did is left", Tone.BAD


def _step_line(event: ParticipantEvent, before: SagaStateEntry | None, *, is_pure: bool) -> _Line | None:
    match event:
        case StepTriggered() | SagaEnded():
            return None
        case StepExecutionStarted(attempt=attempt, doubtful=doubtful):
            return "started", attempt, "an earlier attempt is in doubt" if doubtful else "", Tone.PLAIN
        case StepAttemptFailed(failure=failure, error=error):
            said = _INSTEAD.get(failure) or _said(error)
            return "in doubt" if event.retry_at_millis is None else "will retry", 0, said, Tone.DOUBT
        case StepSuspended():
            return "pending", 0, "waits for the exchange", Tone.PLAIN
        case StepExecutionCompleted():
            return "completed", 0, _SETTLED if _is_in_doubt(before) else "", Tone.GOOD
        case StepExecutionFailed(error=error):
            return "failed", 0, _said(error), Tone.BAD
        case FenceRecorded():
            return _answer(before, is_pure=is_pure)
        case CompensationExecutionStarted(attempt=attempt):
            return "undo started", attempt, "", Tone.PLAIN
        case CompensationAttemptFailed(error=error):
            return "undo failed", 0, f"will be tried again: {_said(error)}", Tone.DOUBT
        case CompensationExecutionCompleted():
            return "undone", 0, "", Tone.GOOD
        case StepQuarantined(reason=reason):
            return "quarantined", 0, _said(reason), Tone.BAD
        case QuarantineResolved(resolution=resolution, by=by, why=why):
            return "resolved", 0, f"{resolution.value} by {by}: {why}", Tone.PLAIN


def _answer(before: SagaStateEntry | None, *, is_pure: bool) -> _Line | None:
    state = before.state if before is not None else None
    if state is None or isinstance(state, Idle | Triggered):
        return "never ran", 0, "", Tone.PLAIN
    if isinstance(state, Completed):
        # A step with an effect answers by undoing it: that is a line of its own.
        return ("nothing to undo", 0, "", Tone.PLAIN) if is_pure else None
    return None if isinstance(state, Failed) else ("fence seen", 0, "", Tone.PLAIN)


def _is_in_doubt(before: SagaStateEntry | None) -> bool:
    state = before.state if before is not None else None
    return isinstance(state, Executing) and state.phase is ExecutionPhase.IN_DOUBT


def _said(error: str) -> str:
    """What went wrong: without the name of the exception, and without the advice that follows the semicolon."""
    return _CLASS_NAME.sub("", error).partition("; ")[0]
