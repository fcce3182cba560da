"""Which steps a saga waits for, and whether anything but an operator can move it."""

from saga_choreography.events import QuarantinedStep
from saga_choreography.protocol.dependencies import can_be_satisfied
from saga_choreography.protocol.resolver_commands import SETTLED, SagaMemory, StepStatus


def _with(memory: SagaMemory, *wanted: StepStatus) -> set[str]:
    return {name for name, fact in memory.facts.items() if fact.status in wanted}


def blocking_steps(memory: SagaMemory) -> tuple[str, ...]:
    """Steps that could have completed by now and have not: what a timeout names."""
    plan = memory.entry.origin.plan
    completed = _with(memory, StepStatus.COMPLETED)
    return tuple(
        step.step_name
        for step in plan.steps
        if step.step_name not in completed and can_be_satisfied(step.after, completed)
    )


def parked_steps(memory: SagaMemory) -> tuple[QuarantinedStep, ...]:
    """The quarantined steps, if nothing else can move; empty otherwise."""
    quarantined = _with(memory, StepStatus.QUARANTINED)
    if not quarantined or (_undoing(memory) if memory.entry.fence is not None else _running(memory)) - quarantined:
        return ()
    return tuple(
        QuarantinedStep(step_name=name, reason=memory.facts[name].reason)
        for name in memory.entry.origin.plan.step_names
        if name in quarantined
    )


def _running(memory: SagaMemory) -> set[str]:
    """Before a fence: steps that can still complete without an operator."""
    plan = memory.entry.origin.plan
    stuck = _with(memory, StepStatus.QUARANTINED)
    reached = _with(memory, StepStatus.COMPLETED)
    moving: set[str] = set()
    while fresh := {
        step.step_name
        for step in plan.steps
        if step.step_name not in reached and step.step_name not in stuck and can_be_satisfied(step.after, reached)
    }:
        reached |= fresh
        moving |= fresh
    return moving


def _undoing(memory: SagaMemory) -> set[str]:
    """Behind a fence: steps that can still settle without an operator.

    A step known as completed waits for its `undo_after`; a pure one and one not heard of answer the fence by
    themselves.
    """
    plan = memory.entry.origin.plan
    completed = _with(memory, StepStatus.COMPLETED)
    settled = _with(memory, *SETTLED)
    stuck = _with(memory, StepStatus.QUARANTINED)
    while fresh := {
        step.step_name
        for step in plan.steps
        if not step.pure
        and step.step_name in completed
        and step.step_name not in stuck
        and stuck.intersection(step.undo_after)
    }:
        stuck |= fresh
    return set(plan.step_names) - settled - stuck
