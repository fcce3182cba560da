from collections.abc import Callable
from typing import TypeVar

_F = TypeVar("_F", bound=Callable[..., object])

class Info:
    @property
    def workflow_id(self) -> str | None: ...

def defn(fn: _F) -> _F: ...
def info() -> Info: ...
