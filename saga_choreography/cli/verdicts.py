"""The verdict on a workflow as lines of text: pure, so that it can be tested word by word."""

from collections.abc import Iterator, Sequence

from saga_choreography.protocol.model import MOST_STEPS, PlanFault, PlanVerdict
from saga_choreography.types import SagaPlan


def verdict_lines(target: str, plan: SagaPlan, verdict: PlanVerdict) -> Iterator[str]:
    """What was looked at, what holds, and every fault with the run that shows it."""
    steps = len(plan.steps)
    # A workflow that could be built has storable classes: its payload, and two for each step.
    yield f"{target}: workflow {plan.saga_type!r}, {counted(steps, 'step')}, {2 * steps + 1} classes that can be stored"
    if verdict.explored:
        yield (
            f"  explored: {counted(verdict.states, 'set')} of completed steps, {counted(verdict.runs, 'run')} to the"
            f" end, {counted(verdict.turns, 'turn')} of participants and initiator"
        )
    else:
        yield f"  not explored: more than {MOST_STEPS} steps are too many, so only the links between steps were checked"
    yield from (f"  proven: {each.value}" for each in verdict.proven)
    for fault in verdict.faults:
        yield from _fault_lines(fault)
    if verdict.faults:
        yield f"  {counted(len(verdict.faults), 'fault')}"
    else:
        yield "  no faults"


def refused_lines(target: str, saga_type: str, faults: Sequence[str]) -> Iterator[str]:
    """A workflow that could not even be built."""
    yield f"{target}: workflow {saga_type!r} is refused when it is built"
    yield from (f"  fault: {fault}" for fault in faults)
    yield f"  {counted(len(faults), 'fault')}"


def _fault_lines(fault: PlanFault) -> Iterator[str]:
    yield f"  fault: {fault.what}"
    yield f"    broken: {fault.breaks.value}"
    yield from (f"    {number}. {event}" for number, event in enumerate(fault.trace, 1))


def counted(number: int, noun: str) -> str:
    """A number and its noun."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
