"""Runs diamonds in a process of its own, kills it at random moments, and holds the ledger against the journals."""

import json
import multiprocessing
import os
import random
import signal
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from attrs import define, field

from saga_choreography import Durability, SagaCompleted, SagaFailed, SagaId, SagaSystem
from tests.crash.diamond import DEPENDENTS, DIAMOND, Join, Ledger, Left, Order, Right, Root, saga_number

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["tests.crash.soaking"])

IN_FLIGHT = 40


def _system(path: Path) -> SagaSystem:
    system = SagaSystem(path / "state", durability=Durability.PROCESS, max_in_flight=IN_FLIGHT)
    ledger = Ledger(path / "ledger")
    for actor in (Root, Left, Right, Join):
        system.start_actor(actor, ledger)
    return system


def start_sagas(path: Path) -> None:
    """The process that is killed: start sagas without end, and note each one that was acknowledged."""
    acks = os.open(path / "acks", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    number = len(acknowledged(path))
    with _system(path) as system:
        while True:
            system.start_saga(DIAMOND, Order(number), saga_id=saga_number(number))
            os.write(acks, f"{number}\n".encode())
            number += 1


def finish_sagas(path: Path) -> None:
    """The last process: everything that was acknowledged ends; write down how."""
    outcomes: dict[int, str] = {}
    with _system(path) as system:
        for number in acknowledged(path):
            outcomes[number] = type(system.handle(saga_number(number)).result(60)).__name__
    (path / "outcomes").write_text(json.dumps(outcomes))


def acknowledged(path: Path) -> list[int]:
    """Numbers of the sagas whose start was acknowledged."""
    file = path / "acks"
    return [int(line) for line in file.read_text().split()] if file.exists() else []


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


def soak(path: Path, kills: int, seed: int) -> tuple[int, int]:
    """Kill and restart `kills` times, let everything end, check it; returns how many sagas completed and failed."""
    chance = random.Random(seed)
    for _ in range(kills):
        process = _processes.Process(target=start_sagas, args=(path,))
        process.start()
        process.join(chance.uniform(0.15, 0.9))
        assert process.pid is not None
        assert process.exitcode is None, "a process that starts sagas without end has ended"
        os.kill(process.pid, signal.SIGKILL)
        process.join(20)
    last = _processes.Process(target=finish_sagas, args=(path,))
    last.start()
    last.join(300)
    assert last.exitcode == 0, f"the last process ended with {last.exitcode}"
    outcomes: dict[str, str] = json.loads((path / "outcomes").read_text())
    told = stories(path)
    for number, outcome in outcomes.items():
        _check(int(number), outcome, told.get(saga_number(int(number)), Story()))
    ends = list(outcomes.values())
    return ends.count(SagaCompleted.__name__), ends.count(SagaFailed.__name__)


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
