"""Who is interested in an event: asked by the event stream, and by peers that tell a rejoined actor their facts."""

from functools import lru_cache
from typing import assert_never, final

from attrs import frozen

from saga_choreography.events import (
    AckStatus,
    CompensationCompleted,
    CompensationFailed,
    CompensationRequested,
    CompensationStarted,
    SagaChoreographyEvent,
    SagaCompleted,
    SagaFailed,
    SagaQuarantined,
    SagaStarted,
    StepAck,
    StepCompleted,
    StepFailed,
    StepStarted,
)
from saga_choreography.protocol.dependencies import sources
from saga_choreography.types import SAGA_START, SagaPlan


@final
@frozen
class Addressees:
    """Steps (by name) and whether the initiator is to hear an event. Observers hear everything."""

    steps: tuple[str, ...] = ()
    initiator: bool = False


NOBODY = Addressees()
_INITIATOR = Addressees((), True)


def addressees(event: SagaChoreographyEvent) -> Addressees:
    """The interested parties of an event, from its plan."""
    plan = event.origin.plan
    match event:
        case SagaStarted():
            return Addressees(roots(plan))
        case StepCompleted():
            step = plan.step(event.step_name)
            return _INITIATOR if step is None or event.late else Addressees(step.dependents, True)
        case StepAck() if event.status is AckStatus.QUARANTINED:
            return _INITIATOR
        case StepFailed() | StepAck() | CompensationCompleted():
            step = plan.step(event.step_name)
            return _INITIATOR if step is None else Addressees(step.tells_settled, True)
        case CompensationFailed():
            return _INITIATOR
        case CompensationRequested() | SagaCompleted() | SagaFailed():
            return Addressees(plan.step_names)
        case StepStarted() | CompensationStarted() | SagaQuarantined():
            return NOBODY
        case _:
            assert_never(event)


@lru_cache(maxsize=1024)
def roots(plan: SagaPlan) -> tuple[str, ...]:
    """Steps that wait for the start of the saga, alone or in a join."""
    return tuple(step.step_name for step in plan.steps if SAGA_START in sources(step.after))
