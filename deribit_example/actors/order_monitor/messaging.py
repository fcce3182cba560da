"""What the order monitor is told."""

from typing import TypeAlias, final

from attrs import frozen

from deribit_example.actors.deribit_ws import OrderSnapshot
from saga_choreography import SagaEvent


@final
@frozen
class OrderUpdated:
    """The exchange says how one of our orders stands. Updates come twice, late, or not at all."""

    order: OrderSnapshot


@final
@frozen
class OrderResumed:
    """The program was restarted while this order was watched: updates may be lost."""

    order_id: str


@final
@frozen
class SessionIsBack:
    """The connection was away: updates may be lost."""


OrderMonitorMessage: TypeAlias = OrderUpdated | OrderResumed | SessionIsBack | SagaEvent
