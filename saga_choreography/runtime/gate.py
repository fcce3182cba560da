"""The start gate: a saga starts only if every step of its workflow is served exactly as declared."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import final
from weakref import WeakValueDictionary

from attrs import frozen
from typing_extensions import TypeVar

from saga_choreography.errors import WorkflowError
from saga_choreography.traits.subscription import StepToken, step_storage_faults
from saga_choreography.traits.workflow import AnyWorkflow, SagaWorkflow
from saga_choreography.types import StepPlan

P = TypeVar("P")


@final
@frozen
class _Bound:
    """A step as its participant declares it."""

    actor_name: str
    token: StepToken
    plan: StepPlan


@final
class StartGate:
    """Knows which actor serves which step of which saga type. Thread-safe."""

    def __init__(self) -> None:
        self._bound: dict[tuple[str, str], _Bound] = {}
        # By identity, for a hash would walk the whole graph; weakly, for programs may build workflows on the fly.
        self._passed: WeakValueDictionary[int, object] = WeakValueDictionary()
        self._guard = threading.Lock()

    def bind(self, actor_name: str, tokens: Iterable[StepToken], workflows: Sequence[AnyWorkflow] = ()) -> None:
        """Note what an actor serves; `workflows` are those known in advance.

        Raises:
            WorkflowError: another actor serves one of the steps, or one actor two steps of one saga type, or what a
                step gives cannot be stored.
        """
        with self._guard:
            fresh: dict[tuple[str, str], _Bound] = {}
            for token in tokens:
                for saga_type in sorted(token.sagas()):
                    faults = list(self._binding_faults(actor_name, saga_type, token, fresh))
                    faults += step_storage_faults(token)
                    faults += _workflow_faults(saga_type, token, workflows)
                    if faults:
                        raise WorkflowError(saga_type, faults)
                    fresh[saga_type, token.name] = _Bound(actor_name, token, token.plan())
            self._bound.update(fresh)
            self._passed.clear()

    def unbind(self, actor_name: str) -> None:
        """Forget an actor that did not start."""
        with self._guard:
            self._bound = {key: bound for key, bound in self._bound.items() if bound.actor_name != actor_name}
            self._passed.clear()

    def check(self, workflow: SagaWorkflow[P]) -> None:
        """Let a workflow pass.

        Raises:
            WorkflowError: every fault is listed.
        """
        passed = self._passed.get(id(workflow))
        if passed is workflow:
            return
        with self._guard:
            faults = list(self._faults(workflow))
            if faults:
                raise WorkflowError(workflow.saga.name, faults)
            self._passed[id(workflow)] = workflow

    def _binding_faults(
        self, actor_name: str, saga_type: str, token: StepToken, fresh: dict[tuple[str, str], _Bound]
    ) -> Iterator[str]:
        other = self._bound.get((saga_type, token.name))
        if other is not None:
            yield f"step {token.name!r} is served by {other.actor_name!r} already, {actor_name!r} cannot serve it too"
        for (known_type, known_step), _ in fresh.items():
            if known_type == saga_type and known_step != token.name:
                yield f"actor {actor_name!r} declares steps {known_step!r} and {token.name!r}; it can own one of a saga"

    def _faults(self, workflow: SagaWorkflow[P]) -> Iterator[str]:
        saga_type = workflow.saga.name
        declared = {step.name for step in workflow.steps}
        for step in workflow.steps:
            bound = self._bound.get((saga_type, step.name))
            if bound is None:
                yield f"step {step.name!r} is served by no started actor"
            elif bound.token != step:
                differs = "differently" if bound.plan != step.plan() else "with other classes"
                yield f"step {step.name!r} is declared {differs} by actor {bound.actor_name!r}"
        for (bound_type, step_name), bound in sorted(self._bound.items()):
            if bound_type == saga_type and step_name not in declared:
                yield f"actor {bound.actor_name!r} serves step {step_name!r}, which the workflow does not have"


def _workflow_faults(saga_type: str, token: StepToken, workflows: Sequence[AnyWorkflow]) -> Iterator[str]:
    """What a workflow known in advance has against a token."""
    for workflow in workflows:
        if workflow.plan.saga_type == saga_type and token not in workflow.steps:
            yield f"step {token.name!r} is not declared like this in the workflow"
