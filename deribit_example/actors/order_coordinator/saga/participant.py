"""place_order: the one step that cannot simply be repeated, and how it is settled and undone.

The label is derived from the idempotency key, so it is journaled (with the start of the attempt) before anything is
sent. An unknown outcome is settled by asking for the label, never by sending again.
"""

import time
from typing import Final

from deribit_example.actors.deribit_ws import (
    DeribitClient,
    DeribitError,
    NotConnected,
    OrderSnapshot,
    RequestRefused,
)
from deribit_example.actors.order_coordinator.business import label_of, order_for, placed, with_label
from deribit_example.actors.order_coordinator.send_guard import SendGuard
from deribit_example.actors.order_coordinator.unwinding import Unwinding
from deribit_example.actors.rate_limiter import Denied, Pool, RateLimiterClient
from deribit_example.saga.types import PLACE_ORDER, PlacedOrder, PreparedOrder, UndoOrder
from saga_choreography import (
    AmbiguousStepError,
    CompensationRequiredError,
    ProbeResult,
    RetryableStepError,
    SagaContext,
    SagaParticipant,
    StepNotExecuted,
    StepOutput,
)

LABEL_WINDOW_MILLIS: Final = 25 * 60 * 1000
"""The exchange forgets labels after about 30 minutes; older sagas are also looked up in the order history."""


class NotSettledYet(Exception):
    """An order may still appear under the label: ask again a little later."""


class OrderCoordinatorSteps(SagaParticipant[PreparedOrder, PlacedOrder, UndoOrder]):
    """The business behaviour of the order coordinator."""

    step = PLACE_ORDER
    client: DeribitClient
    limiter: RateLimiterClient
    validity_millis: int
    guard: SendGuard

    def execute_step(self, context: SagaContext, step_input: PreparedOrder) -> StepOutput[PlacedOrder, UndoOrder]:
        """Send the order once.

        Raises:
            CompensationRequiredError: the exchange refused it; nothing was placed.
            RetryableStepError: nothing was sent.
            AmbiguousStepError: it was sent, and nobody knows.
        """
        label = label_of(context.idempotency_key)
        if context.attempt == 1:
            self.guard.first_attempt(label)
        else:
            found = self._look_before_sending(step_input, label)
            if found is not None:
                return self._output(step_input, found, label)
        if isinstance(denied := self.limiter.acquire(Pool.MATCHING), Denied):
            raise RetryableStepError(f"out of request credits for {denied.retry_after_millis} ms")
        try:
            order = self.client.place_order(
                order_for(step_input, label), local_deadline_millis=_now_millis() + self.validity_millis
            )
        except RequestRefused as refused:
            raise CompensationRequiredError(f"the exchange refused the order: {refused}") from refused
        except NotConnected as error:
            raise RetryableStepError(str(error)) from error
        except DeribitError as error:
            self.guard.sent(label)
            raise AmbiguousStepError(str(error)) from error
        if order.state == "rejected":
            raise CompensationRequiredError(f"the exchange rejected order {order.order_id}")
        return self._output(step_input, order, label)

    def probe_step(self, context: SagaContext, step_input: PreparedOrder) -> ProbeResult[PlacedOrder, UndoOrder]:
        """Ask for the label. Nothing found is an answer only when nothing can appear any more.

        Raises:
            NotSettledYet, DeribitError: ask again later.
        """
        label = label_of(context.idempotency_key)
        # Judged before asking: an answer that takes long says nothing about the time in between.
        is_conclusive = self.guard.is_conclusive(label)
        found = self._find(step_input, label, context.saga_started_at_millis)
        if found is not None:
            return self._output(step_input, found, label)
        if not is_conclusive:
            raise NotSettledYet(f"no order with label {label} yet, one may still appear")
        self.guard.forget(label)
        self.guard.first_attempt(label)
        return StepNotExecuted()

    def compensate_step(self, context: SagaContext, undo: UndoOrder) -> None:
        """Cancel the order and offset whatever was filled of it."""
        Unwinding(self.client, self.guard, self.validity_millis).unwind(context, undo)

    def _look_before_sending(self, prepared: PreparedOrder, label: str) -> OrderSnapshot | None:
        """A former attempt sent nothing, as far as is known; the exchange may know better."""
        try:
            return with_label(self.client.get_order_state_by_label(prepared.settlement_currency, label), label)
        except DeribitError as error:
            raise RetryableStepError(str(error)) from error

    def _find(self, prepared: PreparedOrder, label: str, started_at_millis: int) -> OrderSnapshot | None:
        recent = self.client.get_order_state_by_label(prepared.settlement_currency, label, wait_for_connection=True)
        found = with_label(recent, label)
        if found is None and _now_millis() - started_at_millis > LABEL_WINDOW_MILLIS:
            found = with_label(self.client.get_order_history(prepared.instrument, wait_for_connection=True), label)
        return found

    def _output(self, prepared: PreparedOrder, order: OrderSnapshot, label: str) -> StepOutput[PlacedOrder, UndoOrder]:
        self.guard.forget(label)
        output, undo = placed(prepared, order, label)
        return StepOutput(output, undo)


def _now_millis() -> int:
    return time.time_ns() // 1_000_000
