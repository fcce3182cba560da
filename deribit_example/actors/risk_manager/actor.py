"""The risk manager: decides which signals become orders, and starts their sagas."""

import logging
import time
from collections.abc import Callable
from typing import Final, assert_never, final

import pykka

from deribit_example.actors.rate_limiter import Pool, RateLimiterClient
from deribit_example.actors.risk_manager.business import (
    Accepted,
    Decision,
    Rejected,
    RejectReason,
    RiskBook,
    RiskLimits,
    hold,
    judge,
)
from deribit_example.actors.risk_manager.messaging import GetRiskState, RiskManagerMessage, SignalReceived
from deribit_example.actors.risk_manager.saga.initiating import RiskManagerInitiating
from deribit_example.actors.ta_signal import Signal
from deribit_example.saga.types import OrderIntent
from saga_choreography import SagaBackpressure, SagaEvent, SagaWorkflow, handle_saga_event

_log = logging.getLogger(__name__)

REQUESTS_OF_A_SAGA: Final = 3
"""An order and, if it must be undone, its cancel and its offset: a saga that could not be undone is not begun."""


@final
class RiskManager(RiskManagerInitiating, pykka.ThreadingActor):
    """Initiator of the order saga. `on_decision` is called on the actor's thread and must return at once."""

    def __init__(
        self,
        workflow: SagaWorkflow[OrderIntent],
        limits: RiskLimits,
        limiter: RateLimiterClient,
        on_decision: Callable[[Decision], None] | None = None,
    ) -> None:
        super().__init__()
        self.workflow = workflow
        self.limits = limits
        self.limiter = limiter
        self.book = RiskBook()
        self._on_decision = on_decision

    def on_receive(self, message: RiskManagerMessage) -> None:
        """Handle one message."""
        match message:
            case SignalReceived(signal):
                self._tell(self._decide(signal))
            case GetRiskState(reply):
                if reply.set_running_or_notify_cancel():
                    reply.set_result(self.book)
            case SagaEvent(event):
                handle_saga_event(self, event)
            case _:
                assert_never(message)

    def _decide(self, signal: Signal) -> Decision:
        judged = judge(signal, self.book, self.limits, time.time_ns() // 1_000_000)
        if isinstance(judged, Rejected):
            return judged
        try:
            left = self.limiter.snapshot()[Pool.MATCHING].requests
        except (TimeoutError, pykka.ActorDeadError):
            detail = "the rate limiter does not answer"
            return Rejected(signal=signal, reason=RejectReason.RATE_LIMITED, detail=detail)
        if left < REQUESTS_OF_A_SAGA:
            detail = f"{left} request(s) left, {REQUESTS_OF_A_SAGA} are needed"
            return Rejected(signal=signal, reason=RejectReason.RATE_LIMITED, detail=detail)
        try:
            handle = self.start_saga(self.workflow, judged)
        except SagaBackpressure as full:
            return Rejected(signal=signal, reason=RejectReason.BACKPRESSURE, detail=str(full))
        self.book = hold(self.book, handle.saga_id, judged)
        return Accepted(signal=signal, saga_id=handle.saga_id, intent=judged)

    def _tell(self, decision: Decision) -> None:
        _log.info("%s: %s", type(decision).__name__, decision)
        if self._on_decision is None:
            return
        try:
            self._on_decision(decision)
        except Exception:
            _log.exception("the listener for risk decisions raised")
