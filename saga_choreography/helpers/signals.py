"""What an actor finds in its mailbox, wrapped in `SagaEvent`: events of others, and the runtime's own signals.

User code only passes them on: `case SagaEvent(event): return handle_saga_event(self, event)`.
"""

from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeAlias, final

from attrs import field, frozen

from saga_choreography.events import ResolutionKind, SagaChoreographyEvent
from saga_choreography.helpers.host import HasEngines
from saga_choreography.helpers.peer import Peer
from saga_choreography.protocol.resolver_commands import DeadlineDue
from saga_choreography.protocol.stimuli import StepRaised, StepReturned, TimerStimulus
from saga_choreography.traits.outcomes import StepOutput
from saga_choreography.types import SagaId, SagaPlan


@final
@frozen
class Events:
    """Several events told at once."""

    events: tuple[SagaChoreographyEvent, ...]


@final
@frozen
class Flush:
    """Act on everything received since the last one: one commit for all of it."""


@final
@frozen
class Attach:
    """The actor joins a system: `attach` opens its stores and recovers; `ready` gets the result."""

    attach: Callable[[HasEngines], None]
    ready: "Future[None]" = field(eq=False)


@final
@frozen
class TimerFired:
    """A timer of a participant."""

    saga_id: SagaId
    stimulus: TimerStimulus


@final
@frozen
class DeadlineFired:
    """A timer of an initiator."""

    saga_id: SagaId
    stimulus: DeadlineDue


@final
@frozen
class PendingEnded:
    """A pending step has its effect, or failed."""

    saga_id: SagaId
    stimulus: StepReturned | StepRaised


@final
@frozen
class PeerJoined:
    """An actor (re)joined: tell it the facts of live sagas that concern it."""

    peer: Peer


@final
@frozen
class ResolveStep:
    """An operator's word. `reply` gets None once it is committed, or the error."""

    saga_id: SagaId
    resolution: ResolutionKind
    completed: StepOutput[object, object] | None
    by: str
    why: str
    reply: "Future[None]" = field(eq=False)


@final
@frozen
class StartRequest:
    """Start a saga. `reply` gets None once it is committed (or was started before), or the error.

    `birth`: the id was made for this very request, which is not repeated; 0: the saga may be known. `renewed` gives
    what today's payload class would store of a stored payload, or raises PayloadError: it may have changed since.
    """

    saga_id: SagaId
    plan: SagaPlan
    payload: bytes
    reply: "Future[None]" = field(eq=False)
    birth: int = 0
    renewed: Callable[[bytes], bytes] | None = field(default=None, eq=False)


@final
@frozen
class CancelRequest:
    """Undo a saga. `reply` gets None once the fence is committed (or was), or the error."""

    saga_id: SagaId
    reason: str
    reply: "Future[None]" = field(eq=False)


@final
@frozen
class PruneDue:
    """Replace what ended before the retention time by tombstones."""

    retention_millis: int


@final
@frozen
class Detach:
    """Commit what is staged, close the stores; `done` is set afterwards."""

    done: "Future[None]" = field(eq=False)


SagaSignal: TypeAlias = (
    SagaChoreographyEvent
    | Events
    | Flush
    | Attach
    | TimerFired
    | DeadlineFired
    | PendingEnded
    | PeerJoined
    | ResolveStep
    | StartRequest
    | CancelRequest
    | PruneDue
    | Detach
)


@final
@frozen
class SagaEvent:
    """The one message variant a saga actor adds to its own: hand `event` to `handle_saga_event`."""

    event: SagaSignal
