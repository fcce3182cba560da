"""A broken guarantee."""

from typing import final

from saga_choreography.types import SagaId


@final
class Violation(BaseException):
    """Which guarantee (`I1` to `I15`), what was seen, and of which saga (None: of the run as a whole).

    No `Exception`: it is also raised inside business code, where nothing of the program may catch it.
    """

    def __init__(self, guarantee: str, what: str, saga_id: SagaId | None = None) -> None:
        super().__init__(f"{guarantee}: {what}")
        self.guarantee = guarantee
        self.saga_id = saga_id


@final
class Crash(BaseException):
    """The program is killed at this point. No exception of a program: nothing in it may catch this one."""
