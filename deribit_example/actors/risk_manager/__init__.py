"""Risk manager: initiator of the order saga."""

from deribit_example.actors.risk_manager.actor import RiskManager
from deribit_example.actors.risk_manager.business import (
    Accepted,
    Decision,
    Hold,
    Rejected,
    RejectReason,
    RiskBook,
    RiskLimits,
)
from deribit_example.actors.risk_manager.messaging import GetRiskState, SignalReceived

__all__ = [
    "Accepted",
    "Decision",
    "GetRiskState",
    "Hold",
    "RejectReason",
    "Rejected",
    "RiskBook",
    "RiskLimits",
    "RiskManager",
    "SignalReceived",
]
