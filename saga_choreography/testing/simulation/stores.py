"""The store under a disk: plain objects, or the real journal on an in-memory environment."""

from collections.abc import Callable
from typing import Generic, final

from attrs import frozen
from typing_extensions import TypeVar

from saga_choreography.events import InitiatorEvent, ParticipantEvent
from saga_choreography.storage.dedupe import ParticipantDedupeStore
from saga_choreography.storage.journal import Journal
from saga_choreography.storage.layout import Role
from saga_choreography.storage.memory import InMemoryDedupe, InMemoryEnvironment, InMemoryJournal
from saga_choreography.testing.simulation.plain import PlainMarks, PlainStore

R = TypeVar("R", bound=ParticipantEvent | InitiatorEvent)


@final
@frozen(kw_only=True)
class Opened(Generic[R]):
    """A journal, the marks beside it, and what a crash of the process does to both."""

    journal: Journal[R]
    marks: ParticipantDedupeStore
    crash: Callable[[], None]


def open_store(name: str, role: Role[R], *, encodes: bool) -> Opened[R]:
    """A new store. One that `encodes` stores bytes, as LMDB does."""
    if encodes:
        environment = InMemoryEnvironment(name)
        journal = InMemoryJournal(environment, role)
        return Opened(journal=journal, marks=InMemoryDedupe(environment), crash=environment.crash)
    plain: PlainStore[R] = PlainStore(name)
    return Opened(journal=plain, marks=PlainMarks(plain), crash=plain.crash)
