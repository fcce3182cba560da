"""Other actors, as an engine sees them."""

from collections.abc import Callable, Sequence
from typing import TypeAlias, final

from attrs import frozen

from saga_choreography.events import SagaChoreographyEvent
from saga_choreography.protocol.routing import addressees
from saga_choreography.types import PeerId, SagaId


@final
@frozen(kw_only=True)
class Peer:
    """An actor that has joined: what it plays in which saga types, and how to reach it directly.

    `owns(saga_id)` is False for sagas that another shard serves.
    """

    peer_id: PeerId
    steps: frozenset[tuple[str, str]]
    """(saga type, step name) of each step it owns."""
    is_initiator: bool
    tell: Callable[[Sequence[SagaChoreographyEvent]], None]
    owns: Callable[[SagaId], bool]


def concerns(fact: SagaChoreographyEvent, peer: Peer) -> bool:
    """Whether a peer is interested in a fact: as the initiator of its saga, or as the owner of a step it goes to."""
    to = addressees(fact)
    if to.initiator and peer.peer_id == fact.origin.initiator:
        return True
    return any((fact.saga_type, step) in peer.steps for step in to.steps) and peer.owns(fact.saga_id)


@final
@frozen
class Directed:
    """An event for the participant of one step only."""

    step_name: str
    event: SagaChoreographyEvent


Outgoing: TypeAlias = SagaChoreographyEvent | Directed
