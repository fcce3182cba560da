"""A saga of two steps that tries again after 30 s: load -> ship."""

from attrs import frozen

from saga_choreography import (
    ProbeResult,
    RetryableStepError,
    RetryPolicy,
    Saga,
    SagaActor,
    SagaContext,
    SagaWorkflow,
    Step,
    StepNotExecuted,
    StepOutput,
    StepPending,
)
from saga_choreography.testing import SagaTestWorld
from tests.runtime.journey import Behaviour, World

RETRY_MILLIS = 30_000
PATIENT = RetryPolicy(max_attempts=3, initial_delay_millis=RETRY_MILLIS, max_delay_millis=120_000, jitter=0)


@frozen
class Parcel:
    grams: int


@frozen
class Loaded:
    bay: int


@frozen
class Shipped:
    truck: str


PARCEL = Saga("parcel", Parcel)
LOAD = Step[Parcel, Loaded]("load", Loaded, after=PARCEL, retry=PATIENT, compensation_retry=PATIENT)
SHIP = Step[Loaded, Shipped]("ship", Shipped, after=LOAD, retry=PATIENT, compensation_retry=PATIENT)
RESTLESS_SHIP = Step[Loaded, Shipped](
    "ship", Shipped, after=LOAD, retry=RetryPolicy(max_attempts=1_000_000, initial_delay_millis=0)
)
RESTLESS = SagaWorkflow(PARCEL, steps=(LOAD, RESTLESS_SHIP))


def workflow(*, overall: int | None = None, stalled: int | None = None) -> SagaWorkflow[Parcel]:
    return SagaWorkflow(PARCEL, steps=(LOAD, SHIP), overall_timeout_millis=overall, stalled_timeout_millis=stalled)


DELIVERY = workflow()


def fails_once(context: SagaContext) -> None:
    """The first attempt has no effect; the second comes after RETRY_MILLIS."""
    if context.attempt == 1:
        raise RetryableStepError("the door is shut")


class Loader(SagaActor[Parcel, Loaded, None]):
    step = LOAD

    def __init__(self, world: World, *, bay: int = 1) -> None:
        super().__init__()
        self.world = world
        self.bay = bay

    def execute_step(self, context: SagaContext, step_input: Parcel) -> StepOutput[Loaded, None] | StepPending:
        return self.world.act("load", context) or StepOutput(Loaded(self.bay), None)

    def compensate_step(self, context: SagaContext, undo: None) -> None:
        self.world.act("undo load", context)


class Shipper(SagaActor[Loaded, Shipped, None]):
    step = SHIP

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world

    def execute_step(self, context: SagaContext, step_input: Loaded) -> StepOutput[Shipped, None] | StepPending:
        return self.world.act("ship", context) or StepOutput(Shipped(f"from bay {step_input.bay}"), None)

    def cancel_step(self, context: SagaContext, step_input: Loaded) -> ProbeResult[Shipped, None]:
        return StepNotExecuted()

    def compensate_step(self, context: SagaContext, undo: None) -> None:
        self.world.act("undo ship", context)


class RestlessShipper(Shipper):
    """Tries again at once, and again."""

    step = RESTLESS_SHIP

    def execute_step(self, context: SagaContext, step_input: Loaded) -> StepPending:
        raise RetryableStepError("not yet")


def start(world: SagaTestWorld, **on: Behaviour) -> World:
    """Start both actors; `on` says what goes wrong outside."""
    outside = World(on=on)
    world.start_actor(Loader, outside)
    world.start_actor(Shipper, outside)
    return outside
