"""This process and those it has started: their processor time, and their end."""

import os
import subprocess
import time
from contextlib import suppress
from typing import Final

import psutil

_GRACE_SECONDS: Final = 30


def cpu_seconds() -> float:
    """Processor time so far: all threads of this process and of all below it, also of those that have ended."""
    own = os.times()
    total = time.process_time() + own.children_user + own.children_system
    for process in psutil.Process().children(recursive=True):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue  # ended since it was listed: whoever started it has its time
        total += times.user + times.system + times.children_user + times.children_system
    return total


def end(started: subprocess.Popen[bytes]) -> None:
    """End a process that was started here and all below it: they are asked, and killed when they do not listen."""
    try:
        process = psutil.Process(started.pid)
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        family = []
    for each in family:
        with suppress(psutil.NoSuchProcess):
            each.terminate()
    _, deaf = psutil.wait_procs(family, timeout=_GRACE_SECONDS)
    for each in deaf:
        with suppress(psutil.NoSuchProcess):
            each.kill()
    started.wait()
