"""place_order: the one step that cannot simply be repeated, and how it is settled and undone.

The label is derived from the idempotency key, so it is journaled (with the start of the attempt) before anything is
sent. An unknown outcome is settled by asking for the label, never by sending again.
"""

from typing import final

from deribit_example.actors.deribit_ws import (
    DeribitClient,
    DeribitError,
    NotConnected,
    OrderSnapshot,
    RequestRefused,
)
from deribit_example.actors.order_coordinator.business import NEVER_MATCHED, deadline_in, label_of, order_for, placed
from deribit_example.actors.order_coordinator.credit import give_back, shortage
from deribit_example.actors.order_coordinator.send_guard import SendGuard
from deribit_example.actors.order_coordinator.unwinding import Unwinding
from deribit_example.actors.rate_limiter import RateLimiterClient
from deribit_example.saga.order_lookup import LabelNotUnique, old_by_label, recent_by_label
from deribit_example.saga.types import PLACE_ORDER, PlacedOrder, PreparedOrder, UndoOrder
from saga_choreography import (
    AmbiguousStepError,
    CompensationRequiredError,
    ProbeResult,
    RetryableStepError,
    SagaContext,
    SagaParticipant,
    StepNotExecuted,
    StepOutcomeUnknown,
    StepOutput,
)


@final
class NotSettledYet(Exception):
    """An order may still appear under the label: ask again a little later."""

    def __init__(self, label: str) -> None:
        super().__init__(label)
        self.label = label

    def __str__(self) -> str:
        return f"no order with label {self.label} yet, one may still appear"


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
            RetryableStepError: nothing was placed, and it may be sent again.
            AmbiguousStepError: it was sent, or may have been, and nobody knows what became of it.
        """
        label = label_of(context.idempotency_key)
        if context.attempt == 1:
            self.guard.first_attempt(context)
        else:
            found = self._look_before_sending(context, step_input, label)
            if found is not None:
                return _output(step_input, found, label)
        return _output(step_input, self._send(context, step_input, label), label)

    def probe_step(self, context: SagaContext, step_input: PreparedOrder) -> ProbeResult[PlacedOrder, UndoOrder]:
        """Ask for the label, then the history. Nothing found is an answer only when nothing can appear any more.

        An order found in any state is the answer: one that ended badly is undone once the monitor has said so.

        Raises:
            NotSettledYet, DeribitError: ask again later.
        """
        label = label_of(context.idempotency_key)
        try:
            # Read before asking: an answer is conclusive only if it was given after that moment.
            has_settled = self.guard.has_settled(context, label)
            found = recent_by_label(self.client, step_input.settlement_currency, label, wait_for_connection=True)
            if found is None and has_settled:
                found = old_by_label(self.client, step_input.instrument, label, context.saga_started_at_millis)
        except LabelNotUnique as problem:
            return StepOutcomeUnknown(str(problem))
        if found is not None:
            return _output(step_input, found, label)
        if not has_settled:
            raise NotSettledYet(label)
        self.guard.not_sent(context, label)
        return StepNotExecuted()

    def compensate_step(self, context: SagaContext, undo: UndoOrder) -> None:
        """Cancel the order and offset whatever was filled of it."""
        if context.attempt == 1:
            self.guard.first_attempt(context)
        Unwinding(
            context=context,
            undo=undo,
            client=self.client,
            limiter=self.limiter,
            guard=self.guard,
            validity_millis=self.validity_millis,
        ).unwind()

    def on_saga_completed(self, context: SagaContext) -> None:
        """Nothing can be in doubt any more."""
        self.guard.forget(context.saga_id)

    def on_saga_failed(self, context: SagaContext, reason: str) -> None:
        """Nothing can be in doubt any more."""
        self.guard.forget(context.saga_id)

    def _look_before_sending(self, context: SagaContext, prepared: PreparedOrder, label: str) -> OrderSnapshot | None:
        """A former attempt sent nothing, as far as is known; the exchange may know better."""
        if not self.guard.is_clean(context, label):
            raise AmbiguousStepError("an earlier attempt may have sent the order")
        try:
            return recent_by_label(self.client, prepared.settlement_currency, label)
        except LabelNotUnique as problem:
            raise AmbiguousStepError(str(problem)) from problem
        except DeribitError as error:
            raise RetryableStepError(str(error)) from error

    def _send(self, context: SagaContext, prepared: PreparedOrder, label: str) -> OrderSnapshot:
        if (why := shortage(self.limiter)) is not None:
            raise RetryableStepError(why)
        self.guard.sending(context, label)
        try:
            order = self.client.place_order(
                order_for(prepared, label), local_deadline_millis=deadline_in(self.validity_millis)
            )
        except RequestRefused as refused:
            self.guard.not_sent(context, label)
            if refused.code in NEVER_MATCHED:
                raise RetryableStepError(str(refused)) from refused
            raise CompensationRequiredError(f"the exchange refused the order: {refused}") from refused
        except NotConnected as error:
            self.guard.not_sent(context, label)
            give_back(self.limiter)
            raise RetryableStepError(str(error)) from error
        except DeribitError as error:
            raise AmbiguousStepError(str(error)) from error
        if order.state == "rejected":
            raise CompensationRequiredError(f"the exchange rejected order {order.order_id}")
        return order


def _output(prepared: PreparedOrder, order: OrderSnapshot, label: str) -> StepOutput[PlacedOrder, UndoOrder]:
    output, undo = placed(prepared, order, label)
    return StepOutput(output, undo)
