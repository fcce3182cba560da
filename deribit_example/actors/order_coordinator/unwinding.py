"""Undoing an order: cancel it, read what was filled, take that back with a market order of its own label.

Every attempt begins by looking: what an earlier one did is found by order id and by label, and is never done twice.
"""

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
from deribit_example.actors.order_coordinator.business import (
    ALREADY_GONE,
    NEVER_MATCHED,
    deadline_in,
    label_of,
    offset_for,
)
from deribit_example.actors.order_coordinator.credit import give_back, shortage
from deribit_example.actors.order_coordinator.send_guard import SendGuard
from deribit_example.actors.rate_limiter import RateLimiterClient
from deribit_example.saga.order_lookup import HistoryTooLong, LabelNotUnique, by_id, old_by_label, recent_by_label
from deribit_example.saga.types import UndoOrder
from saga_choreography import SafeToRetryCompensationError, SagaContext, TerminalCompensationError

MOST_OFFSETS: Final = 5
"""Orders that may be needed to take back one fill; a market too thin for that is for an operator."""


@final
@frozen(kw_only=True)
class Unwinding:
    """One attempt to undo one order."""

    context: SagaContext
    undo: UndoOrder
    client: DeribitClient
    limiter: RateLimiterClient
    guard: SendGuard
    validity_millis: int

    def unwind(self) -> None:
        """Leave nothing of the order: neither in the book nor in the position.

        Raises:
            SafeToRetryCompensationError: not finished yet; the next attempt goes on where this one ended.
            TerminalCompensationError: the exchange refuses; an operator must look.
        """
        try:
            remaining = self._ended().filled_amount
            for number in range(1, MOST_OFFSETS + 1):
                if remaining <= 0:
                    return
                remaining -= self._offset(remaining, number)
        except (LabelNotUnique, HistoryTooLong) as problem:
            raise TerminalCompensationError(str(problem)) from problem
        except DeribitError as error:
            raise SafeToRetryCompensationError(str(error)) from error
        if remaining > 0:
            raise TerminalCompensationError(
                f"{remaining} of order {self.undo.order_id} is still to be taken back after {MOST_OFFSETS} orders"
            )

    def _ended(self) -> OrderSnapshot:
        """The order in its final state."""
        self._take_credit()
        undo = self.undo
        try:
            order = self.client.cancel_order(undo.order_id, wait_for_connection=True)
        except RequestRefused as refused:
            if refused.code not in ALREADY_GONE:
                raise TerminalCompensationError(f"order {undo.order_id} cannot be cancelled: {refused}") from refused
            order = self._read()
        except NotConnected:
            give_back(self.limiter)
            raise
        if not order.is_terminal:
            raise SafeToRetryCompensationError(f"order {undo.order_id} is still {order.state}")
        return order

    def _read(self) -> OrderSnapshot:
        undo = self.undo
        try:
            return by_id(self.client, undo.instrument, undo.order_id, self.context.saga_started_at_millis, wait=True)
        except RequestRefused as refused:
            raise TerminalCompensationError(f"order {undo.order_id} cannot be read: {refused}") from refused

    def _offset(self, amount: Decimal, number: int) -> Decimal:
        """How much the offsetting order of this number has taken back; it is sent if it was not."""
        label = label_of(self.context.idempotency_key, number)
        order = self._find(label) or self._send(amount, label)
        if order.state == "rejected":
            raise TerminalCompensationError(f"offsetting order {order.order_id} was rejected")
        if not order.is_terminal:
            raise SafeToRetryCompensationError(f"offsetting order {order.order_id} is still {order.state}")
        return order.filled_amount

    def _find(self, label: str) -> OrderSnapshot | None:
        """The offsetting order with this label; None only if there is none and none can appear."""
        context, undo, guard = self.context, self.undo, self.guard
        # Read before asking: an answer is conclusive only if it was given after that moment.
        has_settled = guard.has_settled(context, label)
        found = recent_by_label(self.client, undo.settlement_currency, label, wait_for_connection=True)
        if found is not None or guard.is_clean(context, label):
            return found
        if not has_settled:
            raise SafeToRetryCompensationError(f"no order with label {label} yet, one may still appear")
        found = old_by_label(self.client, undo.instrument, label, context.saga_started_at_millis)
        if found is None:
            guard.not_sent(context, label)
        return found

    def _send(self, amount: Decimal, label: str) -> OrderSnapshot:
        self._take_credit()
        context, undo, guard = self.context, self.undo, self.guard
        guard.sending(context, label)
        try:
            return self.client.place_order(
                offset_for(undo, amount, label), local_deadline_millis=deadline_in(self.validity_millis)
            )
        except RequestRefused as refused:
            guard.not_sent(context, label)
            if refused.code in NEVER_MATCHED:
                raise
            raise TerminalCompensationError(f"the offset of order {undo.order_id} was refused: {refused}") from refused
        except NotConnected:
            guard.not_sent(context, label)
            give_back(self.limiter)
            raise

    def _take_credit(self) -> None:
        if (why := shortage(self.limiter)) is not None:
            raise SafeToRetryCompensationError(why)
