"""monitor_order: a deferred step. It waits for `user.orders` updates and believes none of them to be the only one.

An update can be lost or come before the step began, so the state is asked for once when the step begins, again when the
session is back or the program restarted, and whenever no end was heard of for a while.
"""

from collections.abc import Callable
from typing import assert_never, final

from attrs import frozen

from deribit_example.actors.deribit_ws import DeribitClient, DeribitError, OrderSnapshot, RequestRefused
from deribit_example.actors.order_monitor.business import Ended, StillOpen, read
from deribit_example.actors.order_monitor.messaging import OrderMonitorMessage, OrderResumed, OrderUpdated
from deribit_example.saga.order_lookup import by_id
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


@final
@frozen(kw_only=True)
class Watched:
    """An order whose end is awaited. `since_millis` (Unix) is when its saga began."""

    saga_id: SagaId
    placed: PlacedOrder
    since_millis: int


class OrderMonitorSteps(NothingToUndo, SagaParticipant[PlacedOrder, FilledOrder, None]):
    """The business behaviour of the order monitor."""

    step = MONITOR_ORDER
    client: DeribitClient
    follow_up_millis: int
    watched: dict[str, Watched]
    """By order id."""
    subscribed: set[str]
    """Instruments whose updates we hear, now or with the next session."""
    tell_self: Callable[[OrderMonitorMessage], None]

    def execute_step(
        self, context: SagaContext, step_input: PlacedOrder
    ) -> StepOutput[FilledOrder, None] | StepPending:
        """Watch the order; it may have ended already.

        Raises:
            TerminalStepError: it ended without being filled completely, or cannot be watched.
            RetryableStepError: the exchange could not be asked.
        """
        watched = self._watch(context, step_input)
        try:
            self.subscribe_to(step_input.instrument)
            order = self.look_at(watched, wait_for_connection=True)
        except RequestRefused as refused:
            self.stop_watching(context.saga_id)
            raise TerminalStepError(f"order {step_input.order_id} cannot be watched: {refused}") from refused
        except DeribitError as error:
            # Watched all the same: an update that comes before the next attempt ends the step.
            raise RetryableStepError(str(error)) from error
        reading = read(order, step_input.price)
        match reading:
            case StillOpen():
                return StepPending(timeout_millis=self.follow_up_millis)
            case FilledOrder():
                self.stop_watching(context.saga_id)
                return StepOutput(reading, None)
            case Ended(why):
                self.stop_watching(context.saga_id)
                raise TerminalStepError(why)
            case _:
                assert_never(reading)

    def cancel_step(self, context: SagaContext, step_input: PlacedOrder) -> ProbeResult[FilledOrder, None]:
        """Stop watching; the order itself is undone by who placed it."""
        self.stop_watching(context.saga_id)
        return StepNotExecuted()

    def resume_pending(self, context: SagaContext, step_input: PlacedOrder) -> None:
        """The program was restarted: watch again. Asking comes later, so that no restart waits for the exchange."""
        self._watch(context, step_input)
        self.tell_self(OrderResumed(step_input.order_id))

    def on_saga_completed(self, context: SagaContext) -> None:
        """Nothing is awaited any more."""
        self.stop_watching(context.saga_id)

    def on_saga_failed(self, context: SagaContext, reason: str) -> None:
        """Nothing is awaited any more."""
        self.stop_watching(context.saga_id)

    def stop_watching(self, saga_id: SagaId) -> None:
        """Forget the order of a saga; one that is not watched is no error."""
        for order_id in [key for key, watched in self.watched.items() if watched.saga_id == saga_id]:
            del self.watched[order_id]

    def subscribe_to(self, instrument: str) -> None:
        """Hear of the updates in an instrument: before asking, so that none falls between the two.

        Raises:
            DeribitError: not (yet) subscribed.
        """
        if instrument in self.subscribed:
            return
        try:
            self.client.watch_orders(instrument, self._on_order)
        except RequestRefused:
            raise
        except DeribitError:
            # The listener stays registered, and the next session subscribes before it is told to be back.
            self.subscribed.add(instrument)
            raise
        self.subscribed.add(instrument)

    def look_at(self, watched: Watched, *, wait_for_connection: bool) -> OrderSnapshot:
        """How the order stands, from the history if it ended long ago.

        Raises:
            DeribitError, HistoryTooLong: nobody could tell.
        """
        placed = watched.placed
        return by_id(self.client, placed.instrument, placed.order_id, watched.since_millis, wait=wait_for_connection)

    def _watch(self, context: SagaContext, placed: PlacedOrder) -> Watched:
        watched = Watched(saga_id=context.saga_id, placed=placed, since_millis=context.saga_started_at_millis)
        self.watched[placed.order_id] = watched
        return watched

    def _on_order(self, order: OrderSnapshot) -> None:
        self.tell_self(OrderUpdated(order))
