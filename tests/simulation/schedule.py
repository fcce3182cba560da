"""One schedule: a seeded scheduler over nodes, mailboxes and a virtual clock. The same seed gives the same run.

Messages are lost only when a node is down or everything is killed; they may be doubled, delayed and reordered. Timers run
on real time, of which the wall clock is a jumping copy.
"""

import heapq
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import final
from uuid import UUID

from saga_choreography.events import CompensationStarted, SagaChoreographyEvent, SagaOutcome, StepStarted
from saga_choreography.protocol.resolver_commands import TellStep
from saga_choreography.protocol.routing import addressees
from saga_choreography.protocol.spec import ParticipantSpec
from saga_choreography.state import Quarantined, is_in
from saga_choreography.types import PeerId, SagaId, SagaOrigin
from tests.simulation import invariants
from tests.simulation.fate import Fate, draw_profile
from tests.simulation.initiator import Initiator
from tests.simulation.ledger import Effect
from tests.simulation.participant import Participant
from tests.simulation.ports import (
    INITIATOR,
    Action,
    CancelRequest,
    Crash,
    DeadlineFired,
    Outgoing,
    PeerJoined,
    PendingEnded,
    ResolveStep,
    Signal,
    StartRequest,
    TimerFired,
)
from tests.simulation.violation import Violation
from tests.simulation.workflows import FAR_MILLIS, MOST_STEPS, random_plan, step_name
from tests.simulation.world import World

START_MILLIS = 1_700_000_000_000
MOST_TURNS = 6_000
_HOUR = 3_600_000


