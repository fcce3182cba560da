"""Plans of many shapes, sound as they are linked, and ways to break them."""

from attrs import evolve

from saga_choreography.protocol.workflow import link
from saga_choreography.types import After, AllOf, AnyOf, DependencySpec, OnSagaStart, SagaPlan, StepPlan

START = OnSagaStart()


def step(name: str, after: DependencySpec = START, *, pure: bool = False) -> StepPlan:
    return StepPlan(step_name=name, after=after, pure=pure)


def plan_of(*steps: StepPlan) -> SagaPlan:
    """A sound plan."""
    return SagaPlan(saga_type="trip", steps=link(steps))


def changed(
    plan: SagaPlan,
    name: str,
    *,
    dependents: tuple[str, ...] | None = None,
    undo_after: tuple[str, ...] | None = None,
    tells_settled: tuple[str, ...] | None = None,
) -> SagaPlan:
    """The same plan, with other links of one step."""

    def change(each: StepPlan) -> StepPlan:
        return evolve(
            each,
            dependents=each.dependents if dependents is None else dependents,
            undo_after=each.undo_after if undo_after is None else undo_after,
            tells_settled=each.tells_settled if tells_settled is None else tells_settled,
        )

    steps = tuple(change(each) if each.step_name == name else each for each in plan.steps)
    return SagaPlan(saga_type=plan.saga_type, steps=steps)


def all_of(*names: str) -> AllOf:
    return AllOf(tuple(map(After, names)))


def any_of(*names: str) -> AnyOf:
    return AnyOf(tuple(map(After, names)))


def roots(count: int) -> SagaPlan:
    """Steps side by side."""
    return plan_of(*(step(f"s{number}") for number in range(count)))


def line(count: int, *, pure: bool = False) -> SagaPlan:
    """One step after the other; the first is never pure."""
    later = (step(f"s{number}", After(f"s{number - 1}"), pure=pure) for number in range(1, count))
    return plan_of(step("s0"), *later)


def ladder(rungs: int) -> SagaPlan:
    """Two lines; each right step waits for the left one beside it too."""
    steps: list[StepPlan] = []
    for number in range(rungs):
        steps.append(step(f"l{number}", After(f"l{number - 1}") if number else START))
        left = f"l{number}"
        steps.append(step(f"r{number}", all_of(left, f"r{number - 1}") if number else After(left)))
    return plan_of(*steps)


def diamonds(count: int) -> SagaPlan:
    """Diamonds in a line: each opens into two steps and is closed by the opening of the next one."""
    steps: list[StepPlan] = []
    for number in range(count):
        steps.append(step(f"t{number}", all_of(f"x{number - 1}", f"y{number - 1}") if number else START))
        steps += [step(f"{side}{number}", After(f"t{number}")) for side in "xy"]
    return plan_of(*steps)


def damaged(plan: SagaPlan) -> dict[str, SagaPlan]:
    """Every plan that lacks one link of a sound one, or has one more, by what was done to it."""
    found: dict[str, SagaPlan] = {}

    def toggled(names: tuple[str, ...], other: str) -> tuple[str, ...]:
        return tuple(each for each in names if each != other) if other in names else (*names, other)

    for each in plan.steps:
        name = each.step_name
        for other in plan.step_names:
            sign = {links: "-" if other in names else "+" for links, names in _links(each).items()}
            heard = changed(plan, name, dependents=toggled(each.dependents, other))
            waited = changed(plan, name, undo_after=toggled(each.undo_after, other))
            told = changed(plan, name, tells_settled=toggled(each.tells_settled, other))
            found[f"{name}.dependents {sign['dependents']} {other}"] = heard
            found[f"{name}.undo_after {sign['undo_after']} {other}"] = waited
            found[f"{name}.tells_settled {sign['tells_settled']} {other}"] = told
    return found


def _links(step: StepPlan) -> dict[str, tuple[str, ...]]:
    return {"dependents": step.dependents, "undo_after": step.undo_after, "tells_settled": step.tells_settled}
