"""What the order placer is told: saga events only."""

from typing import TypeAlias

from saga_choreography import SagaEvent

OrderPlacerMessage: TypeAlias = SagaEvent
