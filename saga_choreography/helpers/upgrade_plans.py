"""Plans of two programs compared: what a live saga began with, and what today's workflow says.

A saga runs to its end under the plan it began with. So a difference does no harm, unless today's code takes an input
that the old plan does not give.
"""

from collections.abc import Iterator
from functools import lru_cache

from attrs import asdict

from saga_choreography.types import After, AllOf, AnyOf, DependencySpec, OnSagaStart, RetryPolicy, SagaPlan, StepPlan


def plan_changes(begun: SagaPlan, today: SagaPlan) -> Iterator[str]:
    """What is said differently today, one clause each; steps that are gone are not among it."""
    if begun.overall_timeout_millis != today.overall_timeout_millis:
        yield f"overall_timeout_millis was {begun.overall_timeout_millis} and is {today.overall_timeout_millis}"
    if begun.stalled_timeout_millis != today.stalled_timeout_millis:
        yield f"stalled_timeout_millis was {begun.stalled_timeout_millis} and is {today.stalled_timeout_millis}"
    for step in today.steps:
        old = begun.step(step.step_name)
        if old is None:
            yield f"step {step.step_name!r} is new and not part of them"
        else:
            for change in _step_changes(old, step):
                yield f"step {step.step_name!r}: {change}"


@lru_cache(maxsize=4096)  # without it a deep dependency is walked once for every path through it
def always_gives(begun: DependencySpec, today: DependencySpec) -> bool:
    """Whether whatever satisfies the one also satisfies the other: a step triggered by it has its input. May say no
    where it is so, for joins that were taken apart and put together in another way."""
    if begun == today:
        return True
    if isinstance(begun, AnyOf):
        return all(always_gives(part, today) for part in begun.of)
    if isinstance(today, AllOf):
        return all(always_gives(begun, part) for part in today.of)
    within_today = isinstance(today, AnyOf) and any(always_gives(begun, part) for part in today.of)
    return within_today or (isinstance(begun, AllOf) and any(always_gives(part, today) for part in begun.of))


def described(spec: DependencySpec) -> str:
    """A dependency as it is written in a workflow."""
    match spec:
        case OnSagaStart():
            return "the start of the saga"
        case After(step_name):
            return repr(step_name)
        case AllOf(of):
            return f"all_of({', '.join(map(described, of))})"
        case AnyOf(of):
            return f"any_of({', '.join(map(described, of))})"


def _step_changes(old: StepPlan, new: StepPlan) -> Iterator[str]:
    if old.after != new.after:
        yield f"it waited for {described(old.after)} and waits for {described(new.after)}"
    yield from _policy_changes("retry", old.retry, new.retry)
    yield from _policy_changes("compensation_retry", old.compensation_retry, new.compensation_retry)
    if old.in_doubt is not new.in_doubt:
        yield f"in_doubt was {old.in_doubt.value!r} and is {new.in_doubt.value!r}"
    if old.in_doubt_attempts != new.in_doubt_attempts:
        yield f"in_doubt_attempts was {old.in_doubt_attempts} and is {new.in_doubt_attempts}"
    if old.pure != new.pure:
        yield f"pure was {old.pure} and is {new.pure}"


def _policy_changes(policy: str, old: RetryPolicy, new: RetryPolicy) -> Iterator[str]:
    now: dict[str, object] = asdict(new)
    for name, before in asdict(old).items():
        if before != now[name]:
            yield f"{policy}.{name} was {before} and is {now[name]}"
