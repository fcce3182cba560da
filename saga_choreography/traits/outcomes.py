"""What business code returns."""

from typing import Generic, TypeAlias, final

from attrs import field, frozen, validators
from typing_extensions import TypeVar

from saga_choreography.types import LONGEST_MILLIS

Out = TypeVar("Out")
Undo = TypeVar("Undo", default=None)


@final
@frozen
class StepOutput(Generic[Out, Undo]):
    """The step has its effect: what it gives to its dependents, and what its own undo needs (None: no data needed)."""

    output: Out
    undo: Undo


@final
@frozen(kw_only=True)
class StepPending:
    """The step goes on outside; `complete_pending` or `fail_pending` finishes it.

    After `timeout_millis` (None: never) its outcome counts as unknown. The time survives restarts.
    """

    timeout_millis: int | None = field(
        default=None, validator=validators.optional([validators.ge(0), validators.le(LONGEST_MILLIS)])
    )


@final
@frozen
class StepNotExecuted:
    """A probe or a cancellation found that the step has no effect."""


@final
@frozen
class StepOutcomeUnknown:
    """A probe or a cancellation could not tell whether the step has its effect."""

    why: str


ProbeResult: TypeAlias = StepOutput[Out, Undo] | StepPending | StepNotExecuted | StepOutcomeUnknown
"""Answer of `probe_step` and `cancel_step`."""
