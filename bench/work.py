"""The work that is measured: prepare, place and monitor an order.

Payloads and outputs of about 200 bytes, undo data of about 100, every step durable. An order that is doomed fails in
its third step, and two steps are undone. An order that waits stays in its third step for good.
"""

from collections.abc import Callable
from typing import Final, final

from attrs import frozen
from typing_extensions import override

from saga_choreography import (
    Saga,
    SagaActor,
    SagaContext,
    SagaWorkflow,
    Step,
    StepOutput,
    StepPending,
    TerminalStepError,
)

_NOTE: Final = "the reason why this order is made, as its strategy has put it down for whoever reads the books later"


@final
@frozen
class Order:
    """What a saga is started with (about 200 bytes)."""

    number: int
    instrument: str = "BTC-PERPETUAL"
    side: str = "buy"
    amount: float = 10.0
    price: float = 64_250.5
    note: str = _NOTE
    doomed: bool = False
    waits: bool = False


@final
@frozen
class Prepared:
    """What `prepare` gives."""

    order: Order
    label: str


@final
@frozen
class Placed:
    """What `place` gives."""

    order: Order
    order_id: str


@final
@frozen
class Filled:
    """What `monitor` gives."""

    order_id: str
    price: float
    amount: float
    note: str = _NOTE


@final
@frozen
class Undo:
    """What an undo needs (about 100 bytes)."""

    key: str
    instrument: str
    amount: float


ORDER: Final = Saga("bench-order", Order)
PREPARE: Final = Step[Order, Prepared, Undo]("prepare", Prepared, after=ORDER, undo=Undo)
PLACE: Final = Step[Prepared, Placed, Undo]("place", Placed, after=PREPARE, undo=Undo)
MONITOR: Final = Step[Placed, Filled, Undo]("monitor", Filled, after=PLACE, undo=Undo)
WORKFLOW: Final = SagaWorkflow(ORDER, steps=(PREPARE, PLACE, MONITOR))


class Preparer(SagaActor[Order, Prepared, Undo]):
    """Prepares."""

    step = PREPARE

    @override
    def execute_step(self, context: SagaContext, step_input: Order) -> StepOutput[Prepared, Undo]:
        undo = Undo(context.idempotency_key, step_input.instrument, step_input.amount)
        return StepOutput(Prepared(step_input, context.idempotency_key), undo)

    @override
    def compensate_step(self, context: SagaContext, undo: Undo) -> None:
        """Nothing is outside."""


class Placer(SagaActor[Prepared, Placed, Undo]):
    """Places."""

    step = PLACE

    @override
    def execute_step(self, context: SagaContext, step_input: Prepared) -> StepOutput[Placed, Undo]:
        order = step_input.order
        return StepOutput(
            Placed(order, context.idempotency_key), Undo(step_input.label, order.instrument, order.amount)
        )

    @override
    def compensate_step(self, context: SagaContext, undo: Undo) -> None:
        """Nothing is outside."""


class Monitor(SagaActor[Placed, Filled, Undo]):
    """Watches, fails what is doomed, and leaves pending what waits."""

    step = MONITOR

    def __init__(self, on_pending: Callable[[], None] | None = None) -> None:
        super().__init__()
        self._on_pending = on_pending

    @override
    def execute_step(self, context: SagaContext, step_input: Placed) -> StepOutput[Filled, Undo] | StepPending:
        order = step_input.order
        if order.doomed:
            raise TerminalStepError("doomed")
        if order.waits:
            if self._on_pending is not None:
                self._on_pending()
            return StepPending()
        filled = Filled(step_input.order_id, order.price, order.amount)
        return StepOutput(filled, Undo(step_input.order_id, order.instrument, order.amount))

    @override
    def compensate_step(self, context: SagaContext, undo: Undo) -> None:
        """Nothing is outside."""


PARTICIPANTS: Final = (Preparer, Placer, Monitor)
