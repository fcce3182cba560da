from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import TypeVar

from .common import RetryPolicy  # noqa: TID252 - as it stands it is also read as tests.docs.stubs.temporalio

_C = TypeVar("_C", bound=type)
_F = TypeVar("_F", bound=Callable[..., object])
_A = TypeVar("_A")
_R = TypeVar("_R")

class unsafe:
    @staticmethod
    def imports_passed_through() -> AbstractContextManager[None]: ...

def defn(cls: _C) -> _C: ...
def run(fn: _F) -> _F: ...
async def execute_activity(
    activity: Callable[[_A], _R],
    arg: _A,
    *,
    start_to_close_timeout: timedelta | None = ...,
    retry_policy: RetryPolicy | None = ...,
) -> _R: ...
