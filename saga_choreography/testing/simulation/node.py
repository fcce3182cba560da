"""A node: one actor of the simulated program. Its disks survive; mailbox, memory and engines die with it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Protocol, TypeAlias, final

from saga_choreography.errors import ResolutionRefused, UnknownSaga
from saga_choreography.events import SagaChoreographyEvent
from saga_choreography.helpers.engine import Engine, StoppingWhilePaused
from saga_choreography.helpers.fault_points import FaultPoint
from saga_choreography.helpers.peer import Outgoing, Peer
from saga_choreography.helpers.signals import Flush, SagaSignal
from saga_choreography.observability import NoticeKind
from saga_choreography.testing.simulation.clock import VirtualClock
from saga_choreography.testing.simulation.roles import InitiatorRole, ParticipantRole
from saga_choreography.types import PeerId, SagaId

Mail: TypeAlias = SagaSignal | Callable[[], None]
"""A signal for the engines, or something to be done on the actor's thread."""

_FLUSH = Flush()


class Host(Protocol):
    """The simulation, as a node sees it."""

    @property
    def clock(self) -> VirtualClock: ...

    @property
    def points_left(self) -> int | None:
        """Fault points left before the node at work is killed; None: it is not."""
        ...

    def reach(self, point: FaultPoint, peer_id: PeerId) -> None:
        """A place where the program may be killed.

        Raises:
            Crash: it is.
        """
        ...

    def publish(self, node: "Node", events: Sequence[Outgoing]) -> None:
        """Tell events to whom they concern."""
        ...

    def joined(self, node: "Node") -> None:
        """Announce a node to all others."""
        ...

    def arm(self, node: "Node", at_millis: int, signal: SagaSignal) -> None:
        """Bring a signal back to the present incarnation of a node at a wall-clock time."""
        ...

    def notice(self, node: "Node", kind: NoticeKind, detail: str, saga_id: SagaId | None) -> None:
        """Operational news."""
        ...


@final
class Node:
    """An actor with one or two roles."""

    def __init__(
        self, peer_id: PeerId, host: Host, participant: ParticipantRole | None, initiator: InitiatorRole | None
    ) -> None:
        self.peer_id: PeerId = peer_id
        self.host = host
        self.participant = participant
        self.initiator = initiator
        self.incarnation: int = 0
        self.is_up: bool = False
        self.is_stopping: bool = False
        self.mailbox: list[Mail] = []
        self._engines: tuple[Engine, ...] = ()

    @property
    def roles(self) -> Iterator[ParticipantRole | InitiatorRole]:
        return (role for role in (self.participant, self.initiator) if role is not None)

    def start(self) -> None:
        """Come up for the first time, with empty disks."""
        self.is_up = True
        self._engines = tuple(role.open(Around(self), self.incarnation) for role in self.roles)
        for engine in self._engines:
            engine.join()

    def restart(self) -> None:
        """Recover from the disks - twice, which is as good as once - then join and go on."""
        self.is_up = True
        self._engines = tuple(role.open(Around(self), self.incarnation) for role in self.roles)
        for engine in self._engines:
            engine.recover()
            engine.recover()
        for role in self.roles:
            role.check_recovered()
        self.host.joined(self)
        for engine in self._engines:
            engine.join()

    def take(self, mail: Mail) -> None:
        """Handle one message, as the actor's thread would."""
        if callable(mail):
            try:
                mail()
            except (UnknownSaga, ResolutionRefused):
                return  # business code reports the end of a step that nobody waits for any more
            return
        for engine in self._engines:
            engine.receive(mail)

    def kill(self, *, with_its_process: bool) -> None:
        """Lose everything that is not on disk; what the system keeps for an actor survives the actor alone."""
        self._forget()
        for role in self.roles:
            role.disk.crash()
            if with_its_process:
                role.restart_process()

    def stop(self) -> None:
        """End in good order: what has arrived is still journaled."""
        self.is_stopping = True
        with suppress(StoppingWhilePaused):  # the disk is full: what was staged was acknowledged to nobody
            while self.mailbox:
                self.take(self.mailbox.pop(0))
            for engine in self._engines:
                engine.detach()
        self._forget()
        for role in self.roles:
            role.disk.crash()
            role.restart_process()

    def _forget(self) -> None:
        self.is_up = self.is_stopping = False
        self.incarnation += 1
        self.mailbox = []
        self._engines = ()
        for role in self.roles:
            role.forget()

    def post(self, mail: Mail) -> None:
        """Put something into the mailbox."""
        self.mailbox.append(mail)

    def remembered(self) -> Iterator[SagaId]:
        """Sagas in memory."""
        return (saga_id for role in self.roles for saga_id in role.remembered())


@final
class Around:
    """The surroundings of one incarnation's engines."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._host = node.host
        self.peer_id: PeerId = node.peer_id
        self.clock: VirtualClock = node.host.clock
        self.is_observed: bool = True

    def publish(self, events: Sequence[Outgoing]) -> None:
        self._host.publish(self._node, events)

    def wake_later(self) -> None:
        self._node.mailbox.append(_FLUSH)

    def mailbox_is_empty(self) -> bool:
        return not self._node.mailbox

    def arm(self, at_millis: int, signal: SagaSignal) -> None:
        self._host.arm(self._node, at_millis, signal)

    def notice(self, kind: NoticeKind, detail: str, saga_id: SagaId | None = None) -> None:
        self._host.notice(self._node, kind, detail, saga_id)

    def reach(self, point: FaultPoint) -> None:
        if self._host.points_left is not None:
            self._host.reach(point, self.peer_id)

    @property
    def is_stopping(self) -> bool:
        return self._node.is_stopping

    def pause(self, seconds: float) -> bool:
        self.clock.real += int(seconds * 1000)
        return not self._node.is_stopping


def peer_of(
    node: Node, steps: frozenset[tuple[str, str]], tell: Callable[[Sequence[SagaChoreographyEvent]], None]
) -> Peer:
    """A node as its peers see it."""
    return Peer(
        peer_id=node.peer_id,
        steps=steps,
        is_initiator=node.initiator is not None,
        tell=tell,
        owns=lambda _: True,
    )
