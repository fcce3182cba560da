"""The outside world: business code that may fail in every way, and an operator who always tells the truth."""

from collections.abc import Callable
from typing import final

from saga_choreography.events import ResolutionKind
from saga_choreography.protocol.stimuli import (
    CompensationRaised,
    CompensationReturned,
    NotExecuted,
    OperatorResolved,
    ProbeRaised,
    Raised,
    StepDeferred,
    StepRaised,
    StepReturned,
    StillUnknown,
)
from saga_choreography.state import Quarantined
from saga_choreography.types import SagaContext, SagaOrigin, StepInput
from tests.simulation.fate import Fate, Turnout
from tests.simulation.ledger import Effect, Ledger, output_of, undo_of

_NOBODY = -1
_ANSWERS = ("truth", "truth", "unknown", "fails")


@final
class World:
    """`later(millis, call)` runs a call after a while; `tell_end(effect)` tells of a pending step's end."""

    def __init__(
        self,
        fate: Fate,
        now_millis: Callable[[], int],
        later: Callable[[int, Callable[[], None]], None],
        tell_end: Callable[[Effect], None],
    ) -> None:
        self.ledger = Ledger()
        self._fate = fate
        self._now_millis = now_millis
        self._later = later
        self._tell_end = tell_end

    def execute(
        self, origin: SagaOrigin, context: SagaContext, step_input: StepInput, incarnation: int
    ) -> StepReturned | StepDeferred | StepRaised:
        """One call of execute_step."""
        effect = self.ledger.effect(origin, context.step_name)
        self.ledger.check_key(context, "do")
        self.ledger.check_do(origin, effect, step_input)
        turnout = self._fate.forward()
        match turnout:
            case Turnout.RETRYABLE:
                return StepRaised(Raised.RETRYABLE, turnout.value)
            case Turnout.AMBIGUOUS_WITHOUT:
                return StepRaised(Raised.AMBIGUOUS, turnout.value)
            case Turnout.UNEXPECTED_WITHOUT:
                return StepRaised(Raised.UNEXPECTED, turnout.value)
            case Turnout.TERMINAL if not effect.happened and not effect.pending:
                return StepRaised(Raised.NO_EFFECT, turnout.value)
            case Turnout.PENDING if not effect.happened:
                self._go_on(effect, incarnation)
                return self._deferred()
            case Turnout.AMBIGUOUS_LATER if not effect.happened:
                self._go_on(effect, _NOBODY)
                return StepRaised(Raised.AMBIGUOUS, turnout.value)
            case _:
                effect.happened, effect.pending = True, False
        match turnout:
            case Turnout.AMBIGUOUS_WITH | Turnout.AMBIGUOUS_LATER:
                return StepRaised(Raised.AMBIGUOUS, turnout.value)
            case Turnout.UNEXPECTED_WITH:
                return StepRaised(Raised.UNEXPECTED, turnout.value)
            case _:
                return _returned(effect)

    def compensate(
        self, origin: SagaOrigin, context: SagaContext, undo: bytes
    ) -> CompensationReturned | CompensationRaised:
        """One call of compensate_step."""
        effect = self.ledger.effect(origin, context.step_name)
        self.ledger.check_key(context, "undo")
        self.ledger.check_undo(origin, effect, undo)
        turnout = self._fate.undo()
        if turnout in (Turnout.OK, Turnout.PENDING, Turnout.AMBIGUOUS_WITH, Turnout.UNEXPECTED_WITH):
            effect.undone = True
        if turnout in (Turnout.OK, Turnout.PENDING):
            return CompensationReturned()
        is_final = turnout not in (Turnout.RETRYABLE, Turnout.UNEXPECTED_WITH, Turnout.UNEXPECTED_WITHOUT)
        return CompensationRaised(not is_final, turnout.value)

    def probe(
        self, origin: SagaOrigin, context: SagaContext, incarnation: int
    ) -> StepReturned | StepDeferred | NotExecuted | StillUnknown | ProbeRaised:
        """One call of probe_step."""
        effect = self.ledger.effect(origin, context.step_name)
        match self._answer():
            case "fails":
                return ProbeRaised("the probe failed")
            case "unknown":
                return StillUnknown("the probe cannot tell")
            case _ if effect.happened:
                return _returned(effect)
            case _ if effect.pending:
                effect.watcher = incarnation
                return self._deferred()
            case _:
                return NotExecuted()

    def cancel(self, origin: SagaOrigin, context: SagaContext) -> StepReturned | NotExecuted | StillUnknown | None:
        """One call of cancel_step. What it ends, it also tells the watcher of, as a real service would."""
        effect = self.ledger.effect(origin, context.step_name)
        answer = self._answer()
        if effect.pending and self._fate.rng.random() < 0.2:
            self._end(effect, happened=False)
        if answer in ("unknown", "fails"):
            return StillUnknown("the cancellation cannot tell")
        if effect.happened:
            return _returned(effect)
        return None if effect.pending else NotExecuted()

    def resume(self, origin: SagaOrigin, context: SagaContext, incarnation: int) -> None:
        """One call of resume_pending: watch again."""
        effect = self.ledger.effect(origin, context.step_name)
        effect.watcher = incarnation
        if not effect.pending:
            self._tell_end(effect)

    def pending_result(self, origin: SagaOrigin, step_name: str) -> StepReturned | StepRaised | None:
        """What became of a pending step; None while it goes on."""
        effect = self.ledger.effect(origin, step_name)
        if effect.happened:
            return _returned(effect)
        return None if effect.pending else StepRaised(Raised.NO_EFFECT, "pending, then failed")

    def operator_word(self, origin: SagaOrigin, step_name: str, parked: Quarantined) -> OperatorResolved:
        """What an operator says after a good look - and sometimes a deed of their own."""
        effect = self.ledger.effect(origin, step_name)
        rng = self._fate.rng
        if effect.pending:
            self._end(effect, happened=rng.random() < 0.5)
        if effect.undone:
            return _word(ResolutionKind.UNDONE)
        if parked.while_compensating:
            kind = rng.choice((ResolutionKind.UNDONE, ResolutionKind.NOT_EXECUTED, ResolutionKind.RETRY))
            effect.excused = kind is ResolutionKind.NOT_EXECUTED
        elif effect.happened and not effect.pure:
            kind = rng.choice((ResolutionKind.UNDONE, ResolutionKind.COMPLETED, ResolutionKind.RETRY))
        else:
            kind = rng.choice((ResolutionKind.NOT_EXECUTED, ResolutionKind.COMPLETED, ResolutionKind.RETRY))
        if kind is ResolutionKind.UNDONE:
            effect.undone = True
        if kind is ResolutionKind.COMPLETED:
            effect.happened = True
            return _word(kind, _returned(effect))
        return _word(kind)

    def _answer(self) -> str:
        return "truth" if self._fate.is_over else self._fate.rng.choice(_ANSWERS)

    def _go_on(self, effect: Effect, watcher: int) -> None:
        effect.watcher = watcher
        if not effect.pending:
            effect.pending = True
            rng = self._fate.rng
            self._later(rng.choice((0, 20, 300, 2_000)), lambda: self._end(effect, happened=rng.random() < 0.6))

    def _deferred(self) -> StepDeferred:
        wait = self._fate.rng.choice((None, None, 0, 50, 1_000))
        return StepDeferred(None if wait is None else self._now_millis() + wait)

    def _end(self, effect: Effect, *, happened: bool) -> None:
        if effect.pending:
            effect.pending = False
            effect.happened = happened
            self._tell_end(effect)


def _returned(effect: Effect) -> StepReturned:
    return StepReturned(output_of(effect.saga_id, effect.step_name), undo_of(effect.saga_id, effect.step_name))


def _word(kind: ResolutionKind, result: StepReturned | None = None) -> OperatorResolved:
    output, undo = (None, None) if result is None else (result.output, result.undo)
    return OperatorResolved(resolution=kind, by="operator", why="looked", output=output, undo=undo)
