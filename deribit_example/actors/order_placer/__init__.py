"""Order placer: participant of step prepare_order."""

from deribit_example.actors.order_placer.actor import OrderPlacer

__all__ = ["OrderPlacer"]
