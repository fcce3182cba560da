"""Events are plain frozen data: what travels, what is journaled, and what each can say of itself."""

from typing import get_args
from uuid import UUID

import pytest
from attrs import fields
from attrs.exceptions import FrozenInstanceError

from saga_choreography import events
from saga_choreography.events import (
    SAGA_OUTCOMES,
    STEP_EVENTS,
    InitiatorEvent,
    ParticipantEvent,
    SagaChoreographyEvent,
    SagaCompleted,
    SagaFailed,
    SagaOutcome,
    StepCompleted,
    StepEvent,
    TimestampedEvent,
)
from saga_choreography.types import (
    FailureCause,
    FailureKind,
    OnSagaStart,
    PeerId,
    SagaId,
    SagaOrigin,
    SagaPlan,
    StepPlan,
)

TRAVELLING = get_args(SagaChoreographyEvent)
JOURNALED = (*get_args(ParticipantEvent), *get_args(InitiatorEvent))


def origin() -> SagaOrigin:
    plan = SagaPlan(saga_type="order", steps=(StepPlan(step_name="pay", after=OnSagaStart()),))
    return SagaOrigin(saga_id=SagaId(UUID(int=7)), initiator=PeerId("shop"), started_at_millis=1, plan=plan)


def test_there_are_twelve_travelling_and_eighteen_journaled_kinds() -> None:
    assert len(set(TRAVELLING)) == 12
    assert len(set(JOURNALED)) == 18
    assert not set(TRAVELLING) & set(JOURNALED)


def test_every_member_of_a_union_is_exported() -> None:
    for kind in (*TRAVELLING, *JOURNALED, TimestampedEvent):
        assert getattr(events, kind.__name__) is kind
        assert kind.__name__ in events.__all__
    assert events.__all__ == sorted(events.__all__, key=lambda name: (not name.isupper(), name))


def test_the_tuples_of_classes_are_the_unions() -> None:
    assert set(STEP_EVENTS) == set(get_args(StepEvent))
    assert set(SAGA_OUTCOMES) == set(get_args(SagaOutcome))


@pytest.mark.parametrize("kind", [*TRAVELLING, *JOURNALED], ids=lambda kind: kind.__name__)
def test_every_event_is_frozen_and_takes_its_fields_by_name(kind: type) -> None:
    for attribute in fields(kind):
        assert attribute.kw_only
    assert "__setattr__" in vars(kind)


@pytest.mark.parametrize("kind", TRAVELLING, ids=lambda kind: kind.__name__)
def test_every_travelling_event_knows_its_saga_and_its_time(kind: type) -> None:
    names = [attribute.name for attribute in fields(kind)]
    assert names[:2] == ["origin", "at_millis"]
    if kind in get_args(StepEvent):
        assert {"step_name", "sequence"} <= set(names)


def test_an_event_answers_for_its_saga() -> None:
    event = SagaCompleted(origin=origin(), at_millis=1)
    assert event.saga_id == UUID(int=7)
    assert event.saga_type == "order"


def test_an_event_cannot_be_changed() -> None:
    event = SagaCompleted(origin=origin(), at_millis=1)
    with pytest.raises(FrozenInstanceError):
        event.at_millis = 2  # type: ignore[misc]  # frozen for the checker too: that is the point


def test_a_completion_is_on_time_unless_it_says_otherwise() -> None:
    assert not StepCompleted(origin=origin(), at_millis=1, step_name="pay", sequence=3, output=b"").late


def test_a_failed_saga_gives_its_cause_as_its_reason() -> None:
    cause = FailureCause(kind=FailureKind.STALLED_TIMEOUT, reason="not finished within 9 ms", steps=("pay", "ship"))
    assert SagaFailed(origin=origin(), at_millis=1, cause=cause).reason == (
        "stalled_timeout [pay, ship]: not finished within 9 ms"
    )


def test_an_outcome_is_completed_or_failed() -> None:
    assert set(get_args(SagaOutcome)) == {SagaCompleted, SagaFailed}
