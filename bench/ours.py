"""The library, doing the work."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeAlias, final

from attrs import frozen
from typing_extensions import override

from bench.drive import Start, Wait
from bench.work import ORDER, PARTICIPANTS, WORKFLOW, Monitor, Order, Placer, Prepared, Preparer, Undo
from saga_choreography import (
    NothingToUndo,
    Saga,
    SagaActor,
    SagaCompleted,
    SagaContext,
    SagaFailed,
    SagaHandle,
    SagaSystem,
    SagaWorkflow,
    Step,
    StepOutput,
)

Outcome: TypeAlias = SagaCompleted | SagaFailed

PATIENCE_SECONDS: Final = 120
_SLOW: Final = Step[Order, Prepared, Undo]("slow", Prepared, after=ORDER, undo=Undo)
_SLOW_WORKFLOW: Final = SagaWorkflow(ORDER, steps=(_SLOW,))


class Sleeper(SagaActor[Order, Prepared, Undo]):
    """Waits for somebody else, as a step that calls a service does."""

    step = _SLOW

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    @override
    def execute_step(self, context: SagaContext, step_input: Order) -> StepOutput[Prepared, Undo]:
        time.sleep(self._seconds)
        return StepOutput(Prepared(step_input, "slow"), Undo("slow", step_input.instrument, step_input.amount))

    @override
    def compensate_step(self, context: SagaContext, undo: Undo) -> None:
        """Nothing is outside."""


def unrelated_participant(number: int) -> type[SagaActor[bytes, bytes, None]]:
    """A participant of a saga type that nobody starts."""
    saga = Saga(f"unrelated-{number}", bytes)

    class Unrelated(NothingToUndo, SagaActor[bytes, bytes, None]):
        step = Step[bytes, bytes, None](f"nothing-{number}", bytes, after=saga, pure=True)

        @override
        def execute_step(self, context: SagaContext, step_input: bytes) -> StepOutput[bytes, None]:
            return StepOutput(step_input, None)

    Unrelated.__name__ = f"Unrelated{number}"
    return Unrelated


@contextmanager
def ours(
    directory: Path, *, doomed: bool = False, sleeps: float = 0.0, shards: int = 1, unrelated: int = 0
) -> Iterator[Start]:
    """A system with its participants; durable as users get it."""
    wanted: type[Outcome] = SagaFailed if doomed else SagaCompleted
    workflow = _SLOW_WORKFLOW if sleeps else WORKFLOW
    with SagaSystem(directory / "state") as system:
        if sleeps:
            system.start_actor(Sleeper, sleeps, shards=shards)
        else:
            for participant in PARTICIPANTS:
                system.start_actor(participant)
        for number in range(unrelated):
            system.start_actor(unrelated_participant(number))

        def start(number: int) -> Wait:
            return _until(wanted, system.start_saga(workflow, Order(number, doomed=doomed)))

        yield start


@final
@frozen
class Growing:
    """Two ways to fill a store: `finish` starts sagas that complete, `wait` sagas that stay in their third step."""

    finish: Start
    wait: Start


@contextmanager
def growing(directory: Path) -> Iterator[Growing]:
    """A system in which sagas complete beside others that wait for good."""
    pending = threading.Semaphore(0)
    with SagaSystem(directory / "state") as system:
        system.start_actor(Preparer)
        system.start_actor(Placer)
        system.start_actor(Monitor, pending.release)

        def finish(number: int) -> Wait:
            return _until(SagaCompleted, system.start_saga(WORKFLOW, Order(number)))

        def wait(number: int) -> Wait:
            system.start_saga(WORKFLOW, Order(number, waits=True))

            def until_one_more_waits() -> None:
                # Whichever it is: who started n sagas and waited n times knows that all of them wait.
                assert pending.acquire(timeout=PATIENCE_SECONDS), f"no saga came to wait in {PATIENCE_SECONDS} s"

            return until_one_more_waits

        yield Growing(finish, wait)


def _until(wanted: type[Outcome], handle: SagaHandle) -> Wait:
    def wait() -> None:
        outcome = handle.result(PATIENCE_SECONDS)
        assert isinstance(outcome, wanted), outcome

    return wait
