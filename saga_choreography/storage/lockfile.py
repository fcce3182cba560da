"""One owner per directory: a lock of the operating system, gone with the process that holds it."""

import fcntl
import os
from pathlib import Path
from typing import final

from saga_choreography.errors import StoreLocked

LOCK_NAME = "LOCK"


@final
class FileLock:
    """An exclusive lock on `LOCK` in a directory, held until `release`. The file names the process that holds it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

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
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        except BaseException:
            os.close(descriptor)
            raise
        return cls(descriptor)

    def release(self) -> None:
        """Let go. Idempotent."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _holder(descriptor: int) -> str:
    written = os.pread(descriptor, 32, 0).strip()
    if not written.isdigit():
        return "another process"
    pid = int(written)
    return f"this process (pid {pid}), which opened it before" if pid == os.getpid() else f"process {pid}"
