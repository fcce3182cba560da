"""What nodes see of the simulation: a network that doubles, delays and loses, timers, and points to be killed at."""

from collections import Counter
from random import Random
from typing import final

from saga_choreography.events import SagaChoreographyEvent
from saga_choreography.protocol.resolver_commands import TellStep
from saga_choreography.protocol.routing import addressees
from saga_choreography.types import SagaId, SagaOrigin
from tests.simulation import invariants
from tests.simulation.clock import VirtualClock
from tests.simulation.fate import Fate, Profile
from tests.simulation.ledger import Effect
from tests.simulation.ports import (
    INITIATOR,
    Crash,
    DeadlineFired,
    Outgoing,
    PeerJoined,
    PendingEnded,
    Signal,
    TimerFired,
)
from tests.simulation.scene import draw_scene
from tests.simulation.violation import Violation
from tests.simulation.workflows import FAR_MILLIS
from tests.simulation.world import World


@final
class Network:
    """The scene of one seed, and everything between its nodes."""

    def __init__(self, seed: int, rng: Random, profile: Profile) -> None:
        self.clock = VirtualClock()
        self.faults: Counter[str] = Counter()
        self.trace: list[tuple[int, str, SagaId, str, object]] = []
        self.told: list[SagaChoreographyEvent] = []
        self.points_left: int | None = None
        """Points left before the node at work is killed; None: it is not."""
        self._rng = rng
        self._profile = profile
        self._fate = Fate(rng, profile)
        self._world = World(self._fate, self.clock.now_millis, self.clock.later, self._pending_ended)
        self._epoch = 0
        self.scene = draw_scene(rng, seed, profile, self)
        self.nodes = self.scene.nodes
        self.waiting: set[SagaId] = {origin.saga_id for origin in self.scene.origins}
        """Sagas whose client has no answer yet."""

    @property
    def fate(self) -> Fate:
        return self._fate

    @property
    def world(self) -> World:
        return self._world

    def now_millis(self) -> int:
        return self.clock.now_millis()

    def point(self) -> None:
        if self.points_left is not None:
            self.points_left -= 1
            if self.points_left < 0:
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
        if self._fate.strikes(self._profile.duplicate):
            self.faults["duplicates"] += 1
            self._deliver_later(to, signal)
        if self._fate.strikes(self._profile.delay):
            self.faults["delays"] += 1
            self._deliver_later(to, signal)
        else:
            self._deliver(to, signal)

    def joined(self, name: str) -> None:
        for other in self.nodes:
            if other != name:
                self.tell(other, PeerJoined(name))

    def arm(self, name: str, at_millis: int, signal: TimerFired | DeadlineFired) -> None:
        node = self.nodes[name]
        incarnation = node.incarnation
        millis = max(0, at_millis - self.now_millis())

        def fire() -> None:
            if not node.is_up or node.incarnation != incarnation:
                return
            if signal.saga_id in node.remembered():
                self.faults["timers"] += 1
                if millis >= FAR_MILLIS // 2:
                    raise Violation("I1", "nothing but a far deadline moves the saga", signal.saga_id)
            node.mailbox.append(signal)

        self.clock.later(millis, fire)

    def ended(self, origin: SagaOrigin, *, completed: bool) -> None:
        disks = {name: node.disk for name, node in self.scene.participants.items()}
        invariants.check_accounting(origin, disks, completed=completed)
        self._world.ledger.check_outcome(origin, completed=completed)
        self.faults["completed" if completed else "failed"] += 1

    def acknowledge(self, saga_id: SagaId) -> None:
        if not self.scene.initiator.disk.all_of(saga_id):
            raise Violation("I1", "acknowledged before its commit", saga_id)
        self.waiting.discard(saga_id)

    def note(self, who: str, saga_id: SagaId, verb: str, what: object) -> None:
        self.trace.append((self.clock.real, who, saga_id, verb, what))

    def lose_everything(self) -> None:
        """The whole program is killed: nothing is under way any more."""
        self._epoch += 1

    def _deliver(self, to: str, signal: Signal) -> None:
        node = self.nodes[to]
        if node.is_up:
            node.mailbox.append(signal)
        else:
            self.faults["lost"] += 1

    def _deliver_later(self, to: str, signal: Signal) -> None:
        epoch = self._epoch

        def arrive() -> None:
            if self._epoch == epoch:
                self._deliver(to, signal)

        self.clock.later(self._rng.choice((0, 3, 30, 400)), arrive)

    def _pending_ended(self, effect: Effect) -> None:
        node = self.nodes[effect.step_name]
        if node.is_up and node.incarnation == effect.watcher:
            node.mailbox.append(PendingEnded(effect.saga_id))
