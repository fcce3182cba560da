"""One owner per directory: a lock of the operating system, gone with the process that holds it."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import final

from saga_choreography.errors import StoreLocked

LOCK_NAME = "LOCK"
_LONGEST = 32


@final
class FileLock:
    """An exclusive lock on `LOCK` in a directory, held until it is released.

    The file names the process that holds it, or that ended without `release`.
    """

    def __init__(self, descriptor: int, before: bytes) -> None:
        self._descriptor: int | None = descriptor
        self._before = before

    @property
    def was_released(self) -> bool:
        """Whether the holder before, if there was one, let go in good order."""
        return not self._before

    @classmethod
    def acquire(cls, directory: Path, store: str) -> "FileLock":
        """Take the lock without waiting.

        Raises:
            StoreLocked: somebody holds it; the message names the process if it is known.
            OSError: the file cannot be made.
        """
        descriptor = os.open(directory / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise StoreLocked(
                    store, f"it is in use by {_holder(descriptor)}", "stop that one first, or choose another directory"
                ) from error
            before = os.pread(descriptor, _LONGEST, 0)
            _write(descriptor, f"{os.getpid()}\n".encode())
        except BaseException:
            os.close(descriptor)
            raise
        return cls(descriptor, before)

    def release(self) -> None:
        """Let go in good order. Idempotent."""
        self._close(b"")

    def give_back(self) -> None:
        """Let go, and leave the file as it was found: what it guards was not opened."""
        self._close(self._before)

    def abandon(self) -> None:
        """Let go, as a process does that ends."""
        self._close(None)

    def _close(self, content: bytes | None) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is None:
            return
        try:
            if content is not None:
                # On a full or failing disk it stays as it is: the next one who opens looks closer than it needs to.
                with suppress(OSError):
                    _write(descriptor, content)
        finally:
            os.close(descriptor)


def _write(descriptor: int, content: bytes) -> None:
    # In this order no room is needed on a full disk when something stood there before.
    os.pwrite(descriptor, content, 0)
    os.ftruncate(descriptor, len(content))


def _holder(descriptor: int) -> str:
    written = os.pread(descriptor, _LONGEST, 0).strip()
    if not written.isdigit():
        return "another process"
    pid = int(written)
    return f"this process (pid {pid}), which opened it before" if pid == os.getpid() else f"process {pid}"
