"""Rebuilding what was in flight, from the live index and the journal alone."""

from collections.abc import Container
from typing import Final

from saga_choreography.errors import IllegalTransition, StoreDamaged, StoreVersionError
from saga_choreography.helpers.fault_points import FaultPoint
from saga_choreography.helpers.host import StateHost
from saga_choreography.helpers.ports import Surroundings
from saga_choreography.observability import NoticeKind
from saga_choreography.protocol.fold import fold
from saga_choreography.state import Compensating, Executing, ExecutionPhase, SagaStateEntry, is_in
from saga_choreography.storage import ParticipantJournal
from saga_choreography.types import SagaId

UNREADABLE: Final = (StoreDamaged, StoreVersionError, IllegalTransition)
"""What says that the records of one saga cannot be read: they are damaged, of a newer format, or no saga's story."""


def rebuild(state: StateHost, saga_types: Container[str], surroundings: Surroundings) -> list[SagaId]:
    """Fold the journal of every live saga into `state.saga_states`; returns the ids of all live sagas.

    Entries that are there already are left alone, so a second call changes nothing. A saga whose records cannot be read
    is reported and left as it is, with its evidence; the others go on.
    """
    states = state.saga_states
    for saga_id in state.saga_journal.live_sagas():
        if saga_id in states:
            continue
        surroundings.reach(FaultPoint.RECOVERING)
        try:
            entry = replay(state.saga_journal, saga_id)
        except UNREADABLE as error:
            detail = f"saga {saga_id} is not resumed, its records are kept as they are: {error}"
            surroundings.notice(NoticeKind.RECORD_UNREADABLE, detail, saga_id)
            continue
        if entry is None:
            continue  # pruned between the two reads
        if entry.origin.saga_type not in saga_types:
            detail = f"saga {saga_id} of type {entry.origin.saga_type!r} is not resumed: no step of it is declared here"
            surroundings.notice(NoticeKind.RECORD_UNREADABLE, detail, saga_id)
            continue
        states[saga_id] = entry
    return list(states)


def replay(journal: ParticipantJournal, saga_id: SagaId) -> SagaStateEntry | None:
    """The entry of one saga from its records, or None when there are none. Any thread.

    Raises:
        StoreDamaged, StoreVersionError: the records cannot be read.
        IllegalTransition: they cannot follow each other.
    """
    entry: SagaStateEntry | None = None
    for record in journal.read(saga_id):
        entry = fold(entry, record)
    return entry


def was_interrupted(entry: SagaStateEntry) -> bool:
    """Whether business code of the saga may have been running when the actor ended."""
    running = ExecutionPhase.RUNNING
    if is_in(entry, Executing):
        return entry.state.phase is running
    return is_in(entry, Compensating) and entry.state.phase is running
