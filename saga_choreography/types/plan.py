"""The plan of a saga: its graph and policies as plain data, stored with its start.

A saga runs to its end under the plan it began with, whatever the code says after an upgrade.
"""

from typing import Final, TypeAlias, final

from attrs import Factory, field, frozen

from saga_choreography.types.policy import InDoubt, RetryPolicy

SAGA_START: Final = "@start"
"""Source name of the saga's own payload; no step can be called so."""


DEEPEST_DEPENDENCY: Final = 50
"""Levels of `all_of` and `any_of` inside each other that a plan may have, so that it can be read back on any stack."""


@final
@frozen
class OnSagaStart:
    """Satisfied by the start of the saga; gives its payload."""


@final
@frozen
class After:
    """Satisfied by the completion of one step; gives its output."""

    step_name: str


@final
@frozen
class AllOf:
    """Satisfied when every source is; gives a tuple."""

    of: "tuple[DependencySpec, ...]"


@final
@frozen
class AnyOf:
    """Satisfied by the first source that is; gives that one's value."""

    of: "tuple[DependencySpec, ...]"


DependencySpec: TypeAlias = OnSagaStart | After | AllOf | AnyOf
"""What a step waits for, as plain data: what the `after=` of its token compiles to."""


@final
@frozen(kw_only=True, cache_hash=True)
class StepPlan:
    """One step of a plan. Step names are resolved: whom it waits for, whom it tells."""

    step_name: str
    after: DependencySpec
    dependents: tuple[str, ...] = ()
    """Steps that may start when this one completes."""
    undo_after: tuple[str, ...] = ()
    """Steps that must have settled before this one may be undone."""
    tells_settled: tuple[str, ...] = ()
    """Steps whose `undo_after` names this one."""
    retry: RetryPolicy = field(factory=RetryPolicy)
    compensation_retry: RetryPolicy = field(factory=lambda: RetryPolicy(max_attempts=5))
    in_doubt: InDoubt = InDoubt.RETRY
    in_doubt_attempts: int = 5
    """A step in doubt is run again while it has had fewer runs than this (or than `retry.max_attempts`, if more)."""
    pure: bool = False


def _by_name(plan: "SagaPlan") -> dict[str, StepPlan]:
    return {step.step_name: step for step in plan.steps}


@final
@frozen(kw_only=True, cache_hash=True)
class SagaPlan:
    """The whole graph of one saga type, with its timeouts in milliseconds (None: no timeout)."""

    saga_type: str
    steps: tuple[StepPlan, ...]
    overall_timeout_millis: int | None = None
    stalled_timeout_millis: int | None = None
    _index: dict[str, StepPlan] = field(init=False, eq=False, repr=False, default=Factory(_by_name, takes_self=True))

    def step(self, step_name: str) -> StepPlan | None:
        """The plan of one step, or None when the saga has no such step."""
        return self._index.get(step_name)

    @property
    def step_names(self) -> tuple[str, ...]:
        return tuple(self._index)
