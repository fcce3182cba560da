"""What the scenes act with: the exchange's control path, the life and death of the trading program, the board."""

import threading
from decimal import Decimal
from typing import Final, final
from uuid import UUID

from deribit_example.demo.audit import saga_of_label
from deribit_example.demo.board import Board
from deribit_example.demo.exits import SceneFailed
from deribit_example.demo.lives import Program
from deribit_example.demo.messages import Decided, FactSeen
from deribit_example.demo.snapshot import SagaView, Source
from deribit_example.exchange import ExchangeControl, OrderSnapshot
from saga_choreography.events import OutcomeKind

WAIT_SECONDS: Final = 30.0
"""For what takes well under a second on an idle machine."""
WARM_UP_TICKS: Final = 12
_JUMP: Final = Decimal("0.01")
_TICKS_TO_CROSS: Final = 10
"""A jump that crosses does so at its first price; the others let the strength index forget it before the next jump."""
_JUMPS: Final = 8


@final
class Stage:
    """One run. `pause` gives a person time to read and is the only thing here that waits for time to pass."""

    def __init__(self, board: Board, control: ExchangeControl, program: Program, *, fast: bool) -> None:
        self.board = board
        self.control = control
        self.program = program
        self._fast = fast

    def say(self, text: str) -> None:
        """Tell what was done to the exchange."""
        self.board.say(Source.EXCHANGE, text)

    def pause(self, seconds: float) -> None:
        """Let a person read, unless in a hurry."""
        if not self._fast:
            threading.Event().wait(seconds)

    def provoke(self, instrument: str) -> str:
        """Move the market until the signal actor sees a crossover that the risk manager lets through; returns the saga.

        A jump crosses the averages one way; when they stood that way already, a jump back crosses them the other way.

        Raises:
            SceneFailed: no jump gave a signal.
        """
        board = self.board
        before = len(board.decisions())
        price = board.wait_for("a first price", lambda now: self._price(instrument, now), WAIT_SECONDS)
        board.wait_for(
            f"enough prices of {instrument}",
            lambda now: True if now.ticks_of(instrument) >= WARM_UP_TICKS else None,
            WAIT_SECONDS,
        )
        for jump in range(_JUMPS):
            price *= 1 + _JUMP if jump % 2 == 0 else 1 - _JUMP
            self.control.set_price(instrument, price)
            self.say(f"{instrument} moves to {price:.2f}")
            seen = board.ticks_of(instrument)

            def settled(now: Board, seen: int = seen) -> Decided | int | None:
                mine = [decision for decision in now.decisions()[before:] if decision.instrument == instrument]
                ticks = now.ticks_of(instrument)
                return mine[0] if mine else ticks if ticks >= seen + _TICKS_TO_CROSS else None

            found = board.wait_for(f"a signal in {instrument}", settled, WAIT_SECONDS)
            if isinstance(found, Decided):
                return found.saga
        raise SceneFailed(f"{_JUMPS} jumps of the price of {instrument} gave no signal")

    def await_outcome(self, saga: str, wanted: OutcomeKind) -> SagaView:
        """Wait for the end of a saga.

        Raises:
            SceneFailed: it does not end in time, is parked, or ends the other way.
        """

        def ended(board: Board) -> SagaView | None:
            view = board.saga(saga)
            return view if view is not None and (view.records.outcome is not None or view.records.is_parked) else None

        view = self.board.wait_for(f"the end of saga {saga}", ended, WAIT_SECONDS)
        if view.records.outcome is not wanted:
            got = view.records.outcome.value if view.records.outcome is not None else "parked for an operator"
            raise SceneFailed(f"saga {saga} should have {wanted.value}, but is {got}")
        return view

    def await_all(self) -> None:
        """Wait until no saga is under way any more: a jump may have given more signals than the scene has used."""

        def quiet(board: Board) -> bool | None:
            ended = {view.records.saga_id.hex for view in board.snapshot().sagas if view.records.outcome is not None}
            return True if all(decision.saga in ended for decision in board.decisions()) else None

        self.board.wait_for("every saga to end", quiet, WAIT_SECONDS)

    def await_step(self, saga: str, step: str) -> FactSeen:
        """Wait until a step of a saga has started."""

        def started(board: Board) -> FactSeen | None:
            facts = (fact for fact in board.facts() if fact.saga == saga and fact.step == step)
            return next((fact for fact in facts if fact.event == "StepStarted"), None)

        return self.board.wait_for(f"{step} of saga {saga} to start", started, WAIT_SECONDS)

    def orders_of(self, saga: str) -> tuple[OrderSnapshot, ...]:
        """The orders whose label was made of this saga's idempotency keys, oldest first."""
        return tuple(order for order in self.control.orders() if saga_of_label(order.label) == UUID(hex=saga))

    def only_order_of(self, saga: str) -> OrderSnapshot:
        """The one order of a saga.

        Raises:
            SceneFailed: there is none, or more than one.
        """
        orders = self.orders_of(saga)
        if len(orders) != 1:
            raise SceneFailed(f"saga {saga} should have one order at the exchange and has {len(orders)}")
        return orders[0]

    @staticmethod
    def _price(instrument: str, board: Board) -> Decimal | None:
        prices = board.snapshot().prices.get(instrument)
        return Decimal(str(prices[-1])) if prices else None
