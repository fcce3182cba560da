"""Both cores in a world that crashes, repeats, reorders and loses: no effect leaks, and every saga ends."""

from collections.abc import Callable
from random import Random
from typing import Final, TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st

from saga_choreography.events import (
    FenceRecorded,
    InitiatorEvent,
    OutcomeKind,
    ParticipantEvent,
    ResolutionKind,
    SagaChoreographyEvent,
    SagaEnded,
    SagaOutcome,
    StepEvent,
    StepExecutionStarted,
    TimestampedEvent,
)
from saga_choreography.protocol.commands import (
    ArmTimer,
    AwaitRun,
    Command,
    Decision,
    Forget,
    NotifyQuarantined,
    Publish,
    ResumePending,
    RunCancel,
    RunCompensation,
    RunProbe,
    RunStep,
)
from saga_choreography.protocol.facts import fact_of
from saga_choreography.protocol.fold import fold
from saga_choreography.protocol.memory import StepMemory, unheard_of
from saga_choreography.protocol.resolver import accept, resolve, saga_facts
from saga_choreography.protocol.resolver_commands import (
    ArmDeadline,
    CancelRequested,
    Resolution,
    ResolverRecovered,
    ResolverStimulus,
    SagaMemory,
    Tell,
    TellStep,
)
from saga_choreography.protocol.resolver_fold import fold_saga
from saga_choreography.protocol.routing import addressees
from saga_choreography.protocol.spec import ParticipantSpec
from saga_choreography.protocol.stimuli import (
    CompensationRaised,
    CompensationReturned,
    NotExecuted,
    OperatorResolved,
    ProbeRaised,
    Raised,
    Recovered,
    RunGranted,
    StepDeferred,
    StepRaised,
    StepReturned,
    StillUnknown,
    Stimulus,
)
from saga_choreography.state import Compensating, Executing, Quarantined, SagaStateEntry
from saga_choreography.types import (
    After,
    AllOf,
    AnyOf,
    DependencySpec,
    InDoubt,
    OnSagaStart,
    RetryPolicy,
    SagaOrigin,
    StepPlan,
)

Build: TypeAlias = Callable[..., SagaOrigin]
Turn: TypeAlias = Callable[..., Decision]

INITIATOR: Final = "@initiator"
MAX_EVENTS: Final = 20_000
DONE: Final = StepReturned(b"o", b"u")


class Desk:
    """One participant: a journal that survives, a memory that does not, and the effect it has outside."""

    def __init__(self, plan: StepPlan, spec: ParticipantSpec) -> None:
        self.plan = plan
        self.spec = spec
        self.journal: list[TimestampedEvent[ParticipantEvent]] = []
        self.memory: StepMemory | None = None
        self.has_effect = False
        self.goes_on_outside = False
        self.ended = False

    def entry(self) -> SagaStateEntry | None:
        entry: SagaStateEntry | None = None
        for record in self.journal:
            entry = fold(entry, record)
        return entry


