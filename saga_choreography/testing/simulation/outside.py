"""The outside world of random sagas: services that fail in every way, and an operator who always tells the truth."""

from collections.abc import Callable, Mapping
from typing import Final, final

from saga_choreography.errors import (
    AmbiguousCompensationError,
    AmbiguousStepError,
    CompensationError,
    CompensationRequiredError,
    RetryableStepError,
    SafeToRetryCompensationError,
    StepError,
    TerminalCompensationError,
    TerminalStepError,
)
from saga_choreography.events import ResolutionKind
from saga_choreography.state import Quarantined
from saga_choreography.testing.simulation.chance import Chance
from saga_choreography.testing.simulation.ledger import Effect, Ledger, output_of, undo_of
from saga_choreography.testing.simulation.subject import Stage, Word
from saga_choreography.testing.simulation.weather import Turnout, Weather
from saga_choreography.traits.outcomes import ProbeResult, StepNotExecuted, StepOutcomeUnknown, StepOutput, StepPending
from saga_choreography.types import SagaContext, SagaId, SagaPlan

Result = StepOutput[bytes, bytes | None]
Answer = ProbeResult[bytes, bytes | None]

_NOBODY: Final = -1
_ANSWERS: Final = ("truth", "truth", "unknown", "fails")
_OUTSIDE_MILLIS: Final = (0, 20, 300, 2_000)
_SLOW_MILLIS: Final = (2, 20, 200)


class ServiceDown(Exception):
    """An exception that business code did not foresee."""


MEANT: Final = (ServiceDown, StepError, CompensationError)
"""What calls to the outside raise on purpose; anything else is a mistake of the simulation."""


