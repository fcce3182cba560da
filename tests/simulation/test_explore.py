"""`explore` finds what is wrong in a user's participants, and is quiet when nothing is."""

from collections.abc import Callable
from typing import Any

import pytest
from attrs import frozen

from saga_choreography import (
    PayloadError,
    Saga,
    SagaActor,
    SagaCompleted,
    SagaContext,
    SagaFailed,
    SagaInitiator,
    SagaQuarantined,
    SagaWorkflow,
    Step,
    StepOutput,
    StepPending,
    WorkflowError,
    complete_pending,
)
from saga_choreography.testing import explore
from saga_choreography.testing.simulation.subject import AnyParticipant


@frozen
class Order:
    cents: int


@frozen
class Charge:
    cents: int


@frozen
class Parcel:
    number: int


ORDER = Saga("order", Order)
PAY = Step[Order, Charge, Charge]("pay", Charge, after=ORDER, undo=Charge)
SHIP = Step[Charge, Parcel]("ship", Parcel, after=PAY)
SHOP = SagaWorkflow(ORDER, steps=(PAY, SHIP))


class Outside:
    """A bank and a warehouse. Both know a key when they see it again."""

    def __init__(self) -> None:
        self.charges: dict[str, int] = {}
        self.refunds: dict[str, int] = {}
        self.parcels: set[str] = set()
        self.returned: set[str] = set()

    @property
    def earned(self) -> int:
        return sum(self.charges.values()) - sum(self.refunds.values())


class Till(SagaActor[Order, Charge, Charge]):
    step = PAY

    def __init__(self, outside: Outside) -> None:
        super().__init__()
        self.outside = outside

    def execute_step(self, context: SagaContext, step_input: Order) -> StepOutput[Charge, Charge]:
        self.outside.charges[context.idempotency_key] = step_input.cents
        return StepOutput(Charge(step_input.cents), Charge(step_input.cents))

    def compensate_step(self, context: SagaContext, undo: Charge) -> None:
        self.outside.refunds[context.idempotency_key] = undo.cents


class ForgetfulTill(Till):
    """Refunds again whenever it is asked again."""

    def compensate_step(self, context: SagaContext, undo: Charge) -> None:
        self.outside.refunds[f"refund {len(self.outside.refunds)}"] = undo.cents


class GreedyTill(Till):
    """Charges anew in every attempt."""

    def execute_step(self, context: SagaContext, step_input: Order) -> StepOutput[Charge, Charge]:
        self.outside.charges[f"charge {len(self.outside.charges)}"] = step_input.cents
        return StepOutput(Charge(step_input.cents), Charge(step_input.cents))


class Warehouse(SagaActor[Charge, Parcel, None]):
    step = SHIP

    def __init__(self, outside: Outside) -> None:
        super().__init__()
        self.outside = outside

    def execute_step(self, context: SagaContext, step_input: Charge) -> StepOutput[Parcel, None] | StepPending:
        self.outside.parcels.add(str(context.saga_id))
        return StepOutput(Parcel(1), None)

    def compensate_step(self, context: SagaContext, undo: None) -> None:
        self.outside.returned.add(str(context.saga_id))


@frozen
class Packed:
    context: SagaContext


class SlowWarehouse(Warehouse):
    """Packs in its own time: the step is pending until it hears that all is packed."""

    def execute_step(self, context: SagaContext, step_input: Charge) -> StepPending:
        self.actor_ref.tell(Packed(context))
        return StepPending(timeout_millis=60_000)

    def on_message(self, message: object) -> None:
        if isinstance(message, Packed):
            self.outside.parcels.add(str(message.context.saga_id))
            complete_pending(self, message.context.saga_id, StepOutput(Parcel(1), None))

    def resume_pending(self, context: SagaContext, step_input: Charge) -> None:
        self.actor_ref.tell(Packed(context))


class DeafWarehouse(SlowWarehouse):
    """Forgets to resume after a restart."""

    def resume_pending(self, context: SagaContext, step_input: Charge) -> None:
        """It should have been told again."""

    def execute_step(self, context: SagaContext, step_input: Charge) -> StepPending:
        self.actor_ref.tell(Packed(context))
        return StepPending()


class ClumsyWarehouse(SlowWarehouse):
    """Ends over the first message."""

    def on_message(self, message: object) -> None:
        raise KeyError("shelf 7")


class StartingTill(SagaInitiator, Till):
    """Could start sagas."""


def fits(outside: Outside, verdict: SagaCompleted | SagaFailed | SagaQuarantined) -> None:
    if isinstance(verdict, SagaCompleted):
        assert outside.earned == 250, f"{outside.earned} cents were earned"
        assert len(outside.parcels) == 1
    elif isinstance(verdict, SagaFailed):
        assert outside.earned == 0, f"{outside.earned} cents are left"
        assert outside.parcels <= outside.returned


Members = list[Callable[[Outside], AnyParticipant]]


def look(members: Members, **more: Any) -> Any:
    return explore(SHOP, members, payload=Order(250), world=Outside, check=fits, **more)


def test_a_good_workflow_goes_well_under_every_schedule() -> None:
    found = look([Till, Warehouse], seeds=range(400))
    assert found, str(found)
    assert found.schedules == 400
    assert found.faults["actors killed"]
    assert str(found) == "400 schedules, nothing found"


def test_a_refund_that_is_given_twice_is_found() -> None:
    found = look([ForgetfulTill, Warehouse])
    assert not found
    assert "check: SagaFailed, but -250 cents are left" in str(found)
    assert "pay #2 undo runs" in str(found)


def test_a_charge_under_a_new_key_is_found() -> None:
    found = look([GreedyTill, Warehouse])
    assert not found
    assert "cents" in str(found)


def test_messages_an_actor_tells_itself_are_delivered() -> None:
    found = look([Till, SlowWarehouse], seeds=range(300))
    assert found, str(found)


def test_a_pending_step_that_nobody_ends_after_a_restart_is_found() -> None:
    found = look([Till, DeafWarehouse])
    assert not found
    assert "I1: the saga has not ended" in str(found)


def test_an_actor_that_ends_over_a_message_of_its_own_is_found() -> None:
    found = look([Till, ClumsyWarehouse])
    assert "check: ClumsyWarehouse raised KeyError on a Packed" in str(found)


def test_a_participant_that_starts_sagas_of_its_own_is_refused() -> None:
    with pytest.raises(WorkflowError, match="StartingTill starts sagas of its own"):
        look([StartingTill, Warehouse])


def test_a_step_without_owner_is_refused() -> None:
    with pytest.raises(WorkflowError, match="step 'ship' is owned by no participant"):
        look([Till])


def test_a_step_with_two_owners_is_refused() -> None:
    with pytest.raises(WorkflowError, match="step 'pay' is owned by Till and by ForgetfulTill"):
        look([Till, ForgetfulTill, Warehouse])


def test_a_payload_of_another_class_is_refused() -> None:
    not_an_order: Any = Charge(1)
    with pytest.raises(PayloadError, match="payload of saga type 'order'"):
        explore(SHOP, [Till, Warehouse], payload=not_an_order, world=Outside, check=fits)
