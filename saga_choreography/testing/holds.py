"""`Hold`: an actor stopped at a fault point until a test lets it go. Nobody is left blocked for ever."""

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self, final

from saga_choreography.errors import StoreError
from saga_choreography.types import PeerId

HOLD_SECONDS: Final = 60.0
"""How long an actor is held at most."""
REACH_SECONDS: Final = 30.0


class FaultInjected(StoreError):
    """The error an actor ends with when a test says so; to the library it is a store that failed."""


class NotReached(AssertionError):
    """No actor came to the fault point a test waited for."""


class HoldExpired(AssertionError):
    """A held actor was not released in time; it has ended there, and what the test saw since then proves nothing."""


@final
class Hold:
    """Made by `FaultPoints.hold`. A context manager that releases at its end; any thread."""

    def __init__(self, where: str, limit: float, counts: Callable[[], str]) -> None:
        self._where = where
        self._limit = limit
        self._counts = counts
        self._changed = threading.Condition()
        self._held: PeerId | None = None
        self._released = False
        self._expired = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.let_go()
        if kind is None:
            self._refuse_expired()

    def __repr__(self) -> str:
        return f"Hold({self._where})"

    def wait_until_reached(self, timeout: float = REACH_SECONDS) -> PeerId:
        """Who stands there now, waiting at most `timeout` seconds for it.

        Raises:
            NotReached: nobody came.
            HoldExpired: it stood there too long and has ended.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._held is not None, timeout)
            held = self._held
        self._refuse_expired()
        if held is None:
            raise NotReached(f"nobody reached {self._where} within {timeout:g} s; reached was: {self._counts()}")
        return held

    def release(self) -> None:
        """Let the actor go on; one that has not come yet will not be stopped. Idempotent.

        Raises:
            HoldExpired: it comes too late.
        """
        self.let_go()
        self._refuse_expired()

    def let_go(self) -> None:
        """Like `release`, and never raises."""
        with self._changed:
            self._released = True
            self._changed.notify_all()

    def is_held(self) -> bool:
        """Whether an actor stands there at this moment."""
        return self._held is not None and not self._released and not self._expired

    def stop_here(self, peer_id: PeerId) -> None:
        """The actor's side: wait for the release.

        Raises:
            FaultInjected: nobody released it within the limit.
        """
        with self._changed:
            if self._released:
                return
            self._held = peer_id
            self._changed.notify_all()
            if self._changed.wait_for(lambda: self._released, self._limit):
                return
            self._expired = True
        why = f"it was held at {self._where} and nobody released it within {self._limit:g} s"
        raise FaultInjected(peer_id, why, "release every Hold, best by using it in a with statement")

    def _refuse_expired(self) -> None:
        if self._expired:
            raise HoldExpired(
                f"{self._held} was held at {self._where} for more than {self._limit:g} s and has ended there;"
                " release it sooner, or give hold(..., limit=SECONDS) more time"
            )
