"""The trading program: seven actors around one saga system, on one data directory.

    market data -> ta_signal -> risk_manager -> [saga: order_placer -> order_coordinator -> order_monitor]
                                     |                       \\________________|________________/
                               rate_limiter                              deribit_ws

`deribit_ws`, `rate_limiter` and `ta_signal` take part in no saga; they are plain actors.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from types import TracebackType
from typing import Any, Self, TypeAlias, final

import pykka
from attrs import field, frozen

from deribit_example.account_limits import follow_account_limits
from deribit_example.actors.deribit_ws import DeribitClient, DeribitConfig, DeribitWSActor
from deribit_example.actors.order_coordinator import OrderCoordinator
from deribit_example.actors.order_monitor import OrderMonitor
from deribit_example.actors.order_placer import OrderPlacer
from deribit_example.actors.rate_limiter import RateLimiter, RateLimiterClient
from deribit_example.actors.risk_manager import (
    Decision,
    GetRiskState,
    RiskBook,
    RiskLimits,
    RiskManager,
    SignalReceived,
)
from deribit_example.actors.ta_signal import CrossoverSettings, MarketTick, Signal, TASignalActor
from deribit_example.saga.types import OrderIntent, order_workflow
from saga_choreography import Durability, SagaObserver, SagaSystem, SagaWorkflow
from saga_choreography.helpers.fault_points import FaultPointHook, nothing_happens

Ref: TypeAlias = "pykka.ActorRef[Any]"


def _default_amounts() -> Mapping[str, Decimal]:
    return {"BTC-PERPETUAL": Decimal(100), "ETH-PERPETUAL": Decimal(100)}


@final
@frozen(kw_only=True)
class ProgramSettings:
    """Everything a run can choose. Times are in milliseconds."""

    limits: RiskLimits = field(factory=lambda: RiskLimits(order_amounts=_default_amounts()))
    signals: CrossoverSettings = field(factory=CrossoverSettings)
    order_validity_millis: int = 3_000
    settle_margin_millis: int = 5_500
    follow_up_millis: int = 30_000
    overall_timeout_millis: int = 300_000
    stalled_timeout_millis: int = 120_000
    max_in_flight: int | None = 100


def start_deribit_ws(config: DeribitConfig) -> Ref:
    """Start the connection actor; it connects by itself and again whenever it must."""
    return DeribitWSActor.start(config)


@final
class TradingProgram:
    """Starts the actors; a context manager. `ws` is any actor that understands the commands of deribit_ws.

    `fault_points` is for tests that kill it at a named place.

    Raises:
        StoreError: the data directory is in use, damaged or of another version.
    """

    def __init__(
        self,
        data_dir: str | os.PathLike[str],
        *,
        ws: Ref,
        settings: ProgramSettings | None = None,
        observers: Sequence[SagaObserver] = (),
        durability: Durability = Durability.FSYNC,
        on_decision: Callable[[Decision], None] | None = None,
        fault_points: FaultPointHook = nothing_happens,
    ) -> None:
        self.settings = settings or ProgramSettings()
        self.client = DeribitClient(ws)
        self._ws = ws
        self.workflow: SagaWorkflow[OrderIntent] = order_workflow(
            overall_timeout_millis=self.settings.overall_timeout_millis,
            stalled_timeout_millis=self.settings.stalled_timeout_millis,
        )
        self._source: Ref | None = None
        self._limiter: Ref | None = None
        self.system = SagaSystem(
            data_dir,
            durability=durability,
            observers=observers,
            max_in_flight=self.settings.max_in_flight,
            fault_points=fault_points,
        )
        try:
            self._start(on_decision)
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start(self, on_decision: Callable[[Decision], None] | None) -> None:
        settings, system, client = self.settings, self.system, self.client
        self._limiter = RateLimiter.start()
        limiter = RateLimiterClient(self._limiter)
        follow_account_limits(self._ws, limiter)
        system.start_actor(OrderPlacer, client)
        system.start_actor(
            OrderCoordinator, client, limiter, settings.order_validity_millis, settings.settle_margin_millis
        )
        system.start_actor(OrderMonitor, client, settings.follow_up_millis)
        system.start_actor(RiskManager, self.workflow, settings.limits, limiter, on_decision)
        self._source = TASignalActor.start(self.signal, settings.signals)

    def feed(self, tick: MarketTick) -> None:
        """A price of the market; it may become a signal. After `stop` nothing comes of it."""
        if self._source is not None:
            self._source.tell(tick)

    def signal(self, signal: Signal) -> None:
        """A signal; it may become an order."""
        self._risk_manager().tell(SignalReceived(signal))

    def risk_state(self, timeout: float = 5.0) -> RiskBook:
        """Holds, exposure and breaker, waiting at most `timeout` seconds.

        Raises:
            TimeoutError: the risk manager is busy.
        """
        command = GetRiskState()
        self._risk_manager().tell(command)
        return command.reply.result(timeout)

    def stop(self) -> None:
        """End the source of signals, then the sagas, then what they ask: nothing asks an actor that has ended.

        The connection is not ours to end. Idempotent.
        """
        source, self._source = self._source, None
        if source is not None:
            source.stop()
        self.system.stop()
        limiter, self._limiter = self._limiter, None
        if limiter is not None:
            limiter.stop()

    def _risk_manager(self) -> Ref:
        # Asked for anew each time: an actor that was restarted has another ref.
        (ref,) = self.system.refs(RiskManager)
        return ref
