# The few names of dbos that the documents use, as dbos 3.4 declares them.
from collections.abc import Callable
from types import TracebackType
from typing import ClassVar, ParamSpec, TypedDict, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")

class DBOSConfig(TypedDict, total=False):
    name: str
    system_database_url: str | None

class DBOS:
    workflow_id: ClassVar[str | None]
    def __init__(self, *, config: DBOSConfig) -> None: ...
    @classmethod
    def workflow(cls) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]: ...
    @classmethod
    def step(
        cls, *, retries_allowed: bool = ..., max_attempts: int = ...
    ) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]: ...
    @classmethod
    def launch(cls) -> None: ...
    @classmethod
    def destroy(cls) -> None: ...

class SetWorkflowID:
    def __init__(self, wfid: str) -> None: ...
    def __enter__(self) -> SetWorkflowID: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
