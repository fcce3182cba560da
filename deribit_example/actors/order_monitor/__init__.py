"""Order monitor: participant of step monitor_order."""

from deribit_example.actors.order_monitor.actor import OrderMonitor
from deribit_example.actors.order_monitor.messaging import OrderUpdated, SessionIsBack

__all__ = ["OrderMonitor", "OrderUpdated", "SessionIsBack"]
