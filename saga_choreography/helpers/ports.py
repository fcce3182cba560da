"""What the helpers need from whoever runs them: a clock, timers, a way to publish. Threads live behind these."""

from collections.abc import Callable, Sequence
from typing import Protocol

from saga_choreography.helpers.fault_points import FaultPoint
from saga_choreography.helpers.peer import Outgoing
from saga_choreography.helpers.signals import SagaSignal
from saga_choreography.observability import NoticeKind
from saga_choreography.types import PeerId, SagaId


class Clock(Protocol):
    """Time, as an argument for the core."""

    def now_millis(self) -> int:
        """Unix time in milliseconds; it may jump."""
        ...

    def monotonic_seconds(self) -> float:
        """Never goes back."""
        ...

    def on_moved(self, tell: Callable[[], None]) -> None:
        """Call `tell` whenever time was moved by hand, and did not just pass."""
        ...


class Surroundings(Protocol):
    """One actor's connection to the rest of the system. Every method returns at once, but `pause`."""

    @property
    def peer_id(self) -> PeerId:
        """The actor's own stable name."""
        ...

    @property
    def clock(self) -> Clock: ...

    @property
    def is_observed(self) -> bool:
        """Whether anybody hears the events that no actor acts on; fixed while the actor lives."""
        ...

    def publish(self, events: Sequence[Outgoing]) -> None:
        """Tell facts to whom they concern."""
        ...

    def wake_later(self) -> None:
        """Send the actor one Flush, behind everything that is in its mailbox now."""
        ...

    def mailbox_is_empty(self) -> bool:
        """Whether nothing waits in the actor's mailbox at this moment."""
        ...

    def arm(self, at_millis: int, signal: SagaSignal) -> None:
        """Send the actor `signal` at a Unix time in milliseconds (at once if it has passed)."""
        ...

    def notice(self, kind: NoticeKind, detail: str, saga_id: SagaId | None = None) -> None:
        """Report operational news to log and observers."""
        ...

    def reach(self, point: FaultPoint) -> None:
        """A place where a test may stop, fail or kill the actor; does nothing in a running program."""
        ...

    @property
    def is_stopping(self) -> bool:
        """Whether the system stops: what is not acted on now resumes at the next start."""
        ...

    def pause(self, seconds: float) -> bool:
        """Wait, at most `seconds`; False when the system is stopping."""
        ...
