"""`SagaWorkflow`: the declared graph of one saga type, checked when it is built."""

from collections.abc import Iterator
from typing import Generic, Protocol, final

from attrs import Factory, field, frozen
from typing_extensions import TypeVar

from saga_choreography.codec import storable_faults
from saga_choreography.errors import WorkflowError
from saga_choreography.protocol.workflow import graph_faults, link, plan_faults
from saga_choreography.traits.subscription import Saga, StepToken, step_storage_faults
from saga_choreography.types import SagaPlan

Payload = TypeVar("Payload")


class AnyWorkflow(Protocol):
    """Any `SagaWorkflow`, whatever its payload."""

    @property
    def steps(self) -> tuple[StepToken, ...]: ...

    @property
    def plan(self) -> SagaPlan: ...

    def payload_class(self) -> type: ...


@final
@frozen
class SagaWorkflow(Generic[Payload]):
    """All steps of one saga type, with its timeouts in milliseconds (None: no timeout).

    `overall_timeout_millis` counts from the start, `stalled_timeout_millis` from the last progress; both survive
    restarts and both lead to compensation.

    Raises:
        WorkflowError: the graph is wrong; every fault is listed.
    """

    saga: Saga[Payload]
    steps: tuple[StepToken, ...] = field(kw_only=True)
    overall_timeout_millis: int | None = field(default=None, kw_only=True)
    stalled_timeout_millis: int | None = field(default=None, kw_only=True)
    plan: SagaPlan = field(
        init=False, eq=False, repr=False, default=Factory(lambda workflow: workflow.build_plan(), takes_self=True)
    )

    def payload_class(self) -> type:
        """The class of the saga's payload."""
        return self.saga.gives

    def build_plan(self) -> SagaPlan:
        """The graph as plain data.

        Raises:
            WorkflowError: it is wrong; every fault is listed.
        """
        steps = tuple(step.plan() for step in self.steps)
        faults = [*graph_faults(self.saga.name, steps), *self._wiring_faults()]
        plan = SagaPlan(
            saga_type=self.saga.name,
            steps=steps if faults else link(steps),
            overall_timeout_millis=self.overall_timeout_millis,
            stalled_timeout_millis=self.stalled_timeout_millis,
        )
        faults += plan_faults(plan)
        if faults:
            raise WorkflowError(self.saga.name, faults)
        return plan

    def _wiring_faults(self) -> Iterator[str]:
        for step in self.steps:
            for other in sorted(step.sagas() - {self.saga.name}):
                yield f"step {step.name!r} goes back to saga {other!r}, not to {self.saga.name!r}"
            if step.plan().pure and step.undo_class() is not type(None):
                yield f"step {step.name!r} is pure, so it can have no undo data"
        yield from storable_faults(self.saga.gives, f"payload of saga {self.saga.name!r}")
        for step in self.steps:
            yield from step_storage_faults(step)
