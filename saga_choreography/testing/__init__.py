"""For tests of programs that use sagas."""

from saga_choreography.testing.collector import NotSeen, SagaEventCollector, describe

__all__ = ["NotSeen", "SagaEventCollector", "describe"]
