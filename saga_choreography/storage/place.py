"""`StorePlace`: where an actor's store is to be, and what is known of it. Given to whoever opens it."""

from pathlib import Path
from typing import final

from attrs import frozen

from saga_choreography.events import InitiatorEvent, ParticipantEvent
from saga_choreography.storage.durability import Durability
from saga_choreography.storage.layout import INITIATOR, PARTICIPANT
from saga_choreography.storage.lmdb_environment import LmdbEnvironment
from saga_choreography.storage.lmdb_impl import LmdbJournal


@final
@frozen(kw_only=True)
class StorePlace:
    """A directory for one LMDB environment. `must_exist`: it was opened before, so its absence is a loss."""

    path: Path
    owner: str
    durability: Durability = Durability.FSYNC
    must_exist: bool = False

    def open_journal(self) -> LmdbJournal[ParticipantEvent]:
        """A participant's journal in an environment of its own, which the journal's `close` closes.

        Raises:
            StoreError: the store is locked, damaged, full, or somebody else's.
        """
        return LmdbJournal(self._open(), PARTICIPANT, owns_environment=True)

    def open_initiator_journal(self) -> LmdbJournal[InitiatorEvent]:
        """An initiator's journal in an environment of its own, which the journal's `close` closes.

        Raises:
            StoreError: the store is locked, damaged, full, or somebody else's.
        """
        return LmdbJournal(self._open(), INITIATOR, owns_environment=True)

    def _open(self) -> LmdbEnvironment:
        return LmdbEnvironment.open(self.path, owner=self.owner, durability=self.durability, must_exist=self.must_exist)