class World:
    """A single-threaded scheduler: what may happen next is drawn from the seed."""

    def __init__(self, origin: SagaOrigin, turn: Turn, seed: int, *, faults: bool) -> None:
        self.random = Random(seed)
        self.origin = origin
        self.turn = turn
        self.faults = faults
        self.crashes_left = self.random.randrange(6) if faults else 0
        self.desks = {plan.step_name: Desk(plan, self._spec(plan)) for plan in origin.plan.steps}
        self.pool: list[tuple[str, SagaChoreographyEvent | Stimulus | ResolverStimulus | Command]] = []
        self.saga_journal: list[TimestampedEvent[InitiatorEvent]] = []
        self.now = origin.started_at_millis
        self.told: list[SagaOutcome] = []
        self.memory = self._resolved(accept(origin, b"p", b"d"))
        if faults and self.random.random() < 0.2:
            self.pool.append((INITIATOR, CancelRequested("enough")))

    def _spec(self, plan: StepPlan) -> ParticipantSpec:
        coin = self.random.random
        return ParticipantSpec(step_name=plan.step_name, has_probe=coin() < 0.5, has_cancel=coin() < 0.5)

    def chance(self, share: float) -> bool:
        return self.faults and self.random.random() < share

    # ------------------------------------------------------------ scheduling

    def run(self) -> None:
        """Until nothing can happen any more.

        Raises:
            AssertionError: it never comes to rest, or a promise is broken on the way.
        """
        for _ in range(MAX_EVENTS):
            if not self.pool:
                return
            self.now += 1
            if self.crashes_left and self.chance(0.05):
                self.crash(self.random.choice([INITIATOR, *self.desks]))
                continue
            position = self.random.randrange(len(self.pool))
            who, what = self.pool[position]
            if not (isinstance(what, SagaChoreographyEvent) and self.chance(0.1)):
                del self.pool[position]  # otherwise it is delivered now and once more
            if who == INITIATOR:
                assert isinstance(what, ResolverStimulus)
                self.memory = self._resolved(resolve(self.memory, what, self.now))
            elif isinstance(what, Command):
                self._call(self.desks[who], what)
            else:
                assert isinstance(what, Stimulus)
                self._feed(self.desks[who], what)
        raise AssertionError(f"not at rest after {MAX_EVENTS} events")

    def publish(self, event: SagaChoreographyEvent, only: str | None = None) -> None:
        to = addressees(event)
        names = [*to.steps, *([INITIATOR] if to.initiator else [])]
        self.pool += [(name, event) for name in names if only in (None, name)]

    def crash(self, who: str) -> None:
        """Mailbox, timers and memory are gone; the journal is not. Then both sides tell their facts again."""
        self.crashes_left -= 1
        self.pool = [(name, what) for name, what in self.pool if name != who]
        if who == INITIATOR:
            entry = None
            for record in self.saga_journal:
                entry = fold_saga(entry, record)
            assert entry is not None
            self.memory = SagaMemory(entry=entry, progress_at_millis=entry.updated_at_millis)
            for event in saga_facts(self.memory):
                self.publish(event)
            self.memory = self._resolved(resolve(self.memory, ResolverRecovered(), self.now))
        else:
            desk = self.desks[who]
            entry_now = None if desk.ended else desk.entry()
            desk.memory = None if entry_now is None else StepMemory(entry=entry_now)
            if desk.goes_on_outside and desk.memory is not None:
                self._outside_ends(desk)
            if entry_now is not None:
                fact = fact_of(entry_now)
                if fact is not None:
                    self.publish(fact)
                self._feed(desk, Recovered())
                if isinstance(entry_now.state, Quarantined):
                    self.pool.append((who, NotifyQuarantined("seen in the list of parked steps")))
            if self.memory.entry.outcome is None:
                for event in saga_facts(self.memory):
                    self.publish(event, only=who)
        for desk in self.desks.values():
            if desk.memory is not None and desk.plan.step_name != who:
                fact = fact_of(desk.memory.entry)
                if fact is not None:
                    self.publish(fact, only=who)

    # ------------------------------------------------------------ the two cores

    def _resolved(self, resolution: Resolution) -> SagaMemory:
        self.saga_journal += resolution.records
        if resolution.records and self.crashes_left and self.chance(0.03):
            self.crash(INITIATOR)  # between commit and publish
            return self.memory
        for command in resolution.commands:
            match command:
                case Tell(event):
                    if isinstance(event, SagaOutcome):
                        self.told.append(event)
                    self.publish(event)
                case TellStep(name, event):
                    self.pool.append((name, event))
                case ArmDeadline(_, stimulus):
                    if self.chance(0.3):
                        self.pool.append((INITIATOR, stimulus))
                case _:
                    pass
        return resolution.memory

    def _feed(self, desk: Desk, stimulus: Stimulus) -> None:
        if desk.ended:
            return
        name = desk.plan.step_name
        if desk.memory is None:
            if isinstance(stimulus, SagaOutcome) or not isinstance(stimulus, SagaChoreographyEvent):
                return
            desk.memory = unheard_of(self.origin, name, self.now)
        before = len(desk.journal)
        decision = self.turn(desk.memory, stimulus, desk.spec, self.now, desk.journal)
        desk.memory = decision.memory
        desk.ended = isinstance(desk.journal[-1].event, SagaEnded) if desk.journal else False
        self._check_fence(desk)
        if len(desk.journal) > before and self.crashes_left and self.chance(0.03):
            self.crash(name)  # between commit and publish
            return
        for command in decision.commands:
            match command:
                case Publish(event):
                    self.publish(event)
                case AwaitRun():
                    self.pool.append((name, RunGranted()))
                case ArmTimer(_, timer):
                    self.pool.append((name, timer))
                case RunStep() | RunProbe() | RunCancel() | RunCompensation() | NotifyQuarantined() | ResumePending():
                    self.pool.append((name, command))
                case Forget():
                    desk.ended = True
                case unexpected:
                    raise AssertionError(f"{name}: {unexpected}")

    def _check_fence(self, desk: Desk) -> None:
        kinds = [type(record.event) for record in desk.journal]
        if FenceRecorded in kinds and StepExecutionStarted in kinds:
            assert kinds.index(StepExecutionStarted) < kinds.index(FenceRecorded), "started behind the fence"

    # ------------------------------------------------------------ business code

    def _call(self, desk: Desk, command: Command) -> None:
        assert desk.memory is not None
        state, name = desk.memory.entry.state, desk.plan.step_name
        if isinstance(command, NotifyQuarantined):
            if isinstance(state, Quarantined):
                self._feed(desk, self._word(desk, state))
        elif isinstance(state, Executing) and isinstance(command, RunStep | RunProbe | RunCancel):
            answer = self._execute(desk) if isinstance(command, RunStep) else self._look(desk, command)
            if self.crashes_left and self.chance(0.05):
                self.crash(name)  # after the effect, before its record
            elif answer is not None:
                self._feed(desk, answer)
        elif isinstance(state, Compensating) and isinstance(command, RunCompensation):
            undone = self._undo(desk)
            if self.crashes_left and self.chance(0.05):
                self.crash(name)
            else:
                self._feed(desk, undone)

    def _execute(self, desk: Desk) -> Stimulus:
        assert self.memory.entry.outcome is None, "a step runs in an ended saga"
        if desk.has_effect and not self.chance(0.2):
            return DONE  # the same key: the effect is there already
        draw = self.random.random() if self.faults else 0.0
        if draw < 0.55:
            desk.has_effect = True
            return DONE
        if draw < 0.7:
            desk.goes_on_outside = True
            self._outside_ends(desk)
            return StepDeferred(self.random.choice([None, self.now + 5]))
        if draw < 0.8 and not desk.has_effect and not desk.goes_on_outside:
            return StepRaised(self.random.choice([Raised.NO_EFFECT, Raised.RETRYABLE]), "no effect")
        if not desk.plan.pure:
            desk.has_effect = desk.has_effect or self.random.random() < 0.5
        return StepRaised(self.random.choice([Raised.UNEXPECTED, Raised.AMBIGUOUS]), "who knows")

    def _outside_ends(self, desk: Desk) -> None:
        """What goes on outside always reports back; its effect counts from now on, unless it is cancelled."""
        self.pool.append((desk.plan.step_name, DONE))
        desk.has_effect = True

    def _look(self, desk: Desk, command: Command) -> Stimulus | None:
        if isinstance(command, RunProbe) and self.chance(0.3):
            return StillUnknown("?") if self.random.random() < 0.5 else ProbeRaised("x")
        if isinstance(command, RunCancel):
            if self.chance(0.5) or not desk.has_effect:
                desk.has_effect = desk.goes_on_outside = False
                self.pool = [item for item in self.pool if item != (desk.plan.step_name, DONE)]
                return NotExecuted()
            return None
        return DONE if desk.has_effect else NotExecuted()

    def _undo(self, desk: Desk) -> Stimulus:
        assert self.memory.entry.outcome is None, "an undo runs in an ended saga"
        for later in desk.plan.undo_after:
            other = self.desks[later]
            assert other.plan.pure or not other.has_effect, f"{desk.plan.step_name} is undone before {later}"
        if self.chance(0.1):
            return CompensationRaised(self.random.random() < 0.7, "x")
        desk.has_effect = desk.goes_on_outside = False
        return CompensationRaised(True, "undone, but who knows") if self.chance(0.1) else CompensationReturned()

    def _word(self, desk: Desk, state: Quarantined) -> OperatorResolved:
        """An operator looks, and says what is true."""
        if self.random.random() < 0.3:
            return OperatorResolved(resolution=ResolutionKind.RETRY, by="ada", why="looked")
        if state.while_compensating or (desk.has_effect and self.random.random() < 0.5):
            desk.has_effect = desk.goes_on_outside = False
            return OperatorResolved(resolution=ResolutionKind.UNDONE, by="ada", why="undone by hand")
        if desk.has_effect:
            return OperatorResolved(resolution=ResolutionKind.COMPLETED, by="ada", why="done", output=b"o", undo=b"u")
        return OperatorResolved(resolution=ResolutionKind.NOT_EXECUTED, by="ada", why="nothing there")


