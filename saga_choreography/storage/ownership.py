"""One thread of one process writes to a store. The first one that writes is the owner."""

import os
import threading
from typing import final

from saga_choreography.errors import StoreMisused

_forks = 0
"""How often this process or one of its ancestors was forked off: asking the kernel who one is costs a system call for
each read and write, and on some machines as much as the write itself."""


def _forked() -> None:
    global _forks
    _forks += 1


os.register_at_fork(after_in_child=_forked)


@final
class Ownership:
    """Who may write. A thread that ended is followed by the next one that writes."""

    def __init__(self, store: str) -> None:
        self._store = store
        self._pid = os.getpid()
        self._forks = _forks
        self._ident = 0
        self._thread: threading.Thread | None = None

    def require_process(self) -> None:
        """
        Raises:
            StoreMisused: this process was forked from the one that opened the store.
        """
        if _forks != self._forks:
            raise StoreMisused(
                self._store,
                f"it was opened by process {self._pid} and is used by its fork {os.getpid()}",
                "open stores after forking, or start processes with 'spawn'",
            )

    def require_owner(self) -> None:
        """The calling thread owns the store from now on.

        Raises:
            StoreMisused: another thread, still alive, owns it; or this is a forked process.
        """
        ident = threading.get_ident()
        if ident == self._ident and _forks == self._forks:
            return
        self.require_process()
        owner = self._thread
        if owner is not None and owner.is_alive():
            raise StoreMisused(
                self._store,
                f"thread {owner.name!r} owns it and thread {threading.current_thread().name!r} wants to write",
                "write from the owning thread only, or let the owner hand it over",
            )
        self._thread = threading.current_thread()
        self._ident = ident

    def hand_over(self) -> None:
        """The next thread that writes becomes the owner."""
        self._thread = None
        self._ident = 0
