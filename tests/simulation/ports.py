"""What travels in the simulation, and what a node asks of it."""

from collections.abc import Callable
from typing import Protocol, TypeAlias, final

from attrs import frozen

from saga_choreography.events import SagaChoreographyEvent
from saga_choreography.protocol.resolver_commands import DeadlineDue, TellStep
from saga_choreography.protocol.stimuli import TimerStimulus
from saga_choreography.types import SagaId, SagaOrigin
from tests.simulation.fate import Fate
from tests.simulation.world import World


@final
@frozen
class TimerFired:
    """A timer of a participant."""

    saga_id: SagaId
    stimulus: TimerStimulus


@final
@frozen
class DeadlineFired:
    """A timer of the initiator."""

    saga_id: SagaId
    stimulus: DeadlineDue


@final
@frozen
class PendingEnded:
    """The outside tells that a pending step ended."""

    saga_id: SagaId


@final
@frozen
class ResolveStep:
    """An operator wants to resolve a step; what is said is decided by a look at the world when it is acted on."""

    saga_id: SagaId


@final
@frozen
class PeerJoined:
    """A node (re)joined."""

    name: str


@final
@frozen
class StartRequest:
    """A client starts a saga; asked again until it is acknowledged."""

    origin: SagaOrigin


@final
@frozen
class CancelRequest:
    """A client wants a saga undone."""

    saga_id: SagaId


Signal: TypeAlias = (
    SagaChoreographyEvent
    | TimerFired
    | DeadlineFired
    | PendingEnded
    | ResolveStep
    | PeerJoined
    | StartRequest
    | CancelRequest
)

Outgoing: TypeAlias = SagaChoreographyEvent | TellStep

INITIATOR = "initiator"


class Host(Protocol):
    """The simulation, as a node sees it."""

    @property
    def fate(self) -> Fate: ...

    @property
    def world(self) -> World: ...

    def now_millis(self) -> int:
        """The wall clock; it jumps."""
        ...

    def point(self) -> None:
        """A place where the program may be killed.

        Raises:
            Crash: it is.
        """

    def publish(self, out: Outgoing) -> None:
        """Tell an event to whom it concerns."""

    def tell(self, to: str, signal: Signal) -> None:
        """Tell one node."""

    def joined(self, name: str) -> None:
        """Announce a node to all others."""

    def arm(self, name: str, at_millis: int, signal: TimerFired | DeadlineFired) -> None:
        """Bring a signal back to the present incarnation of a node at a wall-clock time."""

    def ended(self, origin: SagaOrigin, *, completed: bool) -> None:
        """An outcome was committed."""

    def acknowledge(self, saga_id: SagaId) -> None:
        """A client has its answer."""

    def note(self, who: str, saga_id: SagaId, verb: str, what: object) -> None:
        """A line of the trace."""


Action: TypeAlias = Callable[[], None]


@final
class Crash(Exception):
    """The program is killed at this point."""
