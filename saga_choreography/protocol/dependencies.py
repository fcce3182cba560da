"""When is a step triggered, and with what: evaluation of a DependencySpec."""

from collections.abc import Iterator, Mapping, Set

from saga_choreography.types import SAGA_START, After, AllOf, AnyOf, DependencySpec, OnSagaStart, StepInput


def sources(spec: DependencySpec) -> Iterator[str]:
    """Names of all sources a spec mentions; the saga's own start is SAGA_START."""
    match spec:
        case OnSagaStart():
            yield SAGA_START
        case After(step_name):
            yield step_name
        case AllOf(of) | AnyOf(of):
            for part in of:
                yield from sources(part)


def depth(spec: DependencySpec) -> int:
    """Levels of joins inside each other; 0 when there is none."""
    levels, level = -1, [spec]
    while level:
        levels += 1
        level = [part for one in level if isinstance(one, AllOf | AnyOf) for part in one.of]
    return levels


def satisfied_by(spec: DependencySpec, arrived: Mapping[str, bytes]) -> StepInput | None:
    """The sources chosen to trigger the step with their values, or None while the spec is not satisfied.

    Of an AnyOf the first satisfied part in declaration order is taken. A join of nothing is never satisfied.
    """
    match spec:
        case OnSagaStart():
            return _leaf(SAGA_START, arrived)
        case After(step_name):
            return _leaf(step_name, arrived)
        case AllOf(of):
            chosen: StepInput = ()
            for part in of:
                found = satisfied_by(part, arrived)
                if found is None:
                    return None
                chosen += found
            return chosen or None
        case AnyOf(of):
            return next((found for part in of if (found := satisfied_by(part, arrived)) is not None), None)


def can_be_satisfied(spec: DependencySpec, possible: Set[str]) -> bool:
    """Whether the spec is satisfied once all of `possible` (and the start of the saga) have happened."""
    match spec:
        case OnSagaStart():
            return True
        case After(step_name):
            return step_name in possible
        case AllOf(of):
            return bool(of) and all(can_be_satisfied(part, possible) for part in of)
        case AnyOf(of):
            return any(can_be_satisfied(part, possible) for part in of)


def _leaf(source: str, arrived: Mapping[str, bytes]) -> StepInput | None:
    value = arrived.get(source)
    return None if value is None else ((source, value),)