@final
class Outside:
    """What the participants' business code talks to. `tell_end(effect)` tells who watches of a pending effect's end."""

    def __init__(
        self,
        plans: Mapping[SagaId, SagaPlan],
        chance: Chance,
        weather: Weather,
        stage: Stage,
        tell_end: Callable[[Effect], None],
    ) -> None:
        self.ledger: Ledger = Ledger(plans)
        self._chance = chance
        self._weather = weather
        self._stage = stage
        self._tell_end = tell_end

    def execute(self, context: SagaContext, given: list[bytes], incarnation: int) -> Result | StepPending:
        """One call of execute_step; `given` are the values it was given."""
        effect = self.ledger.effect(context.saga_id, context.step_name)
        self.ledger.check_key(context, "do")
        self.ledger.check_do(effect, given)
        turnout = self._turnout(self._weather.trouble)
        self._stage.note(context.step_name, context.saga_id, "runs", f"#{context.attempt}: {turnout.value}")
        match turnout:
            case Turnout.RETRYABLE:
                raise RetryableStepError(turnout.value)
            case Turnout.AMBIGUOUS_WITHOUT:
                raise AmbiguousStepError(turnout.value)
            case Turnout.UNEXPECTED_WITHOUT:
                raise ServiceDown(turnout.value)
            case Turnout.TERMINAL if not effect.happened and not effect.pending:
                raise self._chance.pick((TerminalStepError, CompensationRequiredError))(turnout.value)
            case Turnout.PENDING if not effect.happened:
                self._go_on(effect, incarnation)
                return self._deferred()
            case Turnout.AMBIGUOUS_LATER if not effect.happened:
                self._go_on(effect, _NOBODY)
                raise AmbiguousStepError(turnout.value)
            case _:
                effect.happened, effect.pending = True, False
        match turnout:
            case Turnout.AMBIGUOUS_WITH | Turnout.AMBIGUOUS_LATER:
                raise AmbiguousStepError(turnout.value)
            case Turnout.UNEXPECTED_WITH:
                raise ServiceDown(turnout.value)
            case _:
                return _result(effect)

    def compensate(self, context: SagaContext, undo: bytes) -> None:
        """One call of compensate_step."""
        effect = self.ledger.effect(context.saga_id, context.step_name)
        self.ledger.check_key(context, "undo")
        self.ledger.check_undo(effect, undo)
        turnout = self._turnout(self._weather.undo_trouble)
        self._stage.note(context.step_name, context.saga_id, "undoes", f"#{context.attempt}: {turnout.value}")
        if turnout in (Turnout.OK, Turnout.PENDING, Turnout.AMBIGUOUS_WITH, Turnout.UNEXPECTED_WITH):
            effect.undone = True
        match turnout:
            case Turnout.OK | Turnout.PENDING:
                return
            case Turnout.RETRYABLE:
                raise SafeToRetryCompensationError(turnout.value)
            case Turnout.UNEXPECTED_WITH | Turnout.UNEXPECTED_WITHOUT:
                raise ServiceDown(turnout.value)
            case Turnout.TERMINAL:
                raise TerminalCompensationError(turnout.value)
            case _:
                raise AmbiguousCompensationError(turnout.value)

    def probe(self, context: SagaContext, incarnation: int) -> Answer:
        """One call of probe_step."""
        effect = self.ledger.effect(context.saga_id, context.step_name)
        match self._answer():
            case "fails":
                raise ServiceDown("the probe failed")
            case "unknown":
                return StepOutcomeUnknown("the probe cannot tell")
            case _ if effect.happened:
                return _result(effect)
            case _ if effect.pending:
                effect.watcher = incarnation
                return self._deferred()
            case _:
                return StepNotExecuted()

    def cancel(self, context: SagaContext) -> Answer:
        """One call of cancel_step. What it ends, it also tells the watcher of, as a real service would."""
        effect = self.ledger.effect(context.saga_id, context.step_name)
        answer = self._answer()
        if effect.pending and self._chance.order.random() < 0.2:
            self._end(effect, happened=False)
        match answer:
            case "fails":
                raise ServiceDown("the cancellation failed")
            case "unknown":
                return StepOutcomeUnknown("the cancellation cannot tell")
            case _ if effect.happened:
                return _result(effect)
            case _:
                return StepPending() if effect.pending else StepNotExecuted()

    def resume(self, context: SagaContext, incarnation: int) -> None:
        """One call of resume_pending: watch again."""
        effect = self.ledger.effect(context.saga_id, context.step_name)
        effect.watcher = incarnation
        if not effect.pending:
            self._tell_end(effect)

    def word(self, saga_id: SagaId, step_name: str, parked: Quarantined) -> Word:
        """What an operator says after a good look - and sometimes a deed of their own."""
        effect = self.ledger.effect(saga_id, step_name)
        pick = self._chance.pick
        if effect.pending:
            self._end(effect, happened=self._chance.order.random() < 0.5)
        if effect.undone:
            return Word(kind=ResolutionKind.UNDONE)
        if parked.while_compensating:
            kind = pick((ResolutionKind.UNDONE, ResolutionKind.NOT_EXECUTED, ResolutionKind.RETRY))
            effect.excused = kind is ResolutionKind.NOT_EXECUTED
        elif effect.happened and not effect.pure:
            kind = pick((ResolutionKind.UNDONE, ResolutionKind.COMPLETED, ResolutionKind.RETRY))
        else:
            kind = pick((ResolutionKind.NOT_EXECUTED, ResolutionKind.COMPLETED, ResolutionKind.RETRY))
        if kind is ResolutionKind.UNDONE:
            effect.undone = True
        if kind is ResolutionKind.COMPLETED:
            effect.happened = True
            done = _result(effect)
            return Word(kind=kind, completed=StepOutput[object, object](done.output, done.undo))
        return Word(kind=kind)

    def result(self, effect: Effect) -> Result:
        """What a step gave that has happened."""
        return _result(effect)

    def hook(self) -> None:
        """One call of a hook."""
        if self._chance.strikes("hooks raised", self._weather.hook):
            raise ServiceDown("a hook that fails")

    def _turnout(self, trouble: float) -> Turnout:
        chance = self._chance
        if chance.strikes("slow calls", self._weather.slow):
            self._stage.spend(chance.pick(_SLOW_MILLIS))
        return chance.pick(self._weather.kinds) if chance.strikes("trouble", trouble) else Turnout.OK

    def _answer(self) -> str:
        return "truth" if self._chance.is_over else self._chance.pick(_ANSWERS)

    def _go_on(self, effect: Effect, watcher: int) -> None:
        effect.watcher = watcher
        if not effect.pending:
            effect.pending = True
            happens = self._chance.order.random() < 0.6
            self._stage.later(self._chance.pick(_OUTSIDE_MILLIS), lambda: self._end(effect, happened=happens))

    def _deferred(self) -> StepPending:
        return StepPending(timeout_millis=self._chance.pick((None, None, 1, 50, 1_000)))

    def _end(self, effect: Effect, *, happened: bool) -> None:
        if effect.pending:
            effect.pending = False
            effect.happened = happened
            self._stage.note(effect.step_name, effect.saga_id, "ends outside:", "done" if happened else "nothing done")
            self._tell_end(effect)


def _result(effect: Effect) -> Result:
    saga_id, name = effect.saga_id, effect.step_name
    return StepOutput(output_of(saga_id, name), None if effect.pure else undo_of(saga_id, name))
