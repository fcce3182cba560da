"""The process is killed before and after every single commit of a saga; the next start finishes the saga rightly."""

import signal
from collections import defaultdict
from pathlib import Path

import pytest

from tests.runtime.crashing import COMPLETED, FAILED, in_a_process, ledger

MORE_THAN_THERE_ARE = 40
"""The happy journey takes about 11 commits, the undone one about 16."""


def keys_by_effect(path: Path) -> dict[str, set[str]]:
    keys: dict[str, set[str]] = defaultdict(set)
    for what, key in ledger(path):
        keys[what].add(key)
    return keys


@pytest.mark.parametrize("before", [False, True], ids=["after", "before"])
@pytest.mark.parametrize("fails", ["", "stay"], ids=["completed", "undone"])
def test_a_saga_killed_at_every_commit_ends_as_it_would_have(tmp_path: Path, fails: str, *, before: bool) -> None:
    killed = 0
    for number in range(1, MORE_THAN_THERE_ARE):
        path = tmp_path / str(number)
        path.mkdir()
        first = in_a_process(path, fails, number, before=before)
        if first != -signal.SIGKILL:
            assert first == (FAILED if fails else COMPLETED)
            break
        killed += 1
        assert in_a_process(path, fails) == (FAILED if fails else COMPLETED), f"killed at commit {number}"
        keys = keys_by_effect(path)
        assert all(len(of_effect) == 1 for of_effect in keys.values()), f"killed at commit {number}: {keys}"
        steps = {"pack", "fly"} if fails else {"pack", "fly", "stay"}
        undone = {f"undo {step}" for step in steps} if fails else set()
        assert set(keys) == steps | undone, f"killed at commit {number}"
        if fails:
            order = [what for what, _ in ledger(path) if what.startswith("undo")]
            assert list(dict.fromkeys(order)) == ["undo fly", "undo pack"], f"killed at commit {number}"
    assert killed >= 10
