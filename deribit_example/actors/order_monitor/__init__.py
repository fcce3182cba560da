"""Order monitor: participant of step monitor_order."""

from deribit_example.actors.order_monitor.actor import OrderMonitor
from deribit_example.actors.order_monitor.messaging import OrderResumed, OrderUpdated, SessionIsBack

__all__ = ["OrderMonitor", "OrderResumed", "OrderUpdated", "SessionIsBack"]
