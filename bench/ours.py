"""The library, doing the work."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from typing_extensions import override

from bench.drive import Start, Wait
from bench.work import ORDER, PARTICIPANTS, WORKFLOW, Order, Prepared, Undo
from saga_choreography import (
    NothingToUndo,
    Saga,
    SagaActor,
    SagaCompleted,
    SagaContext,
    SagaFailed,
    SagaSystem,
    SagaWorkflow,
    Step,
    StepOutput,
)

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
    wanted = SagaFailed if doomed else SagaCompleted
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
            handle = system.start_saga(workflow, Order(number, doomed=doomed))

            def wait() -> None:
                outcome = handle.result(120)
                assert isinstance(outcome, wanted), outcome

            return wait

        yield start
