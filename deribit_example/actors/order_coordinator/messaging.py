"""What the order coordinator is told: saga events only."""

from typing import TypeAlias

from saga_choreography import SagaEvent

OrderCoordinatorMessage: TypeAlias = SagaEvent
