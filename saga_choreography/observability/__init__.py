"""Counters and observers."""

from saga_choreography.observability.observer import SERIOUS, NoticeKind, SagaNotice, SagaObserver
from saga_choreography.observability.stats import ParticipantStats, ParticipantStatsSnapshot

__all__ = [
    "SERIOUS",
    "NoticeKind",
    "ParticipantStats",
    "ParticipantStatsSnapshot",
    "SagaNotice",
    "SagaObserver",
]