@final
class Schedule:
    """Everything that happens under one seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        rng = Random(seed)
        self.rng = rng
        self.profile = draw_profile(rng)
        self._fate = Fate(rng, self.profile)
        self._world = World(self._fate, self.now_millis, self._later, self._pending_ended)
        self.real = 0
        self.skew = 0
        self.turns = 0
        self.faults: Counter[str] = Counter()
        self.trace: list[tuple[int, str, SagaId, str, object]] = []
        self.told: list[SagaChoreographyEvent] = []
        self._heap: list[tuple[int, int, Action]] = []
        self._counter = 0
        self._epoch = 0
        self._countdown: int | None = None
        plans = [random_plan(rng, f"type{number}", self.profile) for number in range(rng.choice((1, 1, 2)))]
        self.origins = [
            SagaOrigin(
                saga_id=SagaId(UUID(int=(seed << 16) + number)),
                initiator=PeerId(INITIATOR),
                started_at_millis=START_MILLIS,
                plan=rng.choice(plans),
            )
            for number in range(rng.choice((1, 1, 2, 3)))
        ]
        self.initiator = Initiator(self)
        self.participants = {
            step_name(number): Participant(
                ParticipantSpec(
                    step_name=step_name(number), has_probe=rng.random() < 0.4, has_cancel=rng.random() < 0.4
                ),
                self,
            )
            for number in range(MOST_STEPS)
            if any(plan.step(step_name(number)) for plan in plans)
        }
        self.nodes: dict[str, Initiator | Participant] = {INITIATOR: self.initiator, **self.participants}
        self.waiting: set[SagaId] = {origin.saga_id for origin in self.origins}
        """Sagas whose client has no answer yet."""

    # ---------------------------------------------------------------- what nodes ask of it

    @property
    def fate(self) -> Fate:
        return self._fate

    @property
    def world(self) -> World:
        return self._world

    def now_millis(self) -> int:
        return START_MILLIS + self.real + self.skew

    def point(self) -> None:
        if self._countdown is not None:
            self._countdown -= 1
            if self._countdown < 0:
                raise Crash

    def publish(self, out: Outgoing) -> None:
        if isinstance(out, TellStep):
            self.faults["answered late"] += 1
            self.tell(out.step_name, out.event)
            return
        self.told.append(out)
        to = addressees(out)
        for name in to.steps:
            self.tell(name, out)
        if to.initiator:
            self.tell(INITIATOR, out)

    def tell(self, to: str, signal: Signal) -> None:
        if self._fate.strikes(self.profile.duplicate):
            self.faults["duplicates"] += 1
            self._deliver_later(to, signal)
        if self._fate.strikes(self.profile.delay):
            self.faults["delays"] += 1
            self._deliver_later(to, signal)
        else:
            self._deliver(to, signal)

    def joined(self, name: str) -> None:
        for other in self.nodes:
            if other != name:
                self.tell(other, PeerJoined(name))

    def arm(self, name: str, at_millis: int, signal: Signal) -> None:
        node = self.nodes[name]
        incarnation = node.incarnation

        def fire() -> None:
            if node.is_up and node.incarnation == incarnation:
                if isinstance(signal, DeadlineFired | TimerFired) and signal.saga_id in node.remembered():
                    self.faults["timers"] += 1
                    if millis >= FAR_MILLIS // 2:
                        raise Violation("I1", "nothing but a far deadline moves the saga", signal.saga_id)
                node.mailbox.append(signal)

        millis = max(0, at_millis - self.now_millis())
        self._later(millis, fire)

    def ended(self, origin: SagaOrigin, *, completed: bool) -> None:
        disks = {name: node.disk for name, node in self.participants.items()}
        invariants.check_accounting(origin, disks, completed=completed)
        self._world.ledger.check_outcome(origin, completed=completed)
        self.faults["completed" if completed else "failed"] += 1

    def acknowledge(self, saga_id: SagaId) -> None:
        if not self.initiator.disk.all_of(saga_id):
            raise Violation("I1", "acknowledged before its commit", saga_id)
        self.waiting.discard(saga_id)

    def note(self, who: str, saga_id: SagaId, verb: str, what: object) -> None:
        self.trace.append((self.real, who, saga_id, verb, what))

    # ---------------------------------------------------------------- time and messages

    def _later(self, millis: int, action: Action) -> None:
        self._counter += 1
        heapq.heappush(self._heap, (self.real + millis, self._counter, action))

    def _deliver(self, to: str, signal: Signal) -> None:
        node = self.nodes[to]
        if node.is_up:
            node.mailbox.append(signal)
        else:
            self.faults["lost"] += 1

    def _deliver_later(self, to: str, signal: Signal) -> None:
        epoch = self._epoch
        millis = self.rng.choice((0, 3, 30, 400))
        self._later(millis, lambda: self._deliver(to, signal) if self._epoch == epoch else None)

    def _pending_ended(self, effect: Effect) -> None:
        node = self.nodes[effect.step_name]
        if node.is_up and node.incarnation == effect.watcher:
            node.mailbox.append(PendingEnded(effect.saga_id))

    # ---------------------------------------------------------------- running

    def run(self) -> None:
        """Run until nothing moves any more, then check the end.

        Raises:
            Violation: a guarantee is broken.
        """
        for origin in self.origins:
            self._ask_start(origin)
        while self._step():
            self.turns += 1
            if self.turns == self.profile.horizon:
                self._fate.is_over = True
            if self.turns > MOST_TURNS:
                raise Violation("I1", f"not at rest after {MOST_TURNS} turns")
        self._check_end()

    def _step(self) -> bool:
        """One thing happens; False when nothing is left to happen."""
        while self._heap and self._heap[0][0] <= self.real:
            heapq.heappop(self._heap)[2]()
        if not self._fate.is_over:
            self._stir()
        ready = [node for node in self.nodes.values() if node.is_up and (node.mailbox or node.has_work())]
        if ready:
            self._turn(self.rng.choice(ready))
            self.real += self.rng.choice((0, 0, 1, 6))
            return True
        if self._fate.is_over and self._resolve_quarantined():
            return True
        wait = self._heap[0][0] - self.real if self._heap and not self._is_done() else None
        if wait is None or wait >= FAR_MILLIS // 2:
            if self._help() or not self._is_over():
                return True
            if wait is None:
                return False
        self.real = self._heap[0][0]
        return True

    def _is_over(self) -> bool:
        """Faults stop at the latest when everything else has come to rest."""
        was_over, self._fate.is_over = self._fate.is_over, True
        return was_over

    def _is_done(self) -> bool:
        return not self.waiting and all(node.is_up and not node.remembered() for node in self.nodes.values())

    def _turn(self, node: Initiator | Participant) -> None:
        box = node.mailbox
        if self._fate.strikes(self.profile.shuffle):
            self.rng.shuffle(box)
        count = min(len(box), self.rng.choice((1, 1, 2, 50)))
        signals, node.mailbox = box[:count], box[count:]
        self._risk(node, lambda: node.turn(signals), points=12)

    def _risk(self, node: Initiator | Participant, action: Action, points: int) -> None:
        """Do it, perhaps not to the end."""
        if self._fate.strikes(self.profile.crash):
            self._countdown = self.rng.randrange(points)
        try:
            action()
        except Crash:
            self._kill(node)
        finally:
            self._countdown = None

    def _kill(self, node: Initiator | Participant) -> None:
        everybody = self._fate.strikes(self.profile.all_at_once)
        self.faults["crashes of all" if everybody else "crashes of one"] += 1
        if everybody:
            self._epoch += 1
        for victim in self.nodes.values() if everybody else (node,):
            if victim.is_up:
                for origin in self.origins:
                    self.note(victim.name, origin.saga_id, "is killed", "")
                victim.kill()
                self._later(self.rng.choice((0, 5, 100, 700)), self._restart(victim))

    def _restart(self, node: Initiator | Participant) -> Callable[[], None]:
        def start() -> None:
            for origin in self.origins:
                self.note(node.name, origin.saga_id, "recovers", "")
            self._risk(node, node.start, points=20)

        return start

    def _stir(self) -> None:
        """What people and clocks do."""
        profile, rng = self.profile, self.rng
        if self._fate.strikes(profile.clock_jump):
            self.faults["clock jumps"] += 1
            self.skew += rng.choice((-_HOUR, -50, 50, _HOUR))
        if self._fate.strikes(profile.cancel):
            self.faults["cancels"] += 1
            self.tell(INITIATOR, CancelRequest(rng.choice(self.origins).saga_id))
        if self._fate.strikes(profile.prune):
            rng.choice(list(self.nodes.values())).disk.prune(rng.choice(self.origins).saga_id)
        if self._fate.strikes(profile.trouble * 0.1):
            self._resolve_quarantined()
        if self._fate.strikes(profile.duplicate * 0.1):
            self._ask_start(rng.choice(self.origins))

    def _ask_start(self, origin: SagaOrigin) -> None:
        self.tell(INITIATOR, StartRequest(origin))

    def _resolve_quarantined(self) -> bool:
        parked = [
            (node, saga_id)
            for node in self.participants.values()
            for saga_id, memory in node.memories.items()
            if node.is_up and is_in(memory.entry, Quarantined)
        ]
        for node, saga_id in parked:
            self.faults["operator words"] += 1
            self.tell(node.name, ResolveStep(saga_id))
        return bool(parked)

    def _help(self) -> bool:
        """At rest: operators and clients do their part. True when there was something to do."""
        asked = [origin for origin in self.origins if origin.saga_id in self.waiting]
        for origin in asked:
            self._ask_start(origin)
        return self._resolve_quarantined() or bool(asked)

    # ---------------------------------------------------------------- the end

    def _check_end(self) -> None:
        disks = {name: node.disk for name, node in self.participants.items()}
        for origin in self.origins:
            invariants.check_end(origin, self.initiator.disk, disks)
        for node in self.nodes.values():
            for saga_id in (*node.remembered(), *node.disk.live):
                raise Violation("I1", f"{node.name} still remembers an ended saga", saga_id)
        invariants.check_told_apart([event for event in self.told if isinstance(event, SagaOutcome)])
        self._check_chatter()

    def _check_chatter(self) -> None:
        facts = [event for event in self.told if not isinstance(event, StepStarted | CompensationStarted)]
        if self.profile.keeps_order:
            if self.faults["answered late"]:
                raise Violation("I7", "an outcome was told late without any fault")
            for number, event in enumerate(facts):
                if event in facts[:number]:
                    raise Violation("I7", f"{type(event).__name__} was told twice without any fault", event.saga_id)
        if self.profile.is_smooth and self.faults["timers"]:
            raise Violation("I7", "a timer was needed without any fault")
        steps = sum(len(origin.plan.steps) for origin in self.origins)
        crashes = self.faults["crashes of one"] + (len(self.nodes)) * self.faults["crashes of all"]
        bound = 6 * steps + 4 * len(self.origins) + 2 * self.faults["operator words"] + crashes * (len(self.origins) + 1)
        if len(facts) > bound:
            raise Violation("I7", f"{len(facts)} facts were told, {bound} are enough")
