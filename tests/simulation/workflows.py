"""Random plans: chains, fans, joins of joins, any_of, pure steps, every policy."""

from random import Random

from saga_choreography.protocol.workflow import graph_faults, link
from saga_choreography.types import (
    After,
    AllOf,
    AnyOf,
    DependencySpec,
    InDoubt,
    OnSagaStart,
    RetryPolicy,
    SagaPlan,
    StepPlan,
)
from tests.simulation.fate import Profile

MOST_STEPS = 8
FAR_MILLIS = 1_000_000_000
"""A deadline that a saga which goes on never meets."""


def step_name(number: int) -> str:
    return f"s{number}"


def random_plan(rng: Random, saga_type: str, profile: Profile) -> SagaPlan:
    """A plan of 1 to 8 steps without faults."""
    count = rng.choice((1, 2, 3, 3, 4, 4, 5, 6, MOST_STEPS))
    shape = rng.choice(("chain", "fan", "any", "any", "any"))
    pure = rng.choice((0.0, 0.0, 0.3, 0.6))
    steps = tuple(
        StepPlan(
            step_name=step_name(number),
            after=_dependency(rng, shape, number),
            retry=_policy(rng),
            compensation_retry=_policy(rng),
            in_doubt=rng.choice((InDoubt.RETRY, InDoubt.RETRY, InDoubt.QUARANTINE)),
            in_doubt_attempts=rng.randint(1, 5),
            pure=rng.random() < pure,
        )
        for number in range(count)
    )
    faults = list(graph_faults(saga_type, steps))
    if faults:
        raise AssertionError(faults)
    near = profile.deadlines
    return SagaPlan(
        saga_type=saga_type,
        steps=link(steps),
        overall_timeout_millis=rng.choice((None, 20, 200, 3_000)) if near else rng.choice((None, FAR_MILLIS)),
        stalled_timeout_millis=rng.choice((None, 10, 50, 1_000)) if near else rng.choice((None, FAR_MILLIS)),
    )


def _policy(rng: Random) -> RetryPolicy:
    return RetryPolicy(max_attempts=rng.randint(1, 3), initial_delay_millis=rng.choice((0, 5, 60)), jitter=0.5)


def _dependency(rng: Random, shape: str, number: int) -> DependencySpec:
    if number == 0:
        return OnSagaStart()
    if shape == "chain":
        return After(step_name(number - 1))
    if shape == "fan":
        return OnSagaStart() if rng.random() < 0.3 else After(step_name(rng.randrange((number + 1) // 2)))
    return _tree(rng, number, 2)


def _tree(rng: Random, number: int, depth: int) -> DependencySpec:
    roll = rng.random()
    if depth == 0 or roll < 0.45:
        source = rng.randint(-1, number - 1)
        return OnSagaStart() if source < 0 else After(step_name(source))
    parts = tuple(_tree(rng, number, depth - 1) for _ in range(rng.randint(2, 3)))
    return AllOf(parts) if roll < 0.75 else AnyOf(parts)
