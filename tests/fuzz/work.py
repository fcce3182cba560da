"""What a call costs, counted instead of timed: memory at its peak, and calls of functions."""

import sys
import tracemalloc
from collections.abc import Callable
from types import FrameType

from saga_choreography.errors import SagaError


def attempted(call: Callable[[], object]) -> None:
    """Call, and swallow the one kind of error that may come."""
    try:
        call()
    except SagaError:
        return  # refused in the right way: its cost is what is asked for


def peak_bytes(call: Callable[[], object]) -> int:
    """The most memory a call held at once, beyond what was there before."""
    attempted(call)  # caches of the first call are no cost of the input
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        attempted(call)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return peak - before


def calls_made(call: Callable[[], object]) -> int:
    """How many functions a call called, of Python and of C."""
    attempted(call)
    count = 0

    def note(_: FrameType, event: str, __: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        attempted(call)
    finally:
        sys.setprofile(None)
    return count
