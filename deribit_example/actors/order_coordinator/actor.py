"""The order coordinator: places the order, and undoes it."""

from typing import Final, final

import pykka

from deribit_example.actors.deribit_ws import DeribitClient
from deribit_example.actors.order_coordinator.messaging import OrderCoordinatorMessage
from deribit_example.actors.order_coordinator.saga.participant import OrderCoordinatorSteps
from deribit_example.actors.order_coordinator.saga.state_ext import OrderCoordinatorSagaState
from deribit_example.actors.order_coordinator.send_guard import SendGuard
from deribit_example.actors.rate_limiter import RateLimiterClient
from saga_choreography import handle_saga_event

VALIDITY_MILLIS: Final = 3_000
SETTLE_MARGIN_MILLIS: Final = 5_500
"""The exchange works on a request for at most five seconds after it was due."""


@final
class OrderCoordinator(OrderCoordinatorSteps, OrderCoordinatorSagaState, pykka.ThreadingActor):
    """Participant of step place_order. Both times are in milliseconds."""

    def __init__(
        self,
        client: DeribitClient,
        limiter: RateLimiterClient,
        validity_millis: int = VALIDITY_MILLIS,
        settle_margin_millis: int = SETTLE_MARGIN_MILLIS,
    ) -> None:
        super().__init__()
        self.client = client
        self.limiter = limiter
        self.validity_millis = validity_millis
        self.guard = SendGuard(validity_millis + settle_margin_millis)

    def on_receive(self, message: OrderCoordinatorMessage) -> None:
        """Handle one message; there is one kind."""
        handle_saga_event(self, message.event)
