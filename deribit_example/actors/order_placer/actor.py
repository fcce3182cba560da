"""The order placer: turns an intent into an order the exchange will not refuse for its form."""

from typing import final

import pykka

from deribit_example.actors.deribit_ws import DeribitClient
from deribit_example.actors.order_placer.messaging import OrderPlacerMessage
from deribit_example.actors.order_placer.saga.participant import OrderPlacerSteps
from deribit_example.actors.order_placer.saga.state_ext import OrderPlacerSagaState
from saga_choreography import handle_saga_event


@final
class OrderPlacer(OrderPlacerSteps, OrderPlacerSagaState, pykka.ThreadingActor):
    """Participant of step prepare_order."""

    def __init__(self, client: DeribitClient) -> None:
        super().__init__()
        self.client = client

    def on_receive(self, message: OrderPlacerMessage) -> None:
        """Handle one message; there is one kind."""
        handle_saga_event(self, message.event)
