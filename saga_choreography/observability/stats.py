"""Counters of one participant, counted when a record is committed."""

from collections.abc import Iterable
from typing import Final, final

from attrs import fields, frozen

from saga_choreography.events import (
    CompensationAttemptFailed,
    CompensationExecutionCompleted,
    CompensationExecutionStarted,
    FenceRecorded,
    ParticipantEvent,
    QuarantineResolved,
    SagaEnded,
    StepAttemptFailed,
    StepExecutionCompleted,
    StepExecutionFailed,
    StepExecutionStarted,
    StepQuarantined,
    StepSuspended,
    StepTriggered,
)


@final
@frozen(kw_only=True)
class ParticipantStatsSnapshot:
    """Counters at one moment, since the actor started."""

    triggered: int = 0
    attempts_started: int = 0
    attempts_failed: int = 0
    suspended: int = 0
    completed: int = 0
    failed: int = 0
    fences: int = 0
    undo_attempts_started: int = 0
    undo_attempts_failed: int = 0
    compensated: int = 0
    quarantined: int = 0
    resolved: int = 0
    ended: int = 0
    commits: int = 0
    duplicates: int = 0
    """Events that changed nothing."""
    facts_retold: int = 0
    """Facts told again after a restart or to a peer that joined."""
    anomalies: int = 0
    """Events a correct peer never sends."""
    hooks_raised: int = 0
    store_pauses: int = 0


_COUNTER: Final[dict[type, str]] = {
    StepTriggered: "triggered",
    StepExecutionStarted: "attempts_started",
    StepAttemptFailed: "attempts_failed",
    StepSuspended: "suspended",
    StepExecutionCompleted: "completed",
    StepExecutionFailed: "failed",
    FenceRecorded: "fences",
    CompensationExecutionStarted: "undo_attempts_started",
    CompensationAttemptFailed: "undo_attempts_failed",
    CompensationExecutionCompleted: "compensated",
    StepQuarantined: "quarantined",
    QuarantineResolved: "resolved",
    SagaEnded: "ended",
}


_NAMES: Final = tuple(attribute.name for attribute in fields(ParticipantStatsSnapshot))


@final
class ParticipantStats:
    """Counts on the actor's thread; `snapshot` may be called from any thread."""

    def __init__(self) -> None:
        self._counts = dict.fromkeys(_NAMES, 0)

    def committed(self, events: Iterable[ParticipantEvent]) -> None:
        """Count the records of one commit."""
        for event in events:
            self._counts[_COUNTER[type(event)]] += 1
        self._counts["commits"] += 1

    def count(self, name: str, by: int = 1) -> None:
        """Count something that is no record; `name` is a field of the snapshot.

        Raises:
            KeyError: it is none.
        """
        self._counts[name] += by

    def snapshot(self) -> ParticipantStatsSnapshot:
        """The counters now."""
        return ParticipantStatsSnapshot(**self._counts)
