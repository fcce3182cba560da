"""Order coordinator: participant of step place_order."""

from deribit_example.actors.order_coordinator.actor import OrderCoordinator

__all__ = ["OrderCoordinator"]
