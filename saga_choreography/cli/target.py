"""`module:NAME` as an argument of a command."""

import importlib
import os
import sys

from saga_choreography.cli.faults import TargetFault, WorkflowFault
from saga_choreography.errors import WorkflowError
from saga_choreography.traits.workflow import SagaWorkflow


def load_workflow(target: str) -> SagaWorkflow[object]:
    """The workflow that `module:NAME` names; modules in the current folder are found too.

    Raises:
        TargetFault: there is no such module or name, importing it failed, or it is no SagaWorkflow.
        WorkflowFault: a workflow of the module is wired wrongly, so the module could not be imported.
    """
    module_name, separator, name = target.partition(":")
    if not (module_name and separator and name):
        raise TargetFault(f"{target!r} does not name a workflow; write it as module:WORKFLOW, like shop.sagas:TRIP")
    if (here := os.getcwd()) not in sys.path:
        sys.path.insert(0, here)
    try:
        module = importlib.import_module(module_name)
    except WorkflowError as error:
        raise WorkflowFault(target, error.saga_type, error.faults) from error
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
        raise TargetFault(f"{module_name!r} of {target!r} cannot be imported from {here}: {why}") from error
    found: object = getattr(module, name, None)
    if isinstance(found, SagaWorkflow):
        return found
    known = sorted(key for key, value in vars(module).items() if isinstance(value, SagaWorkflow))
    what = "has no such name" if found is None else f"holds a {type(found).__name__} there"
    raise TargetFault(f"{target!r} is no SagaWorkflow: the module {what}; its workflows: {', '.join(known) or 'none'}")
