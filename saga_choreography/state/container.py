"""`ParticipantState[S]`: one step of one saga in state S, as the checker sees it.

S is covariant: with an invariant S the narrowing of `is_in` is rejected and a function that accepts two source states
cannot be written. `SagaStateEntry` is the distributed union: only that form narrows to Never in an exhaustive chain.
"""

from typing import Generic, TypeAlias, final

from attrs import frozen
from typing_extensions import TypeIs, TypeVar

from saga_choreography.state.states import (
    Compensated,
    Compensating,
    Completed,
    Executing,
    Failed,
    Idle,
    Quarantined,
    StepState,
    Triggered,
)
from saga_choreography.types import FailureCause, SagaId, SagaOrigin

S_co = TypeVar("S_co", bound=StepState, covariant=True)
T = TypeVar("T", bound=StepState)


@final
@frozen(kw_only=True)
class ParticipantState(Generic[S_co]):
    """What the journal of one participant says about its step of one saga: a typestate (Strom and Yemini, 1986).

    `sequence` is the number of the last committed record (0: none): a value that was committed once cannot be
    committed again, since the journal demands the next number. `fence` is set once the fence was seen.
    `updated_at_millis` is Unix time in milliseconds.
    """

    origin: SagaOrigin
    step_name: str
    sequence: int = 0
    updated_at_millis: int
    fence: FailureCause | None = None
    state: S_co

    @property
    def saga_id(self) -> SagaId:
        """The saga this entry belongs to."""
        return self.origin.saga_id


SagaStateEntry: TypeAlias = (
    ParticipantState[Idle]
    | ParticipantState[Triggered]
    | ParticipantState[Executing]
    | ParticipantState[Completed]
    | ParticipantState[Failed]
    | ParticipantState[Compensating]
    | ParticipantState[Compensated]
    | ParticipantState[Quarantined]
)
"""An entry in any state: narrow it with `is_in`, or match on `entry.state`, and close with `assert_never`."""


def is_in(entry: ParticipantState[StepState], kind: type[T]) -> TypeIs[ParticipantState[T]]:
    """Narrow an entry to one state, in both branches, in mypy and pyright."""
    return isinstance(entry.state, kind)
