"""The simulated program: its nodes, and between them a network that doubles, delays and loses."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, final

from saga_choreography.errors import SagaError
from saga_choreography.events import (
    InitiatorEvent,
    OutcomeKind,
    ParticipantEvent,
    SagaChoreographyEvent,
    TimestampedEvent,
)
from saga_choreography.helpers.fault_points import FaultPoint
from saga_choreography.helpers.initiating import verdict_of
from saga_choreography.helpers.peer import Directed, Outgoing
from saga_choreography.helpers.signals import DeadlineFired, PeerJoined, SagaSignal, TimerFired
from saga_choreography.helpers.watch import Verdict
from saga_choreography.observability import NoticeKind
from saga_choreography.protocol.fold import fold
from saga_choreography.protocol.resolver_fold import fold_saga
from saga_choreography.protocol.routing import Addressees, addressees
from saga_choreography.storage.layout import INITIATOR as INITIATOR_TABLES
from saga_choreography.storage.layout import PARTICIPANT
from saga_choreography.testing.simulation.accounting import check_accounting, check_step_record, outcome_in
from saga_choreography.testing.simulation.chance import Chance
from saga_choreography.testing.simulation.clock import FAR_MILLIS, VirtualClock
from saga_choreography.testing.simulation.disk import Disk
from saga_choreography.testing.simulation.node import Mail, Node, peer_of
from saga_choreography.testing.simulation.roles import InitiatorDisk, InitiatorRole, ParticipantDisk, ParticipantRole
from saga_choreography.testing.simulation.stores import open_store
from saga_choreography.testing.simulation.story import Story
from saga_choreography.testing.simulation.subject import INITIATOR, AnyParticipant, Subject
from saga_choreography.testing.simulation.telling import check_told
from saga_choreography.testing.simulation.violation import Crash, Violation
from saga_choreography.testing.simulation.weather import Weather
from saga_choreography.types import PeerId, SagaId, SagaOrigin

_HARMLESS: Final = frozenset({NoticeKind.STORE_PAUSED, NoticeKind.STORE_RESUMED})
_DELAYS: Final = (0, 3, 30, 400)


@final
class Program:
    """Nodes, mailboxes and timers of one schedule; the host of its nodes and the stage of its subject."""

    def __init__(self, chance: Chance, weather: Weather, story: Story) -> None:
        self.chance = chance
        self.weather = weather
        self.story = story
        self.clock: VirtualClock = VirtualClock()
        self.nodes: dict[PeerId, Node] = {}
        self.told: list[SagaChoreographyEvent] = []
        self.points_left: int | None = None
        """Fault points left before the node at work is killed; None: it is not."""
        self._owners: dict[tuple[str, str], Node] = {}
        self._disks: dict[str, ParticipantDisk] = {}
        self._epoch = 0
        self._initiator: InitiatorRole | None = None
        self._subject: Subject | None = None

    def cast(self, subject: Subject) -> None:
        """Make a node of every participant, and one that starts the sagas; all of them come up."""
        self._subject = subject
        for peer_id in (INITIATOR, *(peer_id for peer_id in subject.steps if peer_id != INITIATOR)):
            participant = None
            if peer_id in subject.steps:
                participant = self._participant(peer_id, partial(subject.participant, peer_id))
            initiator = None
            if peer_id == INITIATOR:
                self._initiator = initiator = self._starter()
            node = Node(peer_id, self, participant, initiator)
            self.nodes[peer_id] = node
            for owned in subject.steps.get(peer_id, ()):
                self._owners[owned] = node
                if participant is not None:
                    self._disks[owned[1]] = participant.disk
        for node in self.nodes.values():
            node.start()

    @property
    def initiator(self) -> InitiatorRole:
        assert self._initiator is not None, "the program has no cast yet"
        return self._initiator

    def disk_of(self, step_name: str) -> ParticipantDisk:
        """The disk of the participant that owns a step."""
        return self._disks[step_name]

    def verdict_of(self, saga_id: SagaId) -> Verdict:
        """How a saga stands at the end: ended, or parked.

        Raises:
            Violation: neither.
        """
        entry = self.initiator.disk.last(saga_id)
        verdict = verdict_of(entry) if entry is not None else None
        if verdict is None:
            raise Violation("I1", "the saga has not ended", saga_id)
        return verdict

    # ---------------------------------------------------------------- what a node asks for

    def reach(self, point: FaultPoint, peer_id: PeerId) -> None:
        if self.points_left is None:
            return
        self.points_left -= 1
        if self.points_left < 0:
            self.chance.faults[f"crash {point.value}"] += 1
            self.story.add(self.clock.real, peer_id, None, "is killed", point.value)
            raise Crash

    def publish(self, node: Node, events: Sequence[Outgoing]) -> None:
        participant = node.participant.disk if node.participant is not None else None
        initiator = node.initiator.disk if node.initiator is not None else None
        for out in events:
            check_told(out, participant, initiator)
            if isinstance(out, Directed):
                self.chance.faults["answered late"] += 1
                event, to = out.event, Addressees((out.step_name,))
            else:
                event, to = out, addressees(out)
                self.told.append(event)
            self.story.add(self.clock.real, node.peer_id, event.saga_id, "tells", out)
            receivers = dict.fromkeys(self._owners[event.saga_type, step] for step in to.steps)
            if to.initiator:
                receivers[self.nodes[event.origin.initiator]] = None
            for receiver in receivers:
                self.send(receiver, event)

    def joined(self, node: Node) -> None:
        steps = self._subject.steps.get(node.peer_id, frozenset()) if self._subject is not None else frozenset()
        incarnation = node.incarnation

        def tell(events: Sequence[SagaChoreographyEvent]) -> None:
            if node.incarnation == incarnation:
                for event in events:
                    self.send(node, event)

        announcement = PeerJoined(peer_of(node, steps, tell))
        for other in self.nodes.values():
            if other is not node:
                self.send(other, announcement)

    def arm(self, node: Node, at_millis: int, signal: SagaSignal) -> None:
        incarnation = node.incarnation
        millis = max(0, at_millis - self.clock.now_millis())

        def fire() -> None:
            if node.incarnation != incarnation or not isinstance(signal, TimerFired | DeadlineFired):
                return
            if signal.saga_id in set(node.remembered()):
                self.chance.faults["timers"] += 1
                if millis >= FAR_MILLIS // 2:
                    raise Violation("I1", "nothing but a far deadline moves the saga", signal.saga_id)
            node.post(signal)

        self.clock.later(millis, fire)

    def notice(self, node: Node, kind: NoticeKind, detail: str, saga_id: SagaId | None) -> None:
        if kind is NoticeKind.HOOK_RAISED and self.weather.hook:
            return
        if kind not in _HARMLESS:
            raise Violation("I14", f"{node.peer_id} reports {kind.value}: {detail}", saga_id)

    # ---------------------------------------------------------------- what a subject asks for

    def now_millis(self) -> int:
        return self.clock.now_millis()

    def later(self, millis: int, action: Callable[[], None]) -> None:
        self.clock.later(millis, action)

    def call(self, peer_id: PeerId, incarnation: int | None, action: Callable[[], None]) -> None:
        node = self.nodes[peer_id]
        if node.is_up and incarnation in (None, node.incarnation):
            node.post(action)

    def spend(self, millis: int) -> None:
        self.clock.real += millis

    def note(self, who: str, saga_id: SagaId, verb: str, what: object) -> None:
        self.story.add(self.clock.real, who, saga_id, verb, what)

    # ---------------------------------------------------------------- messages

    def send(self, node: Node, signal: SagaSignal) -> None:
        """Send a node a signal; it may come twice, late, or never because the node is down."""
        if self.chance.strikes("duplicates", self.weather.duplicate):
            self._deliver_later(node, signal)
        if self.chance.strikes("delays", self.weather.delay):
            self._deliver_later(node, signal)
        else:
            self.deliver(node, signal)

    def send_once(self, node: Node, signal: SagaSignal) -> None:
        """Send a node a request, which is never doubled: every repeat of it is a request of its own."""
        if self.chance.strikes("delays", self.weather.delay):
            self._deliver_later(node, signal)
        else:
            self.deliver(node, signal)

    def deliver(self, node: Node, mail: Mail) -> None:
        """Put something into a mailbox; lost when the node is down."""
        if node.is_up:
            node.post(mail)
        else:
            self.chance.faults["lost"] += 1

    def lose_everything(self) -> None:
        """The whole process ends: nothing is under way any more."""
        self._epoch += 1

    def _deliver_later(self, node: Node, signal: SagaSignal) -> None:
        epoch = self._epoch

        def arrive() -> None:
            if self._epoch == epoch:
                self.deliver(node, signal)

        self.clock.later(self.chance.pick(_DELAYS), arrive)

    # ---------------------------------------------------------------- disks

    def _participant(self, peer_id: PeerId, make: Callable[[int], AnyParticipant]) -> ParticipantRole:
        def on_commit(saga_id: SagaId, record: TimestampedEvent[ParticipantEvent]) -> None:
            self.story.add(self.clock.real, peer_id, saga_id, "commits", record)
            check_step_record(disk, saga_id, record)

        store = open_store(peer_id, PARTICIPANT, encodes=self.weather.encodes)
        disk: ParticipantDisk = Disk(
            peer_id, store.journal, fold, crash=store.crash, is_full=self._finds_its_disk_full, on_commit=on_commit
        )
        return ParticipantRole(disk, store.marks, make)

    def _starter(self) -> InitiatorRole:
        def on_commit(saga_id: SagaId, record: TimestampedEvent[InitiatorEvent]) -> None:
            self.story.add(self.clock.real, INITIATOR, saga_id, "commits", record)
            found = outcome_in(disk, saga_id, record)
            if found is not None:
                self._ended(*found)

        store = open_store(INITIATOR, INITIATOR_TABLES, encodes=self.weather.encodes)
        disk: InitiatorDisk = Disk(
            INITIATOR,
            store.journal,
            fold_saga,
            crash=store.crash,
            is_full=self._finds_its_disk_full,
            on_commit=on_commit,
        )
        return InitiatorRole(disk, self._on_verdict)

    def _finds_its_disk_full(self) -> bool:
        return self.chance.strikes("full disks", self.weather.full)

    def _ended(self, origin: SagaOrigin, outcome: OutcomeKind) -> None:
        check_accounting(origin, outcome, self._disks)
        assert self._subject is not None
        self._subject.ended(origin.saga_id, completed=outcome is OutcomeKind.COMPLETED)
        self.chance.faults[outcome.value] += 1

    def _on_verdict(self, verdict: Verdict) -> None:
        if self.chance.strikes("hooks raised", self.weather.hook):
            raise SagaError("a hook that fails")
