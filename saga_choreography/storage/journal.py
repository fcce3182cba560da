"""The journal: append-only records per saga. One per role of an actor.

The journal is also the outbox: whatever was published follows from its records and can be told again. It keeps an index
of live sagas, so recovery costs what is in flight and not what ever happened.
"""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol, TypeAlias, final

from attrs import frozen
from typing_extensions import TypeVar

from saga_choreography.events import InitiatorEvent, OutcomeKind, ParticipantEvent, TimestampedEvent
from saga_choreography.types import SagaId

R = TypeVar("R")


@final
@frozen(kw_only=True)
class Tombstone:
    """What is left of a pruned saga: enough to refuse a late duplicate start. `digest` is empty for participants."""

    outcome: OutcomeKind
    digest: bytes


class Journal(Protocol[R]):
    """Records of type R. All methods belong to the owning thread; `read` and `live_sagas` may be called by any.

    Every method may raise `StoreError`; `StoreFull` leaves everything as it was and may be tried again.
    """

    def transaction(self) -> AbstractContextManager[None]:
        """Everything appended, ended or marked inside is committed together on a clean exit, or not at all.

        A nested call joins the outer transaction. A dedupe store beside this journal shares it.
        """
        ...

    def append(self, saga_id: SagaId, record: TimestampedEvent[R]) -> None:
        """Append one record.

        Raises:
            StoreMisused: `record.sequence` is not the last one plus one, or no transaction is open.
        """
        ...

    def append_all(self, records: Iterable[tuple[SagaId, TimestampedEvent[R]]]) -> None:
        """Append records of any sagas, in this order; what a turn commits comes all at once.

        Raises:
            StoreMisused: as `append`.
        """
        ...

    def end(self, saga_id: SagaId, at_millis: int, tombstone: Tombstone) -> None:
        """Take the saga off the live index; its records stay until pruned."""
        ...

    def read(self, saga_id: SagaId) -> tuple[TimestampedEvent[R], ...]:
        """All records of one saga in order; empty when there are none.

        Raises:
            StoreDamaged: a record is missing or is not what was written.
            StoreVersionError: a record is of a newer format.
        """
        ...

    def live_sagas(self) -> Iterator[SagaId]:
        """Ids of sagas that have records and have not ended."""
        ...

    def tombstone(self, saga_id: SagaId) -> Tombstone | None:
        """What is left of a pruned saga, or None."""
        ...

    def prune(self, before_millis: int, limit: int) -> int:
        """Replace up to `limit` sagas that ended before `before_millis` by tombstones; returns how many."""
        ...

    def prune_tombstones(self, before_millis: int, limit: int) -> int:
        """Forget up to `limit` tombstones of sagas that ended before `before_millis`; returns how many."""
        ...

    def close(self) -> None:
        """Release the store. Idempotent."""
        ...


class ParticipantJournal(Journal[ParticipantEvent], Protocol):
    """The journal of a participant: `LmdbJournal` or `InMemoryJournal`, or one of your own that keeps the contract.

    It is a transactional outbox: nothing is told that does not follow from a committed record.
    """


InitiatorJournal: TypeAlias = Journal[InitiatorEvent]
"""The journal of an initiator."""
