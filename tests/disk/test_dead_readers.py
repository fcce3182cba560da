"""A reader that was killed keeps pages from being reused until it is looked for: at the next start, or a later commit.

In about 2 seconds.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from saga_choreography.storage import LmdbEnvironment, LmdbJournal, lmdb_map
from saga_choreography.types import new_saga_id
from tests.disk.programs import open_store
from tests.power.tracing import child_environment
from tests.storage.samples import finish, started

READER = """
import lmdb, sys
environment = lmdb.open(sys.argv[1], readonly=True, create=False, map_size=1 << 24, max_dbs=20)
transaction = environment.begin()
transaction.get(b"identity")
print("reading", flush=True)
sys.stdin.readline()
"""


def kill_a_reader(path: Path) -> None:
    """A process that was killed in the midst of a read transaction."""
    with subprocess.Popen(
        [sys.executable, "-c", READER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=child_environment(),
    ) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "reading\n"
        reader.kill()
        reader.wait(30)


def churn(environment: LmdbEnvironment, rounds: int = 40) -> int:
    """Write and prune sagas; by how many bytes the store grew."""
    journal = LmdbJournal.participant(environment)
    before = environment.usage().used
    for number in range(rounds):
        saga_id = new_saga_id()
        with journal.transaction():
            for sequence in range(1, 21):
                journal.append(saga_id, started(sequence))
        finish(journal, saga_id, number)
        journal.prune(number + 1, 10)
    return environment.usage().used - before


def test_the_room_a_killed_reader_held_is_free_again_after_a_check(tmp_path: Path) -> None:
    environment = open_store(tmp_path)
    churn(environment)
    kill_a_reader(tmp_path)
    held = churn(environment)
    assert environment.check_readers() == 1
    churn(environment, 5)
    freed = churn(environment)
    assert freed < held // 2
    environment.close()


def test_the_room_a_killed_reader_held_is_free_again_after_a_start(tmp_path: Path) -> None:
    environment = open_store(tmp_path)
    churn(environment)
    kill_a_reader(tmp_path)
    held = churn(environment)
    environment.close()
    environment = open_store(tmp_path)
    assert environment.check_readers() == 0
    churn(environment, 5)
    assert churn(environment) < held // 2
    environment.close()


def test_a_running_store_looks_for_killed_readers_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lmdb_map, "_COMMITS_PER_CHECK", 60)
    environment = open_store(tmp_path)
    churn(environment)
    kill_a_reader(tmp_path)
    churn(environment, 25)
    assert environment.check_readers() == 0, "it was found before"
    environment.close()
