"""`check_upgrade`: would today's program resume what an earlier one left in a data directory?

Stores are opened for reading only, also while the program that owns them runs in another process: nothing is locked
and nothing is written. Each saga is seen as of one moment; different sagas, and different stores, may be seen as of
different ones. What cannot be seen from here: which actors the program starts, and under which class names.
"""

import os
from collections.abc import Callable, Iterable
from typing import Final

from typing_extensions import TypeVar

from saga_choreography.errors import StoreError
from saga_choreography.helpers.initiating import replay_saga
from saga_choreography.helpers.recovery import UNREADABLE, replay
from saga_choreography.helpers.upgrade_findings import UpgradeReport
from saga_choreography.helpers.upgrade_judging import Judge
from saga_choreography.state import SagaStateEntry
from saga_choreography.storage import DataDirectory, LmdbEnvironment, LmdbJournal
from saga_choreography.traits.workflow import AnyWorkflow
from saga_choreography.types import SagaId

E = TypeVar("E")

_EVIDENCE: Final = "keep the directory as evidence and restore it from a backup"


def check_upgrade(data_dir: str | os.PathLike[str], workflows: Iterable[AnyWorkflow]) -> UpgradeReport:
    """Compare every live saga in a data directory with the workflows of today, and read its values with their classes.

    Raises:
        WorkflowError: two different workflows of one saga type are given.
        StoreDamaged, StoreVersionError, StoreError: a store cannot be read. (What is wrong with the records of a single
            saga is a fault in the report.)
        StoreLocked: a system runs there in this very process.
    """
    judge = Judge(workflows)
    with DataDirectory.open_readonly(data_dir) as directory:
        places = [
            directory.env_path(actor, shard)
            for actor, shards in sorted(directory.actors.items())
            for shard in range(shards)
            if directory.is_ready(actor, shard)
        ]
    # All participants first: a saga that lives in its initiator afterwards was not over when they were looked at.
    for look in (_participants, _initiators):
        for place in places:
            environment = LmdbEnvironment.open_readonly(place)
            try:
                look(environment, judge)
            finally:
                environment.close()
    return UpgradeReport(
        stores=len(places), sagas=judge.sagas, values=judge.values, faults=judge.faults, notes=judge.notes
    )


def _participants(environment: LmdbEnvironment, judge: Judge) -> None:
    journal = LmdbJournal.participant(environment)
    for saga_id in journal.live_sagas():
        entry: SagaStateEntry | None = _replayed(environment, judge, saga_id, lambda it: replay(journal, it))
        if entry is not None:
            judge.participant(environment.store, entry)


def _initiators(environment: LmdbEnvironment, judge: Judge) -> None:
    journal = LmdbJournal.initiator(environment)
    for saga_id in journal.live_sagas():
        entry = _replayed(environment, judge, saga_id, lambda it: replay_saga(journal, it))
        if entry is not None and entry.outcome is None:  # it may have ended since
            judge.initiator(environment.store, entry)


def _replayed(environment: LmdbEnvironment, judge: Judge, saga_id: SagaId, replayed: Callable[[SagaId], E]) -> E | None:
    try:
        return replayed(saga_id)
    except UNREADABLE as error:
        environment.usage()  # raises, if it is not this saga but the store that cannot be read any further
        if isinstance(error, StoreError):
            judge.unreadable(environment.store, saga_id, error.why, error.remedy)
        else:
            judge.unreadable(environment.store, saga_id, str(error), _EVIDENCE)
        return None
