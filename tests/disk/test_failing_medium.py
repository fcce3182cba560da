"""A medium that fails: the store refuses to go on until it is opened again, and then has what was acknowledged.

In about 12 seconds; `pytest -m soak tests/disk` lets every single call fail.
"""

import json
from pathlib import Path

import pytest

from tests.disk.media import with_failing_calls
from tests.disk.programs import open_store
from tests.power.journal_work import STORE, oracle, state_of
from tests.power.saga_work import SAGAS

PROGRAM = "tests.disk.programs"
STEPS = 10


def fail(path: Path, fault: str) -> list[tuple[str, str]]:
    """Work on a store while calls fail; (kind, text) of each error. Every commit must be there in the end."""
    open_store(path / STORE).close()
    lines = with_failing_calls(path / STORE / "data.mdb", fault, PROGRAM, "commits", str(path / STORE), "6", str(STEPS))
    assert lines[-1] == ["done", STEPS], lines
    environment = open_store(path / STORE)
    assert state_of(environment) == oracle(6, STEPS)[-1]
    environment.close()
    failed = [words for words in lines if words[0] == "failed"]
    for _, _, store, remedy, text in failed:
        assert store == str(path / STORE)
        assert store in text
        assert remedy
        assert remedy in text
    return [(kind, text) for _, kind, _, _, text in failed]


# Data pages go out through pwrite64 or writev, the meta page through a pwrite64 of its own at the end of a commit.
@pytest.mark.parametrize("call", ["fdatasync", "writev", "pwrite64"])
def test_a_commit_that_meets_a_failing_medium_is_read_again_before_anything_goes_on(tmp_path: Path, call: str) -> None:
    failed = fail(tmp_path, f"{call}:error=EIO:when=3")
    assert failed
    assert {kind for kind, _ in failed} == {"StoreDamaged"}
    assert "open it again" in failed[0][1]


def test_a_disk_that_is_full_at_the_meta_page_stops_the_store_until_it_is_opened_again(tmp_path: Path) -> None:
    kinds: set[str] = set()
    for number in (1, 2):
        kinds |= {kind for kind, _ in fail(tmp_path / str(number), f"pwrite64:error=ENOSPC:when={number}")}
    assert "StoreFull" in kinds


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("actor", "number"), [("system-initiator", 4), ("Packer", 4), ("Host", 5)])
def test_a_system_whose_medium_fails_once_restarts_that_actor_and_keeps_its_promises(
    tmp_path: Path, actor: str, number: int
) -> None:
    # strace counts by thread, so each incarnation of the actor counts from its start; the second one needs fewer calls.
    acks = tmp_path / "acks"
    data = tmp_path / "state" / "actors" / actor / "0" / "data.mdb"
    arguments = (str(tmp_path), str(acks), "fsync")
    with_failing_calls(data, f"fdatasync:error=EIO:when={number}", "tests.power.saga_work", *arguments)
    said = [json.loads(line) for line in acks.read_text().splitlines()]
    assert {saga: rest[0] for word, saga, *rest in said if word == "ended"} == SAGAS
    keys: dict[tuple[str, str], set[str]] = {}
    for word, saga, *rest in said:
        if word == "effect":
            keys.setdefault((saga, rest[0]), set()).add(rest[1])
    assert all(len(found) == 1 for found in keys.values())


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_whichever_call_fails_nothing_acknowledged_is_lost(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kinds: dict[str, int] = {}
    for call, error in (
        ("fdatasync", "EIO"),
        ("writev", "EIO"),
        ("pwrite64", "EIO"),
        ("writev", "ENOSPC"),
        ("pwrite64", "ENOSPC"),
    ):
        for number in range(1, 25):
            path = tmp_path / f"{call}-{error}-{number}"
            for kind, _ in fail(path, f"{call}:error={error}:when={number}"):
                kinds[f"{error} at {call}: {kind}"] = kinds.get(f"{error} at {call}: {kind}", 0) + 1
    with capsys.disabled():
        print(f"\n    120 runs with one failing call each, nothing lost: {kinds}")
