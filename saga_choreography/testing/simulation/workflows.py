"""Random workflows: chains, fans, joins of joins, any_of, pure steps, every policy."""

from random import Random
from typing import Final, TypeAlias, cast

from saga_choreography.testing.simulation.clock import FAR_MILLIS
from saga_choreography.testing.simulation.weather import Weather
from saga_choreography.traits.subscription import AnySource, Join, Saga, Source, Step
from saga_choreography.traits.workflow import SagaWorkflow
from saga_choreography.types import InDoubt, RetryPolicy

MOST_STEPS: Final = 8
_STEPS: Final = (1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, MOST_STEPS)
"""Small ones more often: most broken guarantees need few steps, and more schedules find more of them."""
_DELAYS: Final = (0, 5, 60)
_POLICIES: Final = {
    (attempts, millis): RetryPolicy(max_attempts=attempts, initial_delay_millis=millis, jitter=0.5)
    for attempts in (1, 2, 3)
    for millis in _DELAYS
}

RandomStep: TypeAlias = Step[object, bytes, bytes | None]


def random_workflow(rng: Random, saga_type: str, weather: Weather) -> tuple[SagaWorkflow[bytes], list[RandomStep]]:
    """A workflow of 1 to 8 steps without faults, and its tokens."""
    count = rng.choice(_STEPS)
    shape = rng.choice(("chain", "fan", "any", "any", "any"))
    pure = rng.choice((0.0, 0.0, 0.3, 0.6))
    saga = Saga(saga_type, bytes)
    steps: list[RandomStep] = []
    for number in range(count):
        steps.append(_step(rng, number, _source(rng, shape, saga, steps), is_pure=rng.random() < pure))
    near = weather.deadlines
    workflow = SagaWorkflow(
        saga,
        steps=tuple(steps),
        overall_timeout_millis=rng.choice((None, 20, 200, 3_000)) if near else rng.choice((None, FAR_MILLIS)),
        stalled_timeout_millis=rng.choice((None, 10, 50, 1_000)) if near else rng.choice((None, FAR_MILLIS)),
    )
    return workflow, steps


def _step(rng: Random, number: int, after: AnySource, *, is_pure: bool) -> RandomStep:
    return Step(
        f"s{number}",
        bytes,
        after=cast("Source[object]", after),  # random sources: each call checks what it is given
        undo=None if is_pure else bytes,
        retry=_policy(rng),
        compensation_retry=_policy(rng),
        in_doubt=rng.choice((InDoubt.RETRY, InDoubt.RETRY, InDoubt.QUARANTINE)),
        in_doubt_attempts=rng.randint(1, 5),
        pure=is_pure,
    )


def _policy(rng: Random) -> RetryPolicy:
    return _POLICIES[rng.randint(1, 3), rng.choice(_DELAYS)]


def _source(rng: Random, shape: str, saga: Saga[bytes], steps: list[RandomStep]) -> AnySource:
    if not steps:
        return saga
    if shape == "chain":
        return steps[-1]
    if shape == "fan":
        return saga if rng.random() < 0.3 else steps[rng.randrange((len(steps) + 2) // 2)]
    return _tree(rng, saga, steps, 2)


def _tree(rng: Random, saga: Saga[bytes], steps: list[RandomStep], depth: int) -> AnySource:
    roll = rng.random()
    if depth == 0 or roll < 0.45:
        return rng.choice((saga, *steps))
    parts = tuple(_tree(rng, saga, steps, depth - 1) for _ in range(rng.randint(2, 3)))
    return Join("join", object, "all" if roll < 0.75 else "any", parts)
