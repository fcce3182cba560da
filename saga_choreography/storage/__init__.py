"""Where sagas are kept: journals and dedupe stores as Protocols, in memory and on LMDB."""

from saga_choreography.storage.dedupe import ParticipantDedupeStore
from saga_choreography.storage.directory import DataDirectory
from saga_choreography.storage.durability import Durability
from saga_choreography.storage.journal import InitiatorJournal, Journal, ParticipantJournal, Tombstone
from saga_choreography.storage.layout import INITIATOR, PARTICIPANT, Role
from saga_choreography.storage.lmdb_environment import LmdbEnvironment
from saga_choreography.storage.lmdb_impl import LmdbDedupe, LmdbJournal
from saga_choreography.storage.lmdb_map import StoreUsage
from saga_choreography.storage.memory import InMemoryDedupe, InMemoryEnvironment, InMemoryJournal
from saga_choreography.storage.place import StorePlace

__all__ = [
    "INITIATOR",
    "PARTICIPANT",
    "DataDirectory",
    "Durability",
    "InMemoryDedupe",
    "InMemoryEnvironment",
    "InMemoryJournal",
    "InitiatorJournal",
    "Journal",
    "LmdbDedupe",
    "LmdbEnvironment",
    "LmdbJournal",
    "ParticipantDedupeStore",
    "ParticipantJournal",
    "Role",
    "StorePlace",
    "StoreUsage",
    "Tombstone",
]
