"""What the links of a plan must be, told from `after` and `pure` alone; all that is checked of a plan of any size."""

from collections.abc import Iterator, Mapping
from functools import lru_cache

from saga_choreography.protocol.dependencies import sources
from saga_choreography.protocol.model.verdict import PlanFault, Property
from saga_choreography.protocol.workflow import graph_faults, link
from saga_choreography.types import SagaPlan

_PLANS = 64


@lru_cache(maxsize=_PLANS)
def must_settle_first(plan: SagaPlan) -> Mapping[str, frozenset[str]]:
    """For each step, those that must have settled before it is undone.

    They are its dependents, and behind each pure one of them, which answers a fence at once, its dependents too.
    """
    dependents: dict[str, set[str]] = {name: set() for name in plan.step_names}
    for step in plan.steps:
        for source in sources(step.after):
            if source in dependents:
                dependents[source].add(step.step_name)
    pure = {step.step_name for step in plan.steps if step.pure}
    found: dict[str, frozenset[str]] = {}
    for name in plan.step_names:
        behind = set(dependents[name])
        fresh = behind & pure
        while fresh:
            fresh = set().union(*(dependents[each] for each in fresh)) - behind
            behind |= fresh
            fresh &= pure
        found[name] = frozenset(behind)
    return found


def structural_faults(plan: SagaPlan) -> Iterator[PlanFault]:
    """Faults of a plan that need no run to be seen: its graph, and links that are not what they must be."""
    graph = [PlanFault(Property.TRIGGERED, (), fault) for fault in graph_faults(plan.saga_type, plan.steps)]
    yield from graph
    if graph:
        return
    for step, right in zip(plan.steps, link(plan.steps), strict=True):
        for breaks, links, wanted, found in (
            (Property.TRIGGERED, "dependents", right.dependents, step.dependents),
            (Property.ORDER, "undo_after", right.undo_after, step.undo_after),
            (Property.REACHED, "tells_settled", right.tells_settled, step.tells_settled),
        ):
            for name in sorted(set(wanted) - set(found)):
                yield PlanFault(breaks, (step.step_name, name), f"{links} of step {step.step_name!r} lacks {name!r}")
            for name in sorted(set(found) - set(wanted)):
                what = f"{links} of step {step.step_name!r} has {name!r}, which it must not"
                yield PlanFault(breaks, (step.step_name, name), what)
