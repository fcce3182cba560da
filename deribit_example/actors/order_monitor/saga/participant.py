"""monitor_order: a deferred step. It waits for `user.orders` updates and believes none of them to be the only one.

An update can be lost or come before the step began, so the state is asked for once when the step begins, again when the
session is back or the program restarted, and whenever no end was heard of for a while.
"""

import logging
from collections.abc import Callable

from deribit_example.actors.deribit_ws import (
    DeribitClient,
    DeribitError,
    NotConnected,
    OrderSnapshot,
    RequestRefused,
)
from deribit_example.actors.order_monitor.business import Ended, StillOpen, read
from deribit_example.saga.types import MONITOR_ORDER, FilledOrder, PlacedOrder
from saga_choreography import (
    NothingToUndo,
    ProbeResult,
    RetryableStepError,
    SagaContext,
    SagaId,
    SagaParticipant,
    StepNotExecuted,
    StepOutput,
    StepPending,
    TerminalStepError,
)

_log = logging.getLogger(__name__)


class OrderMonitorSteps(NothingToUndo, SagaParticipant[PlacedOrder, FilledOrder, None]):
    """The business behaviour of the order monitor."""

    step = MONITOR_ORDER
    client: DeribitClient
    follow_up_millis: int
    watched: dict[str, SagaId]
    """Pending sagas by order id."""
    subscribed: set[str]
    """Instruments whose updates we hear."""
    tell_self_of: Callable[[OrderSnapshot], None]

    def execute_step(
        self, context: SagaContext, step_input: PlacedOrder
    ) -> StepOutput[FilledOrder, None] | StepPending:
        """Watch the order; it may have ended already.

        Raises:
            TerminalStepError: it ended without being filled completely.
            RetryableStepError: the exchange could not be asked.
        """
        self.watched[step_input.order_id] = context.saga_id
        try:
            order = self._watch(step_input)
        except RequestRefused as refused:
            del self.watched[step_input.order_id]
            raise TerminalStepError(f"order {step_input.order_id} cannot be watched: {refused}") from refused
        except DeribitError as error:
            raise RetryableStepError(str(error)) from error
        reading = read(order)
        match reading:
            case StillOpen():
                return StepPending(timeout_millis=self.follow_up_millis)
            case FilledOrder():
                del self.watched[step_input.order_id]
                return StepOutput(reading, None)
            case Ended(why):
                del self.watched[step_input.order_id]
                raise TerminalStepError(why)

    def cancel_step(self, context: SagaContext, step_input: PlacedOrder) -> ProbeResult[FilledOrder, None]:
        """Stop watching; the order itself is undone by who placed it."""
        self.watched.pop(step_input.order_id, None)
        return StepNotExecuted()

    def resume_pending(self, context: SagaContext, step_input: PlacedOrder) -> None:
        """The program was restarted: watch again, and ask, for updates were lost meanwhile."""
        self.watched[step_input.order_id] = context.saga_id
        try:
            self.tell_self_of(self._watch(step_input))
        except DeribitError as error:
            _log.warning("order %s is asked for with the next session or follow-up: %s", step_input.order_id, error)

    def _watch(self, placed: PlacedOrder) -> OrderSnapshot:
        """Subscribe before asking, so that no update falls between the two."""
        if placed.instrument not in self.subscribed:
            try:
                self.client.watch_orders(placed.instrument, self.tell_self_of)
            except NotConnected:
                # The listener stays registered, and the next session subscribes before it is told to be back.
                self.subscribed.add(placed.instrument)
                raise
            self.subscribed.add(placed.instrument)
        return self.client.get_order_state(placed.order_id, wait_for_connection=True)
