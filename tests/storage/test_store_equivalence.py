"""Random operations against both backends: they always answer alike."""

import tempfile
from pathlib import Path
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from saga_choreography.errors import StoreMisused
from saga_choreography.events import OutcomeKind
from saga_choreography.storage import (
    Durability,
    InMemoryDedupe,
    InMemoryEnvironment,
    InMemoryJournal,
    LmdbDedupe,
    LmdbEnvironment,
    LmdbJournal,
    ParticipantDedupeStore,
    ParticipantJournal,
    Tombstone,
)
from saga_choreography.types import SagaId
from tests.storage.samples import started

SAGAS = [SagaId(UUID(int=number << 64)) for number in range(1, 4)]
sagas = st.sampled_from(SAGAS)
writes = st.one_of(
    st.tuples(st.just("append"), sagas, st.integers(0, 2)),
    st.tuples(st.just("end"), sagas, st.integers(0, 9)),
    st.tuples(st.just("mark"), sagas, st.integers(0, 2)),
    st.tuples(st.just("unmark"), sagas, st.just(0)),
)
steps = st.one_of(
    st.tuples(st.just("transaction"), st.lists(writes, max_size=6), st.booleans()),
    st.tuples(st.sampled_from(["prune", "forget"]), st.integers(0, 10), st.integers(0, 3)),
    st.tuples(st.just("reopen"), st.just(0), st.just(0)),
)


class Abort(Exception):
    """The body of a transaction gives up."""


def observe(journal: ParticipantJournal, dedupe: ParticipantDedupeStore) -> list[object]:
    return [
        list(journal.live_sagas()),
        [journal.read(saga) for saga in SAGAS],
        [journal.tombstone(saga) for saga in SAGAS],
        [[dedupe.seen(saga, str(key)) for key in range(3)] for saga in SAGAS],
    ]


def apply(journal: ParticipantJournal, dedupe: ParticipantDedupeStore, step: tuple[str, object, object]) -> object:
    """What a step answers; a refused transaction answers its message."""
    match step:
        case ("transaction", list(operations), bool(fails)):
            answers: list[object] = []
            try:
                with journal.transaction():
                    lengths = {saga: len(journal.read(saga)) for saga in SAGAS}
                    for operation in operations:
                        match operation:
                            case ("append", UUID() as raw, int(ahead)):
                                saga = SagaId(raw)
                                journal.append(saga, started(lengths[saga] + ahead))
                                lengths[saga] += ahead
                            case ("end", UUID() as raw, int(at)):
                                journal.end(SagaId(raw), at, Tombstone(outcome=OutcomeKind.FAILED, digest=bytes([at])))
                            case ("mark", UUID() as raw, int(key)):
                                answers.append(dedupe.check_and_mark(SagaId(raw), str(key), 1))
                            case ("unmark", UUID() as raw, _):
                                dedupe.prune(SagaId(raw))
                            case _:
                                raise AssertionError(operation)
                    if fails:
                        raise Abort
            except Abort:
                return answers
            except StoreMisused as error:
                return error.why
            return answers
        case ("prune", int(before), int(limit)):
            return journal.prune(before, limit)
        case ("forget", int(before), int(limit)):
            return journal.prune_tombstones(before, limit)
        case _:
            raise AssertionError(step)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(steps, max_size=15))
def test_memory_and_lmdb_agree(script: list[tuple[str, object, object]]) -> None:
    memory = InMemoryEnvironment()
    memory_journal = InMemoryJournal(memory)
    memory_dedupe = InMemoryDedupe(memory_journal)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store"
        environment = LmdbEnvironment.open(path, owner="desk", durability=Durability.PROCESS)
        lmdb_journal, lmdb_dedupe = LmdbJournal.participant(environment), LmdbDedupe(environment)
        for step in script:
            if step[0] == "reopen":
                environment.close()
                environment = LmdbEnvironment.open(path, owner="desk", durability=Durability.PROCESS)
                lmdb_journal, lmdb_dedupe = LmdbJournal.participant(environment), LmdbDedupe(environment)
                memory.crash()
                continue
            assert apply(memory_journal, memory_dedupe, step) == apply(lmdb_journal, lmdb_dedupe, step)
            assert observe(memory_journal, memory_dedupe) == observe(lmdb_journal, lmdb_dedupe)
        environment.close()
