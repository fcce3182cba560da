"""A program with one saga whose step, or whose undo, kills the whole program each time it runs, beside others."""

import json
import multiprocessing
import os
import signal
import threading
from collections import Counter
from enum import Enum, unique
from pathlib import Path
from typing import Final, final
from unittest import mock

from attrs import frozen

from saga_choreography import (
    Durability,
    PeerId,
    RetryPolicy,
    Saga,
    SagaActor,
    SagaContext,
    SagaQuarantined,
    SagaSystem,
    SagaWorkflow,
    Step,
    StepOutput,
    TerminalStepError,
)
from saga_choreography.helpers import pacing
from saga_choreography.helpers.fault_points import FaultPoint
from tests.load.errands import errand_id

QUICK: Final = RetryPolicy(max_attempts=3, initial_delay_millis=1, max_delay_millis=5)
BOUND: Final = 4
"""Attempts a step, or an undo, may have when each of them may have had its effect: `in_doubt_attempts`."""
FIRST_NUMBER: Final = 3_000
POISONED: Final = FIRST_NUMBER + 1
"""An odd one, so that it is undone too. After a restart, sagas are gone on with in the order of their ids."""
LATER_NUMBER: Final = 4_000
LATER: Final = 10
"""Dishes that are ordered anew at each start of the program but the first."""
WAIT_SECONDS: Final = 60.0

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["tests.load.poison"])


@unique
class Poison(Enum):
    """What kills the program, and how."""

    STEP_EXITS = "step exits"
    STEP_IS_KILLED = "step is killed"
    UNDO_EXITS = "undo exits"
    UNDO_IS_KILLED = "undo is killed"

    @property
    def in_undo(self) -> bool:
        return self in (Poison.UNDO_EXITS, Poison.UNDO_IS_KILLED)

    def strike(self) -> None:
        """End this process here and now."""
        if self in (Poison.STEP_IS_KILLED, Poison.UNDO_IS_KILLED):
            os.kill(os.getpid(), signal.SIGKILL)
        os._exit(17)


@frozen
class Dish:
    number: int


@frozen
class Cooked:
    number: int


@frozen
class Served:
    number: int


DISH: Final = Saga("dish", Dish)
COOK: Final = Step[Dish, Cooked](
    "cook", Cooked, after=DISH, retry=QUICK, compensation_retry=QUICK, in_doubt_attempts=BOUND
)
SERVE: Final = Step[Cooked, Served](
    "serve", Served, after=COOK, retry=QUICK, compensation_retry=QUICK, in_doubt_attempts=BOUND
)
DISHES: Final = SagaWorkflow(DISH, steps=(COOK, SERVE))


