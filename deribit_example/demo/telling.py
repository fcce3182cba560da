"""The child's voice: everything worth knowing becomes one line on the pipe to the parent."""

import queue
import threading
from typing import IO, Final, assert_never, final

from deribit_example.actors.risk_manager import Accepted, Decision, Rejected
from deribit_example.actors.ta_signal import Signal
from deribit_example.demo.messages import Decided, FactSeen, NoticeSeen, Report, encode
from saga_choreography import (
    CompensationCompleted,
    CompensationFailed,
    CompensationRequested,
    CompensationStarted,
    SagaChoreographyEvent,
    SagaCompleted,
    SagaFailed,
    SagaNotice,
    SagaQuarantined,
    SagaStarted,
    StepAck,
    StepCompleted,
    StepFailed,
    StepStarted,
)

_LONGEST_DETAIL: Final = 300
_CLOSE_SECONDS: Final = 5.0


@final
class Voice:
    """Writes reports from any thread without ever making it wait: a thread of its own does the writing.

    A parent that is gone hears nothing, and needs nothing: the end of standard input ends this process.
    """

    def __init__(self, pipe: IO[str]) -> None:
        self._pipe = pipe
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write, name="voice", daemon=True)
        self._thread.start()

    def tell(self, report: Report) -> None:
        """Send a report."""
        self._lines.put(encode(report))

    def close(self) -> None:
        """Send what is left."""
        self._lines.put(None)
        self._thread.join(_CLOSE_SECONDS)

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            try:
                self._pipe.write(line)
                self._pipe.flush()
            except BrokenPipeError:
                return


@final
class TellingObserver:
    """A `SagaObserver` that reports what it sees."""

    def __init__(self, voice: Voice) -> None:
        self._voice = voice

    def on_event(self, event: SagaChoreographyEvent, /) -> None:
        """Report a committed fact."""
        self._voice.tell(fact_of(event))

    def on_notice(self, notice: SagaNotice, /) -> None:
        """Report operational news."""
        self._voice.tell(NoticeSeen(kind=notice.kind.value, peer=notice.peer, detail=notice.detail[:_LONGEST_DETAIL]))


def fact_of(event: SagaChoreographyEvent) -> FactSeen:
    """The report of a fact."""
    saga, at_millis, name = event.saga_id.hex, event.at_millis, type(event).__name__
    match event:
        case SagaStarted() | SagaCompleted():
            return FactSeen(saga=saga, event=name, at_millis=at_millis)
        case SagaFailed(cause=cause) | CompensationRequested(cause=cause):
            return FactSeen(saga=saga, event=name, at_millis=at_millis, detail=str(cause)[:_LONGEST_DETAIL])
        case SagaQuarantined(steps=steps):
            detail = "; ".join(f"{step.step_name}: {step.reason}" for step in steps)
            return FactSeen(saga=saga, event=name, at_millis=at_millis, detail=detail[:_LONGEST_DETAIL])
        case StepStarted(attempt=attempt) | CompensationStarted(attempt=attempt):
            return _step(event, attempt, "")
        case StepAck(status=status, reason=reason):
            return _step(event, 0, f"{status.value.replace('_', ' ')} {reason}".strip())
        case StepFailed(reason=reason) | CompensationFailed(reason=reason):
            return _step(event, 0, reason)
        case StepCompleted(late=late):
            return _step(event, 0, "late, will be undone" if late else "")
        case CompensationCompleted():
            return _step(event, 0, "")
        case _:
            assert_never(event)


def _step(
    event: StepStarted
    | StepCompleted
    | StepFailed
    | StepAck
    | CompensationStarted
    | CompensationCompleted
    | CompensationFailed,
    attempt: int,
    detail: str,
) -> FactSeen:
    return FactSeen(
        saga=event.saga_id.hex,
        event=type(event).__name__,
        at_millis=event.at_millis,
        step=event.step_name,
        attempt=attempt,
        sequence=event.sequence,
        detail=detail[:_LONGEST_DETAIL],
    )


def decided(decision: Decision) -> Decided:
    """The report of a risk decision."""
    signal = decision.signal
    saga, reason, detail = "", "", ""
    match decision:
        case Accepted(saga_id=saga_id, intent=intent):
            saga = saga_id.hex
            detail = f"{intent.amount} at {intent.price:.2f} or better"
        case Rejected():
            reason, detail = decision.reason.value, decision.detail
        case _:
            assert_never(decision)
    return Decided(
        instrument=signal.instrument,
        side=signal.side,
        confidence=f"{signal.confidence:.2f}",
        saga=saga,
        reason=reason,
        detail=detail,
    )


def seen(signal: Signal) -> Decided:
    """The report of a signal that is only watched."""
    return Decided(
        instrument=signal.instrument,
        side=signal.side,
        confidence=f"{signal.confidence:.2f}",
        reason="watching",
        detail=f"price {signal.price}, no order is placed",
    )
