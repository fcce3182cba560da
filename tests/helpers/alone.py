"""Surroundings of an engine that nobody else hears; the mailbox is never empty, so the test says when to act."""

from collections.abc import Sequence

from saga_choreography import NoticeKind, PeerId
from saga_choreography.helpers.fault_points import FaultPoint
from saga_choreography.helpers.peer import Outgoing
from saga_choreography.helpers.signals import SagaSignal
from saga_choreography.testing import ManualClock
from saga_choreography.types import SagaId


class Died(Exception):
    """The actor ended at a fault point."""


class Alone:
    """Keeps what an engine tells, arms and reports."""

    def __init__(self, peer_id: str = "me") -> None:
        self.clock = ManualClock(1_000)
        self.peer_id = PeerId(peer_id)
        self.is_stopping = False
        self.is_observed = True
        self.told: list[Outgoing] = []
        self.armed: list[tuple[int, SagaSignal]] = []
        self.notices: list[NoticeKind] = []
        self.wanted_turns = 0
        self.dies_at: FaultPoint | None = None

    def publish(self, events: Sequence[Outgoing]) -> None:
        self.told.extend(events)

    def wake_later(self) -> None:
        self.wanted_turns += 1

    def mailbox_is_empty(self) -> bool:
        return False

    def arm(self, at_millis: int, signal: SagaSignal) -> None:
        self.armed.append((at_millis, signal))

    def notice(self, kind: NoticeKind, detail: str, saga_id: SagaId | None = None) -> None:
        self.notices.append(kind)

    def reach(self, point: FaultPoint) -> None:
        if point is self.dies_at:
            raise Died

    def pause(self, seconds: float) -> bool:
        return False

    def names(self) -> list[str]:
        """Names of the events told, in order."""
        return [type(out).__name__ for out in self.told]
