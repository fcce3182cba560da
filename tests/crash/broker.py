"""A participant that is an initiator too: its step is a child saga, and ends when that has its outcome."""

from contextlib import suppress

from saga_choreography import (
    Executing,
    RetryableStepError,
    SagaBackpressure,
    SagaCompleted,
    SagaContext,
    SagaFailed,
    SagaId,
    SagaInitiator,
    SagaQuarantined,
    StepOutput,
    StepPending,
    TerminalStepError,
    UnknownSaga,
    complete_pending,
    fail_pending,
)
from saga_choreography.state import is_in
from saga_choreography.types import idempotency_key
from tests.crash.fates import after_effect, before_effect, undo
from tests.crash.ledger_lines import Op, Request
from tests.crash.plain_actors import Counting
from tests.crash.tokens import CHILD_WORKFLOW, DELEGATE, PARENT, Made, Order, number_of, saga_id_of

CHILDREN = "children"
"""The lane of the ledger's acknowledgements that child sagas are noted in."""


class Broker(SagaInitiator, Counting[Made, Made, Made]):
    """The effect of the step is noted in the ledger when the child has completed, under the key of the step."""

    step = DELEGATE

    def execute_step(self, context: SagaContext, step_input: Made) -> StepOutput[Made, Made] | StepPending:
        luck = before_effect(context)
        outcome = self._start_child(context)
        after_effect(luck)
        if isinstance(outcome, SagaFailed):
            raise TerminalStepError(f"the child failed: {outcome.reason}")
        if isinstance(outcome, SagaCompleted):
            made = self._note(context.saga_id, context.attempt)
            return StepOutput(made, made)
        return StepPending()

    def resume_pending(self, context: SagaContext, step_input: Made) -> None:
        # The outcome may have been committed and the hook never called: the program was killed in between.
        self._end_step(context.saga_id, context.attempt, self._start_child(context))

    def on_saga_outcome(self, outcome: SagaCompleted | SagaFailed | SagaQuarantined) -> None:
        parent = saga_id_of(PARENT.name, number_of(outcome.saga_id))
        entry = self.saga_states.get(parent)
        if entry is not None and is_in(entry, Executing):
            self._end_step(parent, entry.state.attempt, outcome)

    def compensate_step(self, context: SagaContext, undo_data: Made) -> None:
        undo(self.outside, context, undo_data.key)

    def _start_child(self, context: SagaContext) -> SagaCompleted | SagaFailed | SagaQuarantined | None:
        number = number_of(context.saga_id)
        child = saga_id_of(CHILD_WORKFLOW.saga.name, number)
        try:
            handle = self.start_saga(CHILD_WORKFLOW, Order(number), saga_id=child)
        except SagaBackpressure as full:
            raise RetryableStepError("too many children") from full
        self.outside.ask(Request(op=Op.ACK, saga=child.int, step=CHILDREN))
        return handle.outcome()

    def _end_step(
        self, parent: SagaId, attempt: int, outcome: SagaCompleted | SagaFailed | SagaQuarantined | None
    ) -> None:
        with suppress(UnknownSaga):  # the parent has ended: this was said before
            if isinstance(outcome, SagaCompleted):
                made = self._note(parent, attempt)
                complete_pending(self, parent, StepOutput(made, made))
            elif isinstance(outcome, SagaFailed):
                fail_pending(self, parent, f"the child failed: {outcome.reason}")

    def _note(self, parent: SagaId, attempt: int) -> Made:
        key = idempotency_key(parent, DELEGATE.name, "do")
        self.outside.ask(Request(op=Op.DO, saga=parent.int, step=DELEGATE.name, key=key, attempt=attempt))
        return Made(DELEGATE.name, key)
