"""Postcards: the other saga type, which must go on whatever becomes of the first; and a crowd that starts sagas."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from attrs import frozen
from typing_extensions import TypeVar

from saga_choreography import (
    RetryPolicy,
    Saga,
    SagaActor,
    SagaCompleted,
    SagaContext,
    SagaHandle,
    SagaSystem,
    SagaWorkflow,
    Step,
    StepOutput,
)

R = TypeVar("R")

WAIT_SECONDS: Final = 60.0
CLIENTS: Final = 4


@frozen
class Greeting:
    number: int


@frozen
class Posted:
    number: int


POSTCARD: Final = Saga("postcard", Greeting)
POST: Final = Step[Greeting, Posted]("post", Posted, after=POSTCARD, retry=RetryPolicy(initial_delay_millis=1))
POSTCARDS: Final = SagaWorkflow(POSTCARD, steps=(POST,))


class Postman(SagaActor[Greeting, Posted, None]):
    """Posts at once."""

    step = POST

    def execute_step(self, context: SagaContext, step_input: Greeting) -> StepOutput[Posted, None]:
        return StepOutput(Posted(step_input.number), None)

    def compensate_step(self, context: SagaContext, undo: None) -> None:
        raise AssertionError("no postcard is taken back")


def crowd(call: Callable[[int], R], count: int, clients: int = CLIENTS) -> list[R]:
    """Call with 0, 1, 2, ... from several threads at once; what the calls gave, in that order."""
    pool = ThreadPoolExecutor(clients)
    try:
        return [done.result(WAIT_SECONDS) for done in [pool.submit(call, number) for number in range(count)]]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def post(system: SagaSystem, count: int) -> list[SagaHandle]:
    """Start postcards from several threads."""
    return crowd(lambda number: system.start_saga(POSTCARDS, Greeting(number)), count)


def assert_completed(handles: Sequence[SagaHandle]) -> None:
    """Every saga completes."""
    for handle in handles:
        assert isinstance(handle.wait_until_ended(WAIT_SECONDS), SagaCompleted)
