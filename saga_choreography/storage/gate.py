"""Many may use the map at once, but nobody while it is being moved or closed."""

from collections.abc import Generator
from contextlib import contextmanager
from threading import Condition, Lock
from typing import final

from saga_choreography.errors import StoreError

PATIENCE_SECONDS = 30.0


@final
class Gate:
    """A lock that users share and that growth and close take alone."""

    def __init__(self, store: str) -> None:
        self._store = store
        # The bare lock in front of the condition: every read and write comes through here.
        self._lock = Lock()
        self._condition = Condition(self._lock)
        self._inside = 0
        self._shut = False

    def enter(self) -> None:
        """Come in; every `enter` is followed by one `leave`.

        Raises:
            StoreError: it stayed shut for too long.
        """
        with self._lock:
            while self._shut:
                if not self._condition.wait(PATIENCE_SECONDS):
                    raise StoreError(self._store, "its map is being changed for too long", "try again")
            self._inside += 1

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1
            if self._shut and not self._inside:
                self._condition.notify_all()

    @contextmanager
    def alone(self) -> Generator[None, None, None]:
        """Nobody else is inside.

        Raises:
            StoreError: somebody stayed inside for too long.
        """
        with self._condition:
            while self._shut:
                if not self._condition.wait(PATIENCE_SECONDS):
                    raise StoreError(self._store, "its map is being changed for too long", "try again")
            self._shut = True
            emptied = self._condition.wait_for(lambda: not self._inside, PATIENCE_SECONDS)
            if not emptied:
                self._shut = False
                self._condition.notify_all()
        if not emptied:
            raise StoreError(self._store, "a reader does not finish", "try again")
        try:
            yield
        finally:
            with self._condition:
                self._shut = False
                self._condition.notify_all()
