"""Who is interested in an event: asked by the event stream, and by peers that tell a rejoined actor their facts."""

from functools import lru_cache
from typing import Final, assert_never, final

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
@frozen(cache_hash=True)
class Addressees:
    """Steps (by name) and whether the initiator is to hear an event. Observers hear everything."""

    steps: tuple[str, ...] = ()
    initiator: bool = False


_PLANS: Final = 1024
NOBODY = Addressees()
_INITIATOR = Addressees((), True)


def addressees(event: SagaChoreographyEvent) -> Addressees:
    """The interested parties of an event, from its plan; events of one plan share their answer."""
    plan = event.origin.plan
    match event:
        case StepCompleted():
            return _INITIATOR if event.late else _of_completed(plan, event.step_name)
        case SagaStarted():
            return _of_started(plan)
        case SagaCompleted() | SagaFailed() | CompensationRequested():
            return _of_all(plan)
        case StepAck() if event.status is AckStatus.QUARANTINED:
            return _INITIATOR
        case StepFailed() | StepAck() | CompensationCompleted():
            return _of_settled(plan, event.step_name)
        case CompensationFailed():
            return _INITIATOR
        case StepStarted() | CompensationStarted() | SagaQuarantined():
            return NOBODY
        case _:
            assert_never(event)


@lru_cache(maxsize=_PLANS)
def _of_started(plan: SagaPlan) -> Addressees:
    return Addressees(roots(plan))


@lru_cache(maxsize=_PLANS)
def _of_all(plan: SagaPlan) -> Addressees:
    return Addressees(plan.step_names)


@lru_cache(maxsize=16 * _PLANS)
def _of_completed(plan: SagaPlan, step_name: str) -> Addressees:
    step = plan.step(step_name)
    return _INITIATOR if step is None else Addressees(step.dependents, True)


@lru_cache(maxsize=16 * _PLANS)
def _of_settled(plan: SagaPlan, step_name: str) -> Addressees:
    step = plan.step(step_name)
    return _INITIATOR if step is None else Addressees(step.tells_settled, True)


def roots(plan: SagaPlan) -> tuple[str, ...]:
    """Steps that wait for the start of the saga, alone or in a join."""
    return tuple(step.step_name for step in plan.steps if SAGA_START in sources(step.after))
