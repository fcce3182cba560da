"""What the risk manager is told."""

from concurrent.futures import Future
from typing import TypeAlias, final

from attrs import field, frozen

from deribit_example.actors.risk_manager.business import RiskBook
from deribit_example.actors.ta_signal import Signal
from saga_choreography import SagaEvent


@final
@frozen
class SignalReceived:
    """The market may be worth an order."""

    signal: Signal


@final
@frozen
class GetRiskState:
    """Asks for the book: holds, exposure, breaker."""

    reply: "Future[RiskBook]" = field(factory=Future, eq=False, repr=False)


RiskManagerMessage: TypeAlias = SignalReceived | GetRiskState | SagaEvent
