"""Fault points: the named places where a test may stop, fail or kill an actor. In a running program they do nothing.

They stand wherever a crash would leave a different state behind: on both sides of a commit, after facts were told, on
both sides of business code, and in the middle of a recovery.
"""

from collections.abc import Callable
from enum import Enum, unique
from typing import TypeAlias

from saga_choreography.types import PeerId


@unique
class FaultPoint(Enum):
    """Where an actor is when it reaches a fault point."""

    BEFORE_COMMIT = "before_commit"
    """Something is staged and not durable yet."""
    AFTER_COMMIT = "after_commit"
    """It is durable, and nobody was told."""
    AFTER_PUBLISH = "after_publish"
    """Facts were told; replies, timers and hooks are still to come."""
    BEFORE_CALL = "before_call"
    """Business code is about to run."""
    AFTER_CALL = "after_call"
    """Business code has run; what it gave is known to nobody else."""
    RECOVERING = "recovering"
    """The live sagas of a store are rebuilt; the actor has not joined yet."""


FaultPointHook: TypeAlias = Callable[[FaultPoint, PeerId], None]
"""Called on the actor's own thread. It may block, raise (the actor ends, as if its store had failed), or kill."""


def nothing_happens(point: FaultPoint, peer_id: PeerId) -> None:
    """The hook of a running program."""
