"""prepare_order: the root step. It only reads, so there is nothing to undo and nothing to be in doubt about."""

from deribit_example.actors.deribit_ws import DeribitClient, DeribitError, RequestRefused
from deribit_example.actors.order_placer.business import NotPlaceable, prepare
from deribit_example.saga.types import PREPARE_ORDER, OrderIntent, PreparedOrder
from saga_choreography import (
    NothingToUndo,
    RetryableStepError,
    SagaContext,
    SagaParticipant,
    StepOutput,
    TerminalStepError,
)


class OrderPlacerSteps(NothingToUndo, SagaParticipant[OrderIntent, PreparedOrder, None]):
    """The business behaviour of the order placer."""

    step = PREPARE_ORDER
    client: DeribitClient

    def execute_step(self, context: SagaContext, step_input: OrderIntent) -> StepOutput[PreparedOrder, None]:
        """Ask the exchange for the instrument and its price band, then check and round the order.

        Raises:
            TerminalStepError: no such order can be placed.
            RetryableStepError: the exchange could not be asked.
        """
        try:
            instrument = self.client.get_instrument(step_input.instrument)
            ticker = self.client.get_ticker(step_input.instrument)
        except RequestRefused as refused:
            raise TerminalStepError(f"the exchange knows nothing of {step_input.instrument}: {refused}") from refused
        except DeribitError as error:
            raise RetryableStepError(str(error)) from error
        try:
            return StepOutput(prepare(step_input, instrument, ticker), None)
        except NotPlaceable as problem:
            raise TerminalStepError(str(problem)) from problem
