"""Graph checks, and the step from a declared graph to a plan: who depends on whom, and who is undone after whom."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final

from attrs import evolve

from saga_choreography.protocol.dependencies import can_be_satisfied, depth, sources
from saga_choreography.types import DEEPEST_DEPENDENCY, LONGEST_MILLIS, SAGA_START, SagaPlan, StepPlan

_NAME_RULE: Final = "a letter, then up to 63 letters, digits, '_', '-' or '.'"
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")


def graph_faults(saga_type: str, steps: Sequence[StepPlan]) -> Iterator[str]:
    """Every fault of a declared graph, one sentence each."""
    if not _NAME.fullmatch(saga_type):
        yield f"saga type {saga_type!r} is not a name ({_NAME_RULE})"
    if not steps:
        yield "it has no steps"
    seen: set[str] = set()
    for step in steps:
        if step.step_name in seen:
            yield f"step {step.step_name!r} is declared twice"
        if not _NAME.fullmatch(step.step_name):
            yield f"step name {step.step_name!r} is not a name ({_NAME_RULE})"
        seen.add(step.step_name)
    for step in steps:
        if (levels := depth(step.after)) > DEEPEST_DEPENDENCY:
            yield f"step {step.step_name!r} nests joins {levels} levels deep, the most is {DEEPEST_DEPENDENCY}"
        for source in sources(step.after):
            if source != SAGA_START and source not in seen:
                yield f"step {step.step_name!r} waits for {source!r}, which is not a step of this workflow"
    reached: set[str] = set()
    while fresh := {
        step.step_name for step in steps if step.step_name not in reached and can_be_satisfied(step.after, reached)
    }:
        reached |= fresh
    for name in sorted(seen - reached):
        yield f"step {name!r} is unreachable: it can never be triggered"


def link(steps: Sequence[StepPlan]) -> tuple[StepPlan, ...]:
    """The same steps with `dependents`, `undo_after` and `tells_settled` filled in. The graph must have no faults."""
    waits_for = {step.step_name: frozenset(sources(step.after)) for step in steps}
    dependents = {
        step.step_name: tuple(name for name, waited_for in waits_for.items() if step.step_name in waited_for)
        for step in steps
    }
    pure = {step.step_name for step in steps if step.pure}

    @cache  # without it a ladder of pure steps is walked once for every path through it
    def undo_after(name: str) -> frozenset[str]:
        # A pure step answers a fence at once, so whoever it depends on must look through it at its own dependents.
        direct = frozenset(dependents[name])
        return direct.union(*(undo_after(dependent) for dependent in direct & pure))

    order = [step.step_name for step in steps]
    waits = {name: tuple(sorted(undo_after(name), key=order.index)) for name in order}
    return tuple(
        evolve(
            step,
            dependents=dependents[step.step_name],
            undo_after=waits[step.step_name],
            tells_settled=tuple(name for name in order if step.step_name in waits[name]),
        )
        for step in steps
    )


def plan_faults(plan: SagaPlan) -> Iterator[str]:
    """Faults of the timeouts of a plan."""
    for name, millis in (
        ("overall_timeout_millis", plan.overall_timeout_millis),
        ("stalled_timeout_millis", plan.stalled_timeout_millis),
    ):
        if millis is not None and millis <= 0:
            yield f"{name} is {millis}, it must be positive or None"
        elif millis is not None and millis > LONGEST_MILLIS:
            yield f"{name} is {millis}, the longest is {LONGEST_MILLIS} (ten years)"