@final
class Kitchen:
    """What happened, in a file that outlives the process; and which dish is the poisoned one."""

    def __init__(self, path: Path, poison: Poison) -> None:
        self._file = os.open(path / "kitchen", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self.poison = poison

    def note(self, what: str, number: int, context: SagaContext) -> None:
        os.write(self._file, (json.dumps([what, number, context.idempotency_key]) + "\n").encode())


class Cook(SagaActor[Dish, Cooked, None]):
    step = COOK

    def __init__(self, kitchen: Kitchen) -> None:
        super().__init__()
        self.kitchen = kitchen

    def execute_step(self, context: SagaContext, step_input: Dish) -> StepOutput[Cooked, None]:
        self.kitchen.note("cook", step_input.number, context)
        if step_input.number == POISONED and not self.kitchen.poison.in_undo:
            self.kitchen.poison.strike()
        return StepOutput(Cooked(step_input.number), None)

    def compensate_step(self, context: SagaContext, undo: None) -> None:
        number = context.saga_id.int - errand_id(0).int
        self.kitchen.note("undo", number, context)
        if number == POISONED and self.kitchen.poison.in_undo:
            self.kitchen.poison.strike()


class Waiter(SagaActor[Cooked, Served, None]):
    """Refuses every second dish, so that cooking is undone."""

    step = SERVE

    def __init__(self, kitchen: Kitchen) -> None:
        super().__init__()
        self.kitchen = kitchen

    def execute_step(self, context: SagaContext, step_input: Cooked) -> StepOutput[Served, None]:
        if step_input.number % 2:
            raise TerminalStepError("not what was ordered")
        self.kitchen.note("serve", step_input.number, context)
        return StepOutput(Served(step_input.number), None)

    def compensate_step(self, context: SagaContext, undo: None) -> None:
        raise AssertionError("it is the last step")


@final
class OneBatch:
    """Holds the cook before a commit until it has mail, so that all of it becomes one batch."""

    def __init__(self) -> None:
        self.armed = threading.Event()
        self.holding = threading.Event()
        self.go_on = threading.Event()

    def __call__(self, point: FaultPoint, peer_id: PeerId) -> None:
        if point is FaultPoint.BEFORE_COMMIT and peer_id == "Cook" and self.armed.is_set():
            self.holding.set()
            assert self.go_on.wait(WAIT_SECONDS)


def run_kitchen(path: Path, poison: Poison, together: int) -> None:
    """The program: `together` dishes are one batch at its first start; wait for all verdicts and write them down."""
    # Whether a fast step shares its batch must not depend on how busy this machine is.
    mock.patch.object(pacing, "BUDGET_SECONDS", 10.0).start()
    batch, kitchen = OneBatch(), Kitchen(path, poison)
    system = SagaSystem(path / "state", durability=Durability.PROCESS, fault_points=batch)
    system.start_actor(Cook, kitchen)
    system.start_actor(Waiter, kitchen)
    ordered = _ordered(path)
    if ordered:
        first = LATER_NUMBER + len(ordered)
        _order(path, system, range(first, first + LATER))
    else:
        # The cook gets to know its own speed: only of fast steps many share a batch.
        for number in range(1_000, 1_100):
            system.start_saga(DISHES, Dish(number), saga_id=errand_id(number)).result(WAIT_SECONDS)
        batch.armed.set()
        system.start_saga(DISHES, Dish(2_000), saga_id=errand_id(2_000))
        assert batch.holding.wait(WAIT_SECONDS)
        _order(path, system, range(FIRST_NUMBER, FIRST_NUMBER + together))
        system._drain_stream(WAIT_SECONDS)
    batch.go_on.set()
    handles = {number: system.handle(errand_id(number)) for number in _ordered(path)}
    outcomes = {number: type(handle.result(WAIT_SECONDS)).__name__ for number, handle in handles.items()}
    evidence = {record.saga_id.int - errand_id(0).int: record.attempts for record in system.quarantined()}
    (path / "verdicts").write_text(json.dumps([outcomes, evidence]))
    _resolve_all(system)
    system.stop()


def _order(path: Path, system: SagaSystem, numbers: range) -> None:
    """Start sagas, and note each one that was acknowledged."""
    with (path / "orders").open("a") as orders:
        for number in numbers:
            system.start_saga(DISHES, Dish(number), saga_id=errand_id(number))
            print(number, file=orders, flush=True)


def _ordered(path: Path) -> list[int]:
    file = path / "orders"
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def _resolve_all(system: SagaSystem) -> None:
    for record in system.quarantined():
        system.resolve(record.saga_id, record.step_name, "undone", by="me", why="I looked")
        system.handle(record.saga_id).wait_until_ended(WAIT_SECONDS)


@final
@frozen(kw_only=True)
class Aftermath:
    """How it all ended."""

    crashes: int
    outcomes: dict[int, str]
    evidence: dict[int, int]
    """Attempts by number of the quarantined saga."""
    notes: Counter[tuple[str, int]]
    keys: dict[tuple[str, int], set[str]]


def run_until_it_lives(path: Path, poison: Poison, together: int) -> Aftermath:
    """Start the program again and again, as a service manager would, until it does not crash any more."""
    crashes = 0
    while not (path / "verdicts").exists():
        process = _processes.Process(target=run_kitchen, args=(path, poison, together))
        process.start()
        process.join(2 * WAIT_SECONDS)
        assert process.exitcode is not None, "the program hangs"
        if process.exitcode:
            assert process.exitcode in (17, -signal.SIGKILL), f"it ended with {process.exitcode}"
            crashes += 1
            assert crashes <= 2 * BOUND, "the poisoned saga kills the program for ever"
    outcomes, evidence = json.loads((path / "verdicts").read_text())
    notes: Counter[tuple[str, int]] = Counter()
    keys: dict[tuple[str, int], set[str]] = {}
    for what, number, key in map(json.loads, (path / "kitchen").read_text().splitlines()):
        notes[what, number] += 1
        keys.setdefault((what, number), set()).add(key)
    return Aftermath(
        crashes=crashes,
        outcomes={int(number): outcome for number, outcome in outcomes.items()},
        evidence={int(number): attempts for number, attempts in evidence.items()},
        notes=notes,
        keys=keys,
    )


QUARANTINED: Final = SagaQuarantined.__name__
