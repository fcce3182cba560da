"""Everything a run has left behind, read once: the program's journals, the exchange's ledger, and the notes."""

from collections.abc import Mapping
from typing import Final, final
from uuid import UUID

from attrs import frozen

from deribit_example.demo.audit import Books
from deribit_example.demo.journals import JournalReader, SagaRecords
from saga_choreography.events import OutcomeKind
from tests.deribit_soak.ledger import LedgerEntry, books_of, read_ledger
from tests.deribit_soak.places import Places, notes

_OUTCOMES: Final = {"completed": OutcomeKind.COMPLETED, "failed": OutcomeKind.FAILED}


@final
@frozen(kw_only=True)
class Evidence:
    """`acknowledged`: the signal of each saga whose start was acknowledged. `told`: every outcome that was told."""

    sagas: tuple[SagaRecords, ...]
    orphans: tuple[UUID, ...]
    ledger: tuple[LedgerEntry, ...]
    acknowledged: Mapping[UUID, str]
    told: tuple[tuple[UUID, OutcomeKind], ...]

    @property
    def books(self) -> Books:
        """The ledger, added up."""
        return books_of(self.ledger)


def read_evidence(places: Places) -> Evidence:
    """Read it all; no process may be running there.

    Raises:
        StoreError: a store is damaged, or of another version.
    """
    with JournalReader(places.journals) as reader:
        sagas, orphans = reader.sagas(), reader.orphans()
    return Evidence(
        sagas=sagas,
        orphans=orphans,
        ledger=read_ledger(places.ledger),
        acknowledged={UUID(hex=saga): by_signal for saga, by_signal in notes(places.acknowledged)},
        told=tuple((UUID(hex=saga), _OUTCOMES[outcome]) for saga, outcome in notes(places.told)),
    )
