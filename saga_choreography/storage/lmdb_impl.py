"""Journal and dedupe store on LMDB: `StagedJournal` and `StagedDedupe` over an `LmdbEnvironment`."""

import os
from typing import final

from typing_extensions import TypeVar

from saga_choreography.events import InitiatorEvent, ParticipantEvent
from saga_choreography.storage.durability import Durability
from saga_choreography.storage.layout import INITIATOR, PARTICIPANT, Role
from saga_choreography.storage.lmdb_environment import LmdbEnvironment
from saga_choreography.storage.staged_dedupe import StagedDedupe
from saga_choreography.storage.staged_journal import StagedJournal

R = TypeVar("R")


@final
class LmdbJournal(StagedJournal[R]):
    """The journal of one role in an LMDB environment, which the journals and marks of one actor share."""

    def __init__(self, environment: LmdbEnvironment, role: Role[R], *, owns_environment: bool = False) -> None:
        super().__init__(environment, role)
        self._lmdb = environment
        self._owns_environment = owns_environment

    @classmethod
    def open(
        cls, path: str | os.PathLike[str], *, owner: str, durability: Durability = Durability.FSYNC
    ) -> "LmdbJournal[ParticipantEvent]":
        """The journal of a participant in an environment of its own, which `close` closes.

        Raises:
            StoreError: as `LmdbEnvironment.open`.
        """
        environment = LmdbEnvironment.open(path, owner=owner, durability=durability)
        return LmdbJournal(environment, PARTICIPANT, owns_environment=True)

    @classmethod
    def participant(cls, environment: LmdbEnvironment) -> "LmdbJournal[ParticipantEvent]":
        """The journal of a participant in a given environment."""
        return LmdbJournal(environment, PARTICIPANT)

    @classmethod
    def initiator(cls, environment: LmdbEnvironment) -> "LmdbJournal[InitiatorEvent]":
        """The journal of an initiator in a given environment."""
        return LmdbJournal(environment, INITIATOR)

    @property
    def environment(self) -> LmdbEnvironment:
        """The environment it shares with the marks of its actor."""
        return self._lmdb

    def close(self) -> None:
        """Close the environment if this journal opened it; a given one is closed by its giver. Idempotent."""
        if self._owns_environment:
            self._lmdb.close()


@final
class LmdbDedupe(StagedDedupe):
    """Marks beside a journal, or beside the participant journal of an environment; they join its transaction."""

    def __init__(self, beside: "LmdbJournal[ParticipantEvent] | LmdbJournal[InitiatorEvent] | LmdbEnvironment") -> None:
        if isinstance(beside, LmdbEnvironment):
            super().__init__(beside, PARTICIPANT.marks)
        else:
            super().__init__(beside.environment, beside.role.marks)
