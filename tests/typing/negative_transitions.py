"""Every move that the table of transitions does not have. Each line is an error in both checkers, for its own reason:
an ignore that silences nothing fails. `names:` is what both messages must say (see test_messages.py)."""

from saga_choreography import (
    Compensated,
    Compensating,
    Completed,
    Executing,
    Failed,
    Idle,
    ParticipantState,
    Quarantined,
    Triggered,
)
from saga_choreography.state import transitions


def from_idle(entry: ParticipantState[Idle]) -> None:
    transitions.start_execution(entry, 2, 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: start_execution Idle
    transitions.note_attempt_failed(entry, "why", None, 9, doubtful=True)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: note_attempt_failed Idle
    transitions.suspend(entry, None, 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: suspend Idle
    transitions.complete(entry, b"", b"", 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: complete Idle
    transitions.fail(entry, "why", 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: fail Idle
    transitions.start_compensation(entry, 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: start_compensation Idle
    transitions.restart_compensation(entry, 2, 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: restart_compensation Idle
    transitions.note_compensation_failed(entry, "why", 20, 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: note_compensation_failed Idle
    transitions.complete_compensation(entry, 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: complete_compensation Idle
    transitions.quarantine(entry, "why", None, 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: quarantine Idle


def from_triggered(entry: ParticipantState[Triggered]) -> None:
    transitions.trigger(entry, (), 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: trigger Triggered
    transitions.note_attempt_failed(entry, "why", None, 9, doubtful=True)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: note_attempt_failed Triggered
    transitions.suspend(entry, None, 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: suspend Triggered
    transitions.complete(entry, b"", b"", 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: complete Triggered
    transitions.fail(entry, "why", 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: fail Triggered
    transitions.start_compensation(entry, 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: start_compensation Triggered
    transitions.restart_compensation(entry, 2, 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: restart_compensation Triggered
    transitions.note_compensation_failed(entry, "why", 20, 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: note_compensation_failed Triggered
    transitions.complete_compensation(entry, 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: complete_compensation Triggered
    transitions.quarantine(entry, "why", None, 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: quarantine Triggered


def from_executing(entry: ParticipantState[Executing]) -> None:
    transitions.trigger(entry, (), 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: trigger Executing
    transitions.start_compensation(entry, 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: start_compensation Executing
    transitions.restart_compensation(entry, 2, 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: restart_compensation Executing
    transitions.note_compensation_failed(entry, "why", 20, 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: note_compensation_failed Executing
    transitions.complete_compensation(entry, 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: complete_compensation Executing


def from_completed(entry: ParticipantState[Completed]) -> None:
    transitions.trigger(entry, (), 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: trigger Completed
    transitions.start_execution(entry, 2, 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: start_execution Completed
    transitions.note_attempt_failed(entry, "why", None, 9, doubtful=True)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: note_attempt_failed Completed
    transitions.suspend(entry, None, 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: suspend Completed
    transitions.complete(entry, b"", b"", 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: complete Completed
    transitions.fail(entry, "why", 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: fail Completed
    transitions.restart_compensation(entry, 2, 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: restart_compensation Completed
    transitions.note_compensation_failed(entry, "why", 20, 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: note_compensation_failed Completed
    transitions.complete_compensation(entry, 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: complete_compensation Completed
    transitions.quarantine(entry, "why", None, 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: quarantine Completed


def from_failed(entry: ParticipantState[Failed]) -> None:
    transitions.trigger(entry, (), 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: trigger Failed
    transitions.start_execution(entry, 2, 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: start_execution Failed
    transitions.note_attempt_failed(entry, "why", None, 9, doubtful=True)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: note_attempt_failed Failed
    transitions.suspend(entry, None, 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: suspend Failed
    transitions.complete(entry, b"", b"", 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: complete Failed
    transitions.fail(entry, "why", 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: fail Failed
    transitions.start_compensation(entry, 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: start_compensation Failed
    transitions.restart_compensation(entry, 2, 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: restart_compensation Failed
    transitions.note_compensation_failed(entry, "why", 20, 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: note_compensation_failed Failed
    transitions.complete_compensation(entry, 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: complete_compensation Failed
    transitions.quarantine(entry, "why", None, 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: quarantine Failed


def from_compensating(entry: ParticipantState[Compensating]) -> None:
    transitions.trigger(entry, (), 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: trigger Compensating
    transitions.start_execution(entry, 2, 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: start_execution Compensating
    transitions.note_attempt_failed(entry, "why", None, 9, doubtful=True)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: note_attempt_failed Compensating
    transitions.suspend(entry, None, 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: suspend Compensating
    transitions.complete(entry, b"", b"", 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: complete Compensating
    transitions.fail(entry, "why", 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: fail Compensating
    transitions.start_compensation(entry, 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: start_compensation Compensating


def from_compensated(entry: ParticipantState[Compensated]) -> None:
    transitions.trigger(entry, (), 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: trigger Compensated
    transitions.start_execution(entry, 2, 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: start_execution Compensated
    transitions.note_attempt_failed(entry, "why", None, 9, doubtful=True)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: note_attempt_failed Compensated
    transitions.suspend(entry, None, 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: suspend Compensated
    transitions.complete(entry, b"", b"", 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: complete Compensated
    transitions.fail(entry, "why", 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: fail Compensated
    transitions.start_compensation(entry, 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: start_compensation Compensated
    transitions.restart_compensation(entry, 2, 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: restart_compensation Compensated
    transitions.note_compensation_failed(entry, "why", 20, 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: note_compensation_failed Compensated
    transitions.complete_compensation(entry, 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: complete_compensation Compensated
    transitions.quarantine(entry, "why", None, 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: quarantine Compensated


def from_quarantined(entry: ParticipantState[Quarantined]) -> None:
    transitions.trigger(entry, (), 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: trigger Quarantined
    transitions.note_attempt_failed(entry, "why", None, 9, doubtful=True)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: note_attempt_failed Quarantined
    transitions.suspend(entry, None, 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: suspend Quarantined
    transitions.start_compensation(entry, 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: start_compensation Quarantined
    transitions.note_compensation_failed(entry, "why", 20, 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: note_compensation_failed Quarantined
    transitions.quarantine(entry, "why", None, 9)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # names: quarantine Quarantined
