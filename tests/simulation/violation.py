"""A broken guarantee."""

from typing import final


@final
class Violation(Exception):
    """What was broken, for which saga (None: for the run as a whole)."""

    def __init__(self, guarantee: str, what: str, saga_id: object = None) -> None:
        super().__init__(f"{guarantee}: {what}")
        self.saga_id = saga_id
