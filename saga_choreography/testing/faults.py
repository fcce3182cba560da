"""`FaultPoints`: what a test wants to happen to which actor at which moment. Give it to `SagaSystem(fault_points=...)`.

A fault is named by a `FaultPoint`, an actor and a number: it happens the nth time such an actor reaches that point,
counted from when it was set, and then never again. Several set for the same moment happen in the order they were set.
"""

import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final, Self, TypeAlias, final

from saga_choreography.helpers.fault_points import FaultPoint
from saga_choreography.testing.fault_settings import VARIABLE, FaultAction, parse_faults
from saga_choreography.testing.holds import HOLD_SECONDS, FaultInjected, Hold
from saga_choreography.types import PeerId

ActorName: TypeAlias = type[object] | str
"""An actor class, or a name: of a class, of one shard (`FlightDesk-0`), or `SYSTEM`."""

SYSTEM: Final = "system"
"""The initiator that a `SagaSystem` brings along: `SagaSystem.start_saga` starts its sagas."""


def is_meant(peer_id: PeerId, actor: ActorName | None) -> bool:
    """Whether a name means this actor: itself, or the class of which it is a shard. None means any actor."""
    if actor is None:
        return True
    name = name_of(actor)
    class_name, _, shard = peer_id.rpartition("-")
    return peer_id == name or (class_name == name and shard.isdecimal())


def name_of(actor: ActorName) -> str:
    """The name of an actor class, or the name itself."""
    return actor if isinstance(actor, str) else actor.__name__


@final
class _Fault:
    """What happens at one moment."""

    def __init__(self, point: FaultPoint, actor: ActorName | None, nth: int, act: Callable[[PeerId], None]) -> None:
        if nth < 1:
            raise ValueError(f"nth is {nth}; the first time a point is reached is 1")
        self._point = point
        self._actor = actor
        self._left = nth
        self.act = act
        self.where = _place(point, actor, nth)

    def is_due(self, point: FaultPoint, peer_id: PeerId) -> bool:
        """Count one visit; True when it is the one."""
        if point is not self._point or not is_meant(peer_id, self._actor):
            return False
        self._left -= 1
        return self._left == 0


@final
class FaultPoints:
    """A hook for `SagaSystem(fault_points=...)`; one may serve several systems one after the other. Any thread."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._visits: Counter[tuple[FaultPoint, PeerId]] = Counter()
        self._faults: list[_Fault] = []
        self._holds: list[Hold] = []

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Self:
        """What SAGA_CHOREOGRAPHY_FAULT says, for programs that a test starts; nothing when it is not set.

        `kill@after_commit@FlightDesk@3` kills the process, `fail@...` ends the actor. Actor (`*`: any) and number (1)
        may be left out; several faults are separated by `;`.

        Raises:
            FaultSettingError: the value is malformed; nothing was set.
        """
        faults = cls()
        for setting in parse_faults((os.environ if environ is None else environ).get(VARIABLE, "")):
            match setting.action:
                case FaultAction.KILL:
                    faults.kill_process(setting.point, setting.actor, setting.nth)
                case FaultAction.FAIL:
                    faults.fail(setting.point, setting.actor, setting.nth)
        return faults

    def fail(self, point: FaultPoint, actor: ActorName | None = None, nth: int = 1) -> None:
        """The actor ends there, as if its store had failed; it is restarted and recovers from its journal."""
        where = _place(point, actor, nth)

        def act(peer_id: PeerId) -> None:
            raise FaultInjected(peer_id, f"failed at {where}, as a test said", "nothing is to be done")

        self._add(_Fault(point, actor, nth, act))

    def hold(
        self, point: FaultPoint, actor: ActorName | None = None, nth: int = 1, *, limit: float = HOLD_SECONDS
    ) -> Hold:
        """The actor stops there until it is released. After `limit` seconds it ends there, and the test is told."""
        hold = Hold(_place(point, actor, nth), limit, self._counts)
        self._add(_Fault(point, actor, nth, hold.stop_here))
        with self._guard:
            self._holds.append(hold)
        return hold

    def kill_process(self, point: FaultPoint, actor: ActorName | None = None, nth: int = 1) -> None:
        """This very process is killed with SIGKILL there: for a process that a test has started."""

        def act(_: PeerId) -> None:
            os.kill(os.getpid(), signal.SIGKILL)

        self._add(_Fault(point, actor, nth, act))

    def reached(self, point: FaultPoint, actor: ActorName | None = None) -> int:
        """How often such an actor has reached a point so far."""
        with self._guard:
            return sum(
                count
                for (reached, peer_id), count in self._visits.items()
                if reached is point and is_meant(peer_id, actor)
            )

    def not_reached(self) -> tuple[str, ...]:
        """The faults that have not happened (yet): a test that ends with one has not tested it."""
        with self._guard:
            return tuple(fault.where for fault in self._faults)

    def release_all(self) -> None:
        """Let every held actor go on, and hold no more."""
        with self._guard:
            holds, self._holds = self._holds, []
        for hold in holds:
            hold.let_go()

    def __call__(self, point: FaultPoint, peer_id: PeerId) -> None:
        """The hook. Called on the actor's own thread.

        Raises:
            FaultInjected: a test said so.
        """
        with self._guard:
            self._visits[point, peer_id] += 1
            due = [fault for fault in self._faults if fault.is_due(point, peer_id)]
            for fault in due:
                self._faults.remove(fault)
        for fault in due:
            fault.act(peer_id)

    def _add(self, fault: _Fault) -> None:
        with self._guard:
            self._faults.append(fault)

    def _counts(self) -> str:
        with self._guard:
            visits = sorted((f"{point.value} of {peer_id}", count) for (point, peer_id), count in self._visits.items())
        return ", ".join(f"{where} ({count})" for where, count in visits) or "nothing"


def _place(point: FaultPoint, actor: ActorName | None, nth: int) -> str:
    """A moment in words, such as `after_commit of FlightDesk (visit 3)`."""
    return f"{point.value} of {'any actor' if actor is None else name_of(actor)} (visit {nth})"
