"""Undoing an order: cancel it, read what was filled, take that back with a market order of its own label.

Every attempt begins by looking: what an earlier one did is found by order id and by label, and is never done twice.
"""

import time
from decimal import Decimal
from typing import Final, final

from attrs import frozen

from deribit_example.actors.deribit_ws import (
    DeribitClient,
    DeribitError,
    NotConnected,
    OrderSnapshot,
    RequestRefused,
)
from deribit_example.actors.order_coordinator.business import ALREADY_GONE, label_of, offset_for, with_label
from deribit_example.actors.order_coordinator.send_guard import SendGuard
from deribit_example.saga.types import UndoOrder
from saga_choreography import SafeToRetryCompensationError, SagaContext, TerminalCompensationError

MOST_OFFSETS: Final = 5
"""Orders that may be needed to take back one fill; a market too thin for that is for an operator."""


@final
@frozen
class Unwinding:
    """One attempt to undo one order."""

    client: DeribitClient
    guard: SendGuard
    validity_millis: int

    def unwind(self, context: SagaContext, undo: UndoOrder) -> None:
        """Leave nothing of the order: neither in the book nor in the position.

        Raises:
            SafeToRetryCompensationError: not finished yet; the next attempt goes on where this one ended.
            TerminalCompensationError: the exchange refuses; an operator must look.
        """
        labels = [label_of(context.idempotency_key, number) for number in range(1, MOST_OFFSETS + 1)]
        if context.attempt == 1:
            for label in labels:
                self.guard.first_attempt(label)
        remaining = self._cancelled(undo).filled_amount
        for label in labels:
            if remaining > 0:
                remaining -= self._offset(undo, remaining, label)
        for label in labels:
            self.guard.forget(label)
        if remaining > 0:
            raise TerminalCompensationError(
                f"{remaining} of order {undo.order_id} is still to be taken back after {MOST_OFFSETS} orders"
            )

    def _cancelled(self, undo: UndoOrder) -> OrderSnapshot:
        """The order in its final state."""
        try:
            order = self.client.cancel_order(undo.order_id, wait_for_connection=True)
        except RequestRefused as refused:
            if refused.code not in ALREADY_GONE:
                raise TerminalCompensationError(f"order {undo.order_id} cannot be cancelled: {refused}") from refused
            order = self._read(undo)
        except DeribitError as error:
            raise SafeToRetryCompensationError(str(error)) from error
        if not order.is_terminal:
            raise SafeToRetryCompensationError(f"order {undo.order_id} is still {order.state}")
        return order

    def _read(self, undo: UndoOrder) -> OrderSnapshot:
        try:
            return self.client.get_order_state(undo.order_id, wait_for_connection=True)
        except RequestRefused as refused:
            raise TerminalCompensationError(f"order {undo.order_id} cannot be read: {refused}") from refused
        except DeribitError as error:
            raise SafeToRetryCompensationError(str(error)) from error

    def _offset(self, undo: UndoOrder, amount: Decimal, label: str) -> Decimal:
        """How much the offsetting order with this label has taken back; it is sent if it was not."""
        order = self._find(undo, label) or self._send(undo, amount, label)
        if not order.is_terminal:
            raise SafeToRetryCompensationError(f"offsetting order {order.order_id} is still {order.state}")
        return order.filled_amount

    def _find(self, undo: UndoOrder, label: str) -> OrderSnapshot | None:
        # Judged before asking: an answer that takes long says nothing about the time in between.
        is_conclusive = self.guard.is_conclusive(label)
        try:
            orders = self.client.get_order_state_by_label(undo.settlement_currency, label, wait_for_connection=True)
        except DeribitError as error:
            raise SafeToRetryCompensationError(str(error)) from error
        found = with_label(orders, label)
        if found is None and not is_conclusive:
            raise SafeToRetryCompensationError(f"no order with label {label} yet, one may still appear")
        return found

    def _send(self, undo: UndoOrder, amount: Decimal, label: str) -> OrderSnapshot:
        deadline = time.time_ns() // 1_000_000 + self.validity_millis
        self.guard.sent(label)
        try:
            return self.client.place_order(offset_for(undo, amount, label), local_deadline_millis=deadline)
        except RequestRefused as refused:
            raise TerminalCompensationError(f"the offset of order {undo.order_id} was refused: {refused}") from refused
        except NotConnected as error:
            self.guard.forget(label)
            self.guard.first_attempt(label)
            raise SafeToRetryCompensationError(str(error)) from error
        except DeribitError as error:
            raise SafeToRetryCompensationError(str(error)) from error
