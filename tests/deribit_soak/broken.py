"""Programs with a fault that costs money, so that the soak can show that it would find one."""

from functools import partial
from multiprocessing.connection import Connection
from typing import Final
from unittest.mock import patch

from deribit_example.actors.order_coordinator.saga.participant import OrderCoordinatorSteps
from deribit_example.actors.order_coordinator.send_guard import SendGuard
from deribit_example.saga.types import UndoOrder
from saga_choreography import SagaContext
from tests.deribit_soak.places import Places
from tests.deribit_soak.plans import CyclePlan
from tests.deribit_soak.soaking import Program
from tests.deribit_soak.trader import finish, trade


def _undo_nothing(self: OrderCoordinatorSteps, context: SagaContext, undo: UndoOrder) -> None:
    """Claims that the order is undone."""


def _believe_at_once(self: SendGuard, context: SagaContext, label: str) -> bool:
    """Claims that no order can appear any more."""
    return True


_FAULTS: Final = {
    "undoes nothing": partial(patch.object, OrderCoordinatorSteps, "compensate_step", _undo_nothing),
    "believes silence": partial(patch.object, SendGuard, "has_settled", _believe_at_once),
}


def _trade(fault: str, places: Places, url: str, plan: CyclePlan, parent: Connection) -> None:
    with _FAULTS[fault]():
        trade(places, url, plan, parent)


def _finish(fault: str, places: Places, url: str) -> None:
    with _FAULTS[fault]():
        finish(places, url)


UNDOES_NOTHING: Final = Program(trade=partial(_trade, "undoes nothing"), finish=partial(_finish, "undoes nothing"))
BELIEVES_SILENCE: Final = Program(
    trade=partial(_trade, "believes silence"), finish=partial(_finish, "believes silence")
)