def random_plan(random: Random, *, timeouts: bool) -> tuple[tuple[StepPlan, ...], dict[str, int]]:
    steps: list[StepPlan] = []
    for number in range(random.randint(1, 6)):
        sources: list[DependencySpec] = [OnSagaStart(), *(After(step.step_name) for step in steps)]
        chosen = tuple(random.sample(sources, min(len(sources), random.randint(1, 3))))
        after: DependencySpec = AllOf(chosen) if random.random() < 0.5 else AnyOf(chosen)
        steps.append(
            StepPlan(
                step_name=f"s{number}",
                after=after,
                pure=random.random() < 0.25,
                retry=RetryPolicy(max_attempts=random.randint(1, 3)),
                compensation_retry=RetryPolicy(max_attempts=random.randint(1, 3)),
                in_doubt=random.choice(list(InDoubt)),
                in_doubt_attempts=random.randint(1, 5),
            )
        )
    return tuple(steps), {"overall": 1_000, "stalled": 100} if timeouts else {}


@settings(max_examples=400, deadline=None)
@given(st.integers(0, 2**32))
def test_every_saga_ends_once_and_leaks_nothing(build: Build, checked_turn: Turn, seed: int) -> None:
    random = Random(seed)
    steps, timeouts = random_plan(random, timeouts=random.random() < 0.3)
    world = World(build(*steps, **timeouts), checked_turn, seed, faults=True)
    world.run()
    outcome = world.memory.entry.outcome
    assert outcome is not None
    assert all(event == world.told[0] for event in world.told)
    for name, desk in world.desks.items():
        assert desk.ended, f"{name} never heard the outcome"
        if not desk.plan.pure:
            assert desk.has_effect == (outcome is OutcomeKind.COMPLETED), f"the effect of {name}"


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32))
def test_without_faults_every_saga_completes_and_every_fact_is_told_once(
    build: Build, checked_turn: Turn, seed: int
) -> None:
    steps, _ = random_plan(Random(seed), timeouts=False)
    world = World(build(*steps), checked_turn, seed, faults=False)
    told: list[StepEvent] = []
    publish = world.publish

    def listen(event: SagaChoreographyEvent, only: str | None = None) -> None:
        if isinstance(event, StepEvent):
            told.append(event)
        publish(event, only)

    world.publish = listen  # type: ignore[method-assign]  # a listener on one world only
    world.run()
    assert world.memory.entry.outcome is OutcomeKind.COMPLETED
    assert len(told) == 2 * len(steps)
    assert all(len(desk.journal) == 4 and desk.ended for desk in world.desks.values())
