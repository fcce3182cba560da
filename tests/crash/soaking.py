"""What the ledger of the diamonds says of each saga, and whether that fits an outcome."""

import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from attrs import define, field

from saga_choreography import SagaCompleted, SagaFailed, SagaId
from tests.crash.diamond import DEPENDENTS, saga_number


@define
class Story:
    """What the ledger says of one saga."""

    keys: dict[tuple[str, str], set[str]] = field(factory=lambda: defaultdict(set))
    order: list[tuple[str, str]] = field(factory=list)


def stories(path: Path) -> Mapping[SagaId, Story]:
    """The ledger, by saga."""
    found: dict[int, Story] = defaultdict(Story)
    for line in (path / "ledger").read_text().splitlines():
        saga, what, step, key = json.loads(line)
        found[saga].keys[what, step].add(key)
        found[saga].order.append((what, step))
    return {saga_number(saga - (1 << 100)): story for saga, story in found.items()}


def _check(number: int, outcome: str, story: Story) -> None:
    assert all(len(keys) == 1 for keys in story.keys.values()), f"saga {number}: an effect under a second key"
    done = {step for what, step in story.order if what == "do"}
    undone = {step for what, step in story.order if what == "undo"}
    if outcome == SagaCompleted.__name__:
        assert (done, undone) == (set(DEPENDENTS), set()), f"saga {number} completed, but: {story.order}"
        return
    assert outcome == SagaFailed.__name__, f"saga {number} is {outcome}"
    assert done == undone, f"saga {number} failed, but: {story.order}"
    for step in done:
        last_do = max(at for at, entry in enumerate(story.order) if entry == ("do", step))
        first_undo = story.order.index(("undo", step))
        assert last_do < first_undo, f"saga {number}: {step} was done after it was undone: {story.order}"
        for dependent in set(DEPENDENTS[step]) & done:
            undone_at = story.order.index(("undo", dependent))
            assert undone_at < first_undo, f"saga {number}: {step} was undone before {dependent}: {story.order}"
