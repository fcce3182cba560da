"""For tests of programs that use sagas."""

from saga_choreography.testing.clock import ManualClock
from saga_choreography.testing.collector import NotSeen, SagaEventCollector, describe

__all__ = ["ManualClock", "NotSeen", "SagaEventCollector", "describe"]
