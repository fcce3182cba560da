"""`SagaObserver`: sees every fact after its commit, on a thread of its own.

An observer that raises or hangs harms no saga: what it raises is logged, and while it hangs its events wait in a
bounded queue, the oldest of which are dropped and counted.
"""

from enum import Enum
from typing import Final, Protocol, final

from attrs import frozen

from saga_choreography.events import SagaChoreographyEvent
from saga_choreography.types import PeerId, SagaId


class NoticeKind(Enum):
    """What else an operator wants to know."""

    ACTOR_RESTARTED = "actor_restarted"
    ACTOR_GAVE_UP = "actor_gave_up"
    STORE_PAUSED = "store_paused"
    STORE_RESUMED = "store_resumed"
    STORE_FAILED = "store_failed"
    SUBSCRIBER_DROPPED = "subscriber_dropped"
    ANOMALY = "anomaly"
    HOOK_RAISED = "hook_raised"
    UNKNOWN_SAGA = "unknown_saga"
    RECORD_UNREADABLE = "record_unreadable"


SERIOUS: Final = frozenset(
    {
        NoticeKind.ACTOR_GAVE_UP,
        NoticeKind.STORE_PAUSED,
        NoticeKind.STORE_FAILED,
        NoticeKind.RECORD_UNREADABLE,
        NoticeKind.UNKNOWN_SAGA,
    }
)
"""News that need somebody to look; they are logged as errors, the others as warnings."""


@final
@frozen(kw_only=True)
class SagaNotice:
    """Something about an actor (`peer`) that is no fact of a saga, or not only."""

    kind: NoticeKind
    peer: PeerId
    detail: str
    saga_id: SagaId | None = None


class SagaObserver(Protocol):
    """Implement both methods; neither may assume a particular thread."""

    def on_event(self, event: SagaChoreographyEvent, /) -> None:
        """A committed fact. Repeats are possible after restarts."""
        ...

    def on_notice(self, notice: SagaNotice, /) -> None:
        """Operational news."""
        ...
