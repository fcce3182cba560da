"""What is simulated: sagas to start, actors to take part, and the world they act on."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol, final

from attrs import frozen

from saga_choreography.events import ResolutionKind
from saga_choreography.helpers.watch import Verdict
from saga_choreography.state import ParticipantState, Quarantined
from saga_choreography.traits.outcomes import StepOutput
from saga_choreography.traits.subscription import StepToken
from saga_choreography.types import PeerId, SagaId, SagaPlan

INITIATOR = PeerId("initiator")


class AnyParticipant(Protocol):
    """Any `SagaParticipant`, whatever its types."""

    @property
    def steps(self) -> tuple[StepToken, ...]: ...


@final
@frozen(kw_only=True)
class Start:
    """A saga that a client will start."""

    saga_id: SagaId
    plan: SagaPlan
    payload: bytes


@final
@frozen(kw_only=True)
class Word:
    """What an operator says of a quarantined step; `completed` for COMPLETED only."""

    kind: ResolutionKind
    completed: StepOutput[object, object] | None = None


class Stage(Protocol):
    """What a subject may use of the simulation around it."""

    def now_millis(self) -> int:
        """The wall clock; it jumps."""
        ...

    def later(self, millis: int, action: Callable[[], None]) -> None:
        """Do something after a while of virtual time, whatever crashes meanwhile."""
        ...

    def call(self, peer_id: PeerId, incarnation: int | None, action: Callable[[], None]) -> None:
        """Do something on an actor's thread, in its turn; nothing happens if that incarnation is gone by then."""
        ...

    def spend(self, millis: int) -> None:
        """Business code takes its time."""
        ...

    def note(self, who: str, saga_id: SagaId, verb: str, what: object) -> None:
        """A line of the story."""
        ...


class Subject(Protocol):
    """Made anew for each schedule. It lives outside of the program: no crash touches it."""

    @property
    def starts(self) -> Sequence[Start]: ...

    @property
    def steps(self) -> Mapping[PeerId, frozenset[tuple[str, str]]]:
        """Per participant the (saga type, step name) of each step it owns. INITIATOR may be one of them."""
        ...

    @property
    def needs_timers(self) -> bool:
        """Whether business code may ask for a retry or a timeout although nothing went wrong."""
        ...

    @property
    def most_crashes(self) -> int | None:
        """How often actors, or all of them, are killed at most (None: no limit). A step whose program ends in attempt
        after attempt is parked, rightly, and that would be no news."""
        ...

    def participant(self, peer_id: PeerId, incarnation: int) -> AnyParticipant:
        """A participant as a fresh process makes it; called again after each crash."""
        ...

    def ended(self, saga_id: SagaId, *, completed: bool) -> None:
        """The outcome of a saga was committed.

        Raises:
            Violation: it is not what happened outside.
        """
        ...

    def word(self, peer_id: PeerId, entry: ParticipantState[Quarantined]) -> Word | None:
        """What an operator says of a quarantined step after a good look; None: nobody ever will."""
        ...

    def messages(self) -> Iterable[tuple[PeerId, Callable[[], None]]]:
        """What participants were told by their own world since the last call; handled on their threads."""
        ...

    def finished(self, verdicts: Mapping[SagaId, Verdict]) -> None:
        """Everything has come to rest.

        Raises:
            Violation: the world is not as it should be.
        """
        ...
