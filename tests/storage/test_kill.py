"""A process killed with SIGKILL amid commits: what it acknowledged is kept, and no transaction is half there."""

import os
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest

from saga_choreography.storage import LmdbDedupe, LmdbEnvironment, LmdbJournal
from saga_choreography.types import SagaId

WRITER = """
import sys
from saga_choreography.events import StepExecutionStarted, TimestampedEvent
from saga_choreography.storage import Durability, LmdbDedupe, LmdbEnvironment, LmdbJournal
from saga_choreography.types import SagaId
from uuid import UUID
environment = LmdbEnvironment.open(
    sys.argv[1], owner="desk", durability=Durability(sys.argv[2]), map_size_bytes=1 << 18
)
journal, dedupe = LmdbJournal.participant(environment), LmdbDedupe(environment)
sagas = [SagaId(UUID(int=number)) for number in range(1, 4)]
sequence = len(journal.read(sagas[0]))
while True:
    sequence += 1
    with journal.transaction():
        for saga in sagas:
            journal.append(saga, TimestampedEvent(sequence, sequence, StepExecutionStarted(attempt=sequence)))
        assert dedupe.check_and_mark(sagas[0], str(sequence), sequence)
    print(sequence, flush=True)
"""
SAGAS = [SagaId(UUID(int=number)) for number in range(1, 4)]


@pytest.mark.parametrize("durability", ["fsync", "process"])
def test_what_a_killed_process_acknowledged_is_kept_and_nothing_is_half(tmp_path: Path, durability: str) -> None:
    acknowledged = 0
    for acknowledgements in (1, 7, 30, 100):
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), durability],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        ) as writer:
            assert writer.stdout is not None
            for _ in range(acknowledgements):
                acknowledged = int(writer.stdout.readline())
            writer.kill()
            rest = writer.stdout.read().split("\n")
            writer.wait(10)
        whole_lines = [line for line in rest[:-1] if line]
        acknowledged = int(whole_lines[-1]) if whole_lines else acknowledged
        store = LmdbEnvironment.open(tmp_path, owner="desk")
        journal, dedupe = LmdbJournal.participant(store), LmdbDedupe(store)
        lengths = {len(journal.read(saga)) for saga in SAGAS}
        assert len(lengths) == 1, "one transaction, three sagas"
        kept = lengths.pop()
        assert kept in (acknowledged, acknowledged + 1)
        assert all(dedupe.seen(SAGAS[0], str(sequence)) for sequence in range(1, kept + 1))
        assert not dedupe.seen(SAGAS[0], str(kept + 1))
        assert list(journal.live_sagas()) == SAGAS
        store.close()
