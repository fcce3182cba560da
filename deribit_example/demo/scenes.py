"""The five scenes. Each makes the market give a signal, lets one thing happen, and waits for the saga to end."""

from collections.abc import Callable
from typing import Final, final

from attrs import frozen

from deribit_example.demo.board import Board
from deribit_example.demo.exits import SceneFailed
from deribit_example.demo.snapshot import SceneTitle
from deribit_example.demo.stage import WAIT_SECONDS, Stage
from deribit_example.demo.words import number
from deribit_example.exchange import FaultName
from deribit_example.saga.types import MONITOR_ORDER
from saga_choreography.events import OutcomeKind

BTC: Final = "BTC-PERPETUAL"
ETH: Final = "ETH-PERPETUAL"
SOL: Final = "SOL_USDC-PERPETUAL"
INSTRUMENTS: Final = (BTC, ETH, SOL)
_NOT_ENOUGH_FUNDS: Final = 10009


@final
@frozen(kw_only=True)
class Scene:
    """Something to show, and how it is done."""

    title: SceneTitle
    play: Callable[[Stage], None]


def _filled(stage: Stage) -> None:
    saga = stage.provoke(BTC)
    stage.await_outcome(saga, OutcomeKind.COMPLETED)
    order = stage.only_order_of(saga)
    stage.say(
        f"order {order.order_id} is {order.order_state}: {number(order.filled_amount)} at {number(order.average_price)}"
    )


def _rejected(stage: Stage) -> None:
    stage.control.arm_fault(FaultName.REJECT_ORDER, instrument=ETH, code=_NOT_ENOUGH_FUNDS)
    stage.say(f"will refuse the next order in {ETH}: not_enough_funds ({_NOT_ENOUGH_FUNDS})")
    saga = stage.provoke(ETH)
    stage.await_outcome(saga, OutcomeKind.FAILED)
    stage.say(f"has {len(stage.orders_of(saga))} orders of this saga")


def _offset(stage: Stage) -> None:
    stage.control.arm_fault(FaultName.PARTIAL_FILL, instrument=ETH, fraction=0.4)
    stage.say(f"will fill only 40 % of the next order in {ETH}")
    saga = stage.provoke(ETH)
    stage.await_step(saga, MONITOR_ORDER.name)
    order = stage.only_order_of(saga)
    stage.say(
        f"order {order.order_id}: {number(order.filled_amount)} of {number(order.amount)} filled, the rest stands still"
    )
    stage.pause(1.0)
    stage.control.cancel_order_as_exchange(order.order_id, "risk_mitigation")
    stage.say(f"cancels order {order.order_id}: risk_mitigation")
    stage.await_outcome(saga, OutcomeKind.FAILED)
    for undo in stage.orders_of(saga)[1:]:
        stage.say(
            f"order {undo.order_id} offsets it: {undo.direction} {number(undo.filled_amount)}, {undo.order_state}"
        )


def _unknown(stage: Stage) -> None:
    stage.control.arm_fault(FaultName.APPLY_THEN_DROP, instrument=SOL)
    stage.say(f"will take the next order in {SOL}, then reset the connection instead of replying")
    saga = stage.provoke(SOL)
    stage.await_outcome(saga, OutcomeKind.COMPLETED)
    if stage.control.fired(FaultName.APPLY_THEN_DROP) != 1:
        raise SceneFailed("the connection was not reset, so the scene shows nothing")
    order = stage.only_order_of(saga)
    stage.say(f"has one order of this saga, not two: {order.order_id}, {order.order_state}")


def _killed(stage: Stage) -> None:
    stage.control.hold_fills(BTC)
    stage.say(f"lets no order in {BTC} fill")
    saga = stage.provoke(BTC)
    stage.await_step(saga, MONITOR_ORDER.name)
    order = stage.only_order_of(saga)
    stage.say(f"order {order.order_id} rests: {number(order.filled_amount)} of {number(order.amount)} filled")
    stage.pause(1.0)
    pid = stage.program.kill()
    stage.program.look(saga)
    half = order.amount / 2
    stage.control.fill_order(order.order_id, half)
    stage.say(f"fills {number(half)} of order {order.order_id} while nobody listens")
    stage.pause(1.5)
    ready = stage.program.start()
    if ready.pid == pid or saga not in ready.live_sagas:
        raise SceneFailed(f"the restarted program (pid {ready.pid}) does not go on with saga {saga}")
    stage.board.wait_for("the new connection", _connected, WAIT_SECONDS)
    stage.pause(1.0)
    stage.control.fill_order(order.order_id)
    stage.say(f"fills the rest of order {order.order_id}")
    stage.await_outcome(saga, OutcomeKind.COMPLETED)
    stage.control.release_fills()


def _connected(board: Board) -> bool | None:
    return True if board.snapshot().connected else None


def _scene(number: int, title: str, story: str, play: Callable[[Stage], None]) -> Scene:
    return Scene(title=SceneTitle(number=number, title=title, story=story), play=play)


SCENES: Final = (
    _scene(
        1,
        "An order is filled",
        "The market moves, the averages cross, the risk manager lets the signal through: prepare, place, monitor.",
        _filled,
    ),
    _scene(
        2,
        "The exchange rejects an order",
        "The order is refused, so the saga raises its fence: what ran before is settled, what follows never runs.",
        _rejected,
    ),
    _scene(
        3,
        "Partly filled, then cancelled by the exchange",
        "The order did have an effect. Undoing it means to sell again (or buy back) exactly what was filled.",
        _offset,
    ),
    _scene(
        4,
        "The connection dies between order and reply",
        "Nobody knows whether the order was taken. It is not sent again: the program asks the exchange for its label.",
        _unknown,
    ),
    _scene(
        5,
        "The whole program is killed in the middle of a saga",
        "SIGKILL while an order rests. A new process opens the same journals, and the saga finishes by itself.",
        _killed,
    ),
)
