"""A random subject: up to three sagas of one or two random workflows, and participants that do as the weather says."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from random import Random
from typing import final
from uuid import UUID

from typing_extensions import override

from saga_choreography.codec import payload_codec
from saga_choreography.helpers.handler import complete_pending, fail_pending
from saga_choreography.helpers.watch import Verdict
from saga_choreography.state import ParticipantState, Quarantined
from saga_choreography.testing.simulation.chance import Chance
from saga_choreography.testing.simulation.ledger import Effect, output_of
from saga_choreography.testing.simulation.outside import MEANT, Answer, Outside, Result
from saga_choreography.testing.simulation.subject import INITIATOR, AnyParticipant, Stage, Start, Word
from saga_choreography.testing.simulation.violation import Violation
from saga_choreography.testing.simulation.weather import Weather
from saga_choreography.testing.simulation.workflows import MOST_STEPS, RandomStep, random_workflow
from saga_choreography.traits.outcomes import StepPending
from saga_choreography.traits.participant import SagaParticipant
from saga_choreography.types import SAGA_START, PeerId, SagaContext, SagaId, SagaPlan


@contextmanager
def nothing_unmeant(context: SagaContext) -> Iterator[None]:
    """The engine takes whatever business code raises; a mistake of the simulation itself must not pass for that."""
    try:
        yield
    except MEANT:
        raise
    except Exception as error:
        raise Violation("simulation", f"{type(error).__name__}: {error}", context.saga_id) from error


class Plain(SagaParticipant[object, bytes, bytes | None]):
    """Talks to the outside; resumes what is pending."""

    def __init__(self, steps: tuple[RandomStep, ...], outside: Outside, incarnation: int) -> None:
        self.steps = steps
        self.outside = outside
        self.incarnation = incarnation

    def execute_step(self, context: SagaContext, step_input: object) -> Result | StepPending:
        with nothing_unmeant(context):
            return self.outside.execute(context, list(leaves(step_input)), self.incarnation)

    def compensate_step(self, context: SagaContext, undo: bytes | None) -> None:
        with nothing_unmeant(context):
            self.outside.compensate(context, undo if undo is not None else b"no undo data")

    def resume_pending(self, context: SagaContext, step_input: object) -> None:
        with nothing_unmeant(context):
            self.outside.resume(context, self.incarnation)

    def on_saga_completed(self, context: SagaContext) -> None:
        self._hook()

    def on_saga_failed(self, context: SagaContext, reason: str) -> None:
        self._hook()

    def on_quarantined(self, context: SagaContext, reason: str) -> None:
        self._hook()

    def _hook(self) -> None:
        self.outside.hook()


class Probing(Plain):
    """Can find out what became of an attempt, sometimes."""

    @override
    def probe_step(self, context: SagaContext, step_input: object) -> Answer:
        with nothing_unmeant(context):
            return self.outside.probe(context, self.incarnation)


class Cancelling(Plain):
    """Can stop a pending step, sometimes."""

    @override
    def cancel_step(self, context: SagaContext, step_input: object) -> Answer:
        with nothing_unmeant(context):
            return self.outside.cancel(context)


class Skilled(Probing, Cancelling):
    """Can do both."""


def leaves(value: object) -> Iterator[bytes]:
    """The values in an input, whatever joins them."""
    if isinstance(value, bytes):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from leaves(part)


@final
class RandomSubject:
    """Drawn from the shape stream of the dice."""

    def __init__(self, chance: Chance, weather: Weather, stage: Stage) -> None:
        rng = chance.shape
        drawn = [random_workflow(rng, f"type{number}", weather) for number in range(rng.choice((1, 1, 1, 2)))]
        self._chance = chance
        self._stage = stage
        self.starts: Sequence[Start] = tuple(self._starts(rng, [workflow.plan for workflow, _ in drawn]))
        self._tokens: dict[PeerId, tuple[RandomStep, ...]] = {}
        self._kinds: dict[PeerId, type[Plain]] = {}
        probes, cancels = rng.choice((0.1, 0.4, 0.8)), rng.choice((0.1, 0.4, 0.9))
        starter_works_too = rng.random() < 0.2
        for name in (f"s{number}" for number in range(MOST_STEPS)):
            tokens = tuple(step for _, steps in drawn for step in steps if step.name == name)
            if not tokens:
                break
            peer_id = INITIATOR if starter_works_too and name == "s0" else PeerId(name)
            self._tokens[peer_id] = tokens
            kinds = {(False, False): Plain, (True, False): Probing, (False, True): Cancelling, (True, True): Skilled}
            self._kinds[peer_id] = kinds[rng.random() < probes, rng.random() < cancels]
        self.steps: Mapping[PeerId, frozenset[tuple[str, str]]] = {
            peer_id: frozenset((saga, step.name) for step in steps for saga in step.sagas())
            for peer_id, steps in self._tokens.items()
        }
        self._owner = {step: peer_id for peer_id, steps in self.steps.items() for _, step in steps}
        self._participants: dict[PeerId, Plain] = {}
        plans = {start.saga_id: start.plan for start in self.starts}
        self._outside = Outside(plans, chance, weather, stage, self._tell_end)

    def _starts(self, rng: Random, plans: Sequence[SagaPlan]) -> Iterator[Start]:
        first = rng.getrandbits(80) << 16
        for number in range(3):
            # Another saga is one more way to get into trouble, so it can be taken away like any other.
            if number == 0 or self._chance.strikes("more sagas", 0.15):
                saga_id = SagaId(UUID(int=first + number))
                payload = payload_codec(bytes).encode(output_of(saga_id, SAGA_START), "payload")
                yield Start(saga_id=saga_id, plan=plans[number % len(plans)], payload=payload)

    def participant(self, peer_id: PeerId, incarnation: int) -> AnyParticipant:
        made = self._kinds[peer_id](self._tokens[peer_id], self._outside, incarnation)
        self._participants[peer_id] = made
        return made

    def ended(self, saga_id: SagaId, *, completed: bool) -> None:
        self._outside.ledger.check_outcome(saga_id, completed=completed)

    def word(self, peer_id: PeerId, entry: ParticipantState[Quarantined]) -> Word | None:
        return self._outside.word(entry.saga_id, entry.step_name, entry.state)

    needs_timers = False
    most_crashes = None

    def messages(self) -> Iterable[tuple[PeerId, Callable[[], None]]]:
        """All that the outside tells comes through the stage."""
        return ()

    def finished(self, verdicts: Mapping[SagaId, Verdict]) -> None:
        """The ledger was checked at every outcome."""

    def _tell_end(self, effect: Effect) -> None:
        """Tell the incarnation that watches; when it hears of it, it looks at what is true by then."""
        peer_id = self._owner[effect.step_name]

        def report() -> None:
            participant = self._participants[peer_id]
            if effect.happened:
                complete_pending(participant, effect.saga_id, self._outside.result(effect))
            elif not effect.pending:
                fail_pending(participant, effect.saga_id, "it came to nothing")

        if effect.watcher >= 0:
            self._stage.call(peer_id, effect.watcher, report)
