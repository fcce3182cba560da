"""A user's own workflow and participants as the subject of a simulation."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Generic, cast, final
from uuid import UUID

import pykka
from attrs import frozen
from typing_extensions import TypeVar

from saga_choreography.codec import payload_codec
from saga_choreography.errors import (
    AmbiguousStepError,
    ResolutionRefused,
    RetryableStepError,
    SafeToRetryCompensationError,
    TerminalStepError,
    UnknownSaga,
    WorkflowError,
)
from saga_choreography.helpers.watch import Verdict
from saga_choreography.runtime.initiator import SagaInitiator
from saga_choreography.state import ParticipantState, Quarantined
from saga_choreography.testing.simulation.chance import Chance
from saga_choreography.testing.simulation.subject import AnyParticipant, Stage, Start, Word
from saga_choreography.testing.simulation.violation import Violation
from saga_choreography.testing.simulation.weather import Turnout, Weather
from saga_choreography.traits.outcomes import StepOutput, StepPending
from saga_choreography.traits.participant import SagaParticipant, declared_tokens
from saga_choreography.traits.workflow import SagaWorkflow
from saga_choreography.types import PeerId, SagaContext, SagaId, SagaPlan

P = TypeVar("P")
W = TypeVar("W")

BEFORE = frozenset({Turnout.RETRYABLE, Turnout.TERMINAL, Turnout.AMBIGUOUS_WITHOUT, Turnout.UNEXPECTED_WITHOUT})
"""Ways a call can go wrong before it has done anything."""


@final
@frozen(kw_only=True)
class Troupe(Generic[W]):
    """Who takes part, checked once for all schedules."""

    plan: SagaPlan
    payload: bytes
    members: Mapping[PeerId, tuple[Callable[[W], AnyParticipant], frozenset[tuple[str, str]]]]
    world: Callable[[], W]
    check: Callable[[W, Verdict], None]

    @classmethod
    def of(
        cls,
        workflow: SagaWorkflow[P],
        participants: Sequence[Callable[[W], AnyParticipant]],
        *,
        payload: P,
        world: Callable[[], W],
        check: Callable[[W, Verdict], None],
    ) -> "Troupe[W]":
        """
        Raises:
            WorkflowError: a step is owned by nobody or by several, or two participants have the same class.
            PayloadError: the payload is not of the saga's class.
        """
        plan = workflow.plan
        members: dict[PeerId, tuple[Callable[[W], AnyParticipant], frozenset[tuple[str, str]]]] = {}
        faults: list[str] = []
        owners: dict[str, str] = {}
        for make in participants:
            made = make(world())
            peer_id = PeerId(type(made).__name__)
            if not isinstance(made, SagaParticipant):
                faults.append(f"{peer_id} is no SagaParticipant")
                continue
            if isinstance(made, SagaInitiator):
                faults.append(f"{peer_id} starts sagas of its own, and only one saga is explored at a time")
            if peer_id in members:
                faults.append(f"there are two participants of class {peer_id}")
            names = [token.name for token in declared_tokens(made) if plan.saga_type in token.sagas()]
            for name in names:
                if name in owners:
                    faults.append(f"step {name!r} is owned by {owners[name]} and by {peer_id}")
                owners[name] = peer_id
            members[peer_id] = (make, frozenset((plan.saga_type, name) for name in names))
        faults += [f"step {name!r} is owned by no participant" for name in plan.step_names if name not in owners]
        if faults:
            raise WorkflowError(plan.saga_type, faults)
        encoded = payload_codec(workflow.saga.gives).encode(payload, f"payload of saga type {plan.saga_type!r}")
        return cls(plan=plan, payload=encoded, members=members, world=world, check=check)


@final
class Explored(Generic[W]):
    """One schedule's world, and participants whose calls may go wrong before or after they run."""

    needs_timers = True
    most_crashes = 3

    def __init__(self, troupe: Troupe[W], chance: Chance, weather: Weather, stage: Stage) -> None:
        self._troupe = troupe
        self._chance = chance
        self._weather = weather
        self._stage = stage
        self._world = troupe.world()
        self._actors: dict[PeerId, AnyParticipant] = {}
        self._called: set[tuple[SagaId, str]] = set()
        """Steps that may have had their effect: they cannot be refused any more."""
        saga_id = SagaId(UUID(int=chance.shape.getrandbits(120)))
        self.starts: Sequence[Start] = (Start(saga_id=saga_id, plan=troupe.plan, payload=troupe.payload),)
        self.steps: dict[PeerId, frozenset[tuple[str, str]]] = {
            peer_id: steps for peer_id, (_, steps) in troupe.members.items()
        }

    def participant(self, peer_id: PeerId, incarnation: int) -> AnyParticipant:
        made = self._troupe.members[peer_id][0](self._world)
        actor = cast("SagaParticipant[object, object, object]", made)  # Troupe.of has checked it
        self._actors[peer_id] = made
        # On the instance, so that the class, by which hooks are recognised, stays what it is.
        object.__setattr__(actor, "execute_step", partial(self._execute, actor.execute_step))
        object.__setattr__(actor, "compensate_step", partial(self._compensate, actor.compensate_step))
        return made

    def ended(self, saga_id: SagaId, *, completed: bool) -> None:
        """What that means for the world is checked at rest."""

    def word(self, peer_id: PeerId, entry: ParticipantState[Quarantined]) -> Word | None:
        """Nobody here knows the truth: the saga stays parked."""
        return None

    def messages(self) -> Iterator[tuple[PeerId, Callable[[], None]]]:
        for peer_id, actor in self._actors.items():
            if isinstance(actor, pykka.Actor):
                while not actor.actor_inbox.empty():
                    yield peer_id, partial(_receive, actor, actor.actor_inbox.get().message)

    def finished(self, verdicts: Mapping[SagaId, Verdict]) -> None:
        for saga_id, verdict in verdicts.items():
            try:
                self._troupe.check(self._world, verdict)
            except AssertionError as error:
                lines = str(error).strip().splitlines() or ["the check failed"]
                raise Violation("check", f"{type(verdict).__name__}, but {lines[0]}", saga_id) from error

    # ---------------------------------------------------------------- calls that go wrong

    def _execute(
        self,
        execute: Callable[[SagaContext, object], StepOutput[object, object] | StepPending],
        context: SagaContext,
        step_input: object,
    ) -> StepOutput[object, object] | StepPending:
        step = (context.saga_id, context.step_name)
        turnout = self._turnout(context, self._weather.trouble)
        if turnout is Turnout.TERMINAL and step in self._called:
            turnout = Turnout.RETRYABLE
        if turnout in BEFORE:
            self._note(context, f"fails before it runs: {turnout.value}")
            match turnout:
                case Turnout.RETRYABLE:
                    raise RetryableStepError(turnout.value)
                case Turnout.TERMINAL:
                    raise TerminalStepError(turnout.value)
                case Turnout.AMBIGUOUS_WITHOUT:
                    raise AmbiguousStepError(turnout.value)
                case _:
                    raise ConnectionError(turnout.value)
        self._called.add(step)
        self._note(context, "runs")
        result = execute(context, step_input)
        if turnout is Turnout.OK or isinstance(result, StepPending):
            return result
        self._note(context, "has run, and its answer is lost")
        if turnout is Turnout.UNEXPECTED_WITH:
            raise ConnectionError("the answer is lost")
        raise AmbiguousStepError("the answer is lost")

    def _compensate(
        self, compensate: Callable[[SagaContext, object], None], context: SagaContext, undo: object
    ) -> None:
        turnout = self._turnout(context, self._weather.undo_trouble)
        if turnout in BEFORE:
            self._note(context, "undo fails before it runs")
            raise SafeToRetryCompensationError("the call failed before it ran")
        self._note(context, "undo runs")
        compensate(context, undo)
        if turnout is not Turnout.OK:
            self._note(context, "undo has run, and its answer is lost")
            raise ConnectionError("the answer is lost")

    def _turnout(self, context: SagaContext, trouble: float) -> Turnout:
        """The last attempts go well, so that bad luck alone never needs an operator."""
        plan = self._troupe.plan.step(context.step_name)
        assert plan is not None, "the engine runs steps of the plan only"
        most = min(plan.retry.max_attempts, plan.compensation_retry.max_attempts, plan.in_doubt_attempts)
        if context.attempt >= most or not self._chance.strikes("calls that fail", trouble):
            return Turnout.OK
        return self._chance.pick(self._weather.kinds)

    def _note(self, context: SagaContext, what: str) -> None:
        self._stage.note(context.step_name, context.saga_id, f"#{context.attempt}", what)


def _receive(actor: pykka.Actor, message: object) -> None:
    """Hand an actor a message of its own. What leaves it would end the actor, but for news that come too late."""
    try:
        actor.on_receive(message)
    except (UnknownSaga, ResolutionRefused):
        raise
    except Exception as error:
        what = f"{type(actor).__name__} raised {type(error).__name__} on a {type(message).__name__}: {error}"
        raise Violation("check", what) from error
