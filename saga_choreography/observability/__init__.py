"""Counters and observers."""

from saga_choreography.observability.observer import NoticeKind, SagaNotice, SagaObserver
from saga_choreography.observability.stats import ParticipantStats, ParticipantStatsSnapshot

__all__ = [
    "NoticeKind",
    "ParticipantStats",
    "ParticipantStatsSnapshot",
    "SagaNotice",
    "SagaObserver",
]
