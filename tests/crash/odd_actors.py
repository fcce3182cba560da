"""A step that ends later, and one that nobody but an operator may try again."""

from contextlib import suppress
from functools import partial
from typing import final

from attrs import frozen

from saga_choreography import (
    AmbiguousCompensationError,
    AmbiguousStepError,
    ProbeResult,
    SagaContext,
    SagaId,
    StepNotExecuted,
    StepOutcomeUnknown,
    StepOutput,
    StepPending,
    TerminalCompensationError,
    TerminalStepError,
    UnknownSaga,
    complete_pending,
    fail_pending,
)
from tests.crash.fates import after_effect, before_effect, fate, is_refused, undo
from tests.crash.ledger_lines import Op, Request, Standing
from tests.crash.outside import attempt_request
from tests.crash.plain_actors import Counting, Plain
from tests.crash.tokens import OPEN, ORDER, Made

PENDING_MILLIS = 180
"""How long an order is waited for; some take longer."""
LONGEST_ORDER_MILLIS = 260


@final
@frozen
class OrderEnded:
    """The ledger says how an order has ended."""

    saga_id: SagaId
    key: str
    standing: Standing


class Deferrer(Counting[Made, Made, Made]):
    """Submits an order to the ledger, which ends it after a random time; the word of it comes from another thread."""

    step = ORDER

    def execute_step(self, context: SagaContext, step_input: Made) -> StepOutput[Made, Made] | StepPending:
        luck = fate(context.step_name, context.saga_id, context.attempt)
        if not is_refused(context):  # the ledger refuses those, later
            luck = before_effect(context)
        request = attempt_request(Op.SUBMIT, context)
        answer = self.outside.ask(
            Request(
                op=request.op,
                saga=request.saga,
                step=request.step,
                key=request.key,
                attempt=request.attempt,
                after=LONGEST_ORDER_MILLIS * fate("how long", context.saga_id) ** 2 // 1_000_000,
                refuse=is_refused(context),
            )
        )
        after_effect(luck)
        match answer.standing:
            case Standing.DONE:
                return _made(context)
            case Standing.REFUSED | Standing.CANCELLED:
                raise TerminalStepError(answer.standing.value)
            case _:
                self._watch(context)
                return StepPending(timeout_millis=PENDING_MILLIS)

    def resume_pending(self, context: SagaContext, step_input: Made) -> None:
        self._watch(context)

    def cancel_step(self, context: SagaContext, step_input: Made) -> ProbeResult[Made, Made]:
        luck = fate("cancel", context.saga_id)
        if luck < 150:
            return StepPending()  # it will end by itself
        standing = self.outside.ask(attempt_request(Op.CANCEL, context)).standing
        if luck < 300:
            return StepOutcomeUnknown("cancelled, or not?")
        return _made(context) if standing is Standing.DONE else StepNotExecuted()

    def compensate_step(self, context: SagaContext, undo_data: Made) -> None:
        undo(self.outside, context, undo_data.key)

    def on_message(self, message: object) -> object:
        if not isinstance(message, OrderEnded):
            return super().on_message(message)
        with suppress(UnknownSaga):  # it has ended meanwhile: an earlier watcher was faster
            if message.standing is Standing.DONE:
                made = Made(self.step.name, message.key)
                complete_pending(self, message.saga_id, StepOutput(made, made))
            elif message.standing is not Standing.UNDONE:
                fail_pending(self, message.saga_id, message.standing.value)
        return None

    def _watch(self, context: SagaContext) -> None:
        self.outside.watch(context.idempotency_key, partial(self._ended, context.saga_id, context.idempotency_key))

    def _ended(self, saga_id: SagaId, key: str, standing: Standing) -> None:
        self.actor_ref.tell(OrderEnded(saga_id, key, standing))


class Keeper(Plain[Made]):
    """In doubt it asks the ledger, which sometimes cannot tell; sometimes an undo needs an operator too."""

    step = OPEN

    def execute_step(self, context: SagaContext, step_input: Made) -> StepOutput[Made, Made]:
        output = super().execute_step(context, step_input)
        if fate("doubt", context.saga_id, context.attempt) < 150:
            raise AmbiguousStepError("the ledger was slow to say")
        return output

    def probe_step(self, context: SagaContext, step_input: Made) -> ProbeResult[Made, Made]:
        luck = fate("probe", context.saga_id, context.attempt)
        if luck < 350:
            return StepOutcomeUnknown("the ledger is not sure")
        if luck < 450:
            raise OSError("the ledger does not answer")
        standing = self.outside.ask(attempt_request(Op.PROBE, context)).standing
        return _made(context) if standing is Standing.DONE else StepNotExecuted()

    def compensate_step(self, context: SagaContext, undo_data: Made) -> None:
        luck = fate("parked undo", context.saga_id, context.attempt)
        if luck < 60:
            raise TerminalCompensationError("not by this program")
        super().compensate_step(context, undo_data)
        if luck < 120:
            raise AmbiguousCompensationError("undone, or not?")


def _made(context: SagaContext) -> StepOutput[Made, Made]:
    made = Made(context.step_name, context.idempotency_key)
    return StepOutput(made, made)
