"""The token of a step: the name it has at module level, and the types it was declared with."""

import ast
import inspect
import sys
from types import ModuleType
from typing import final

from attrs import frozen

from saga_choreography.cli.faults import TargetFault
from saga_choreography.cli.scaffold.imports import Import, LocalNames
from saga_choreography.cli.scaffold.spelling import Spelled, Speller
from saga_choreography.traits.subscription import Step
from saga_choreography.traits.workflow import SagaWorkflow


@final
@frozen(kw_only=True)
class StepSubject:
    """What a participant has to know of its step."""

    token: Import
    pure: bool
    step_input: Spelled
    output: Spelled
    undo: Spelled


def find_step(workflow: SagaWorkflow[object], name: str) -> Step[object, object, object]:
    """The step of that name.

    Raises:
        TargetFault: there is none; the message lists those there are.
    """
    steps = {step.name: step for step in workflow.steps}
    found = steps.get(name)
    if isinstance(found, Step):
        return found
    known = ", ".join(sorted(steps))
    raise TargetFault(f"saga type {workflow.saga.name!r} has no step {name!r}; its steps: {known}")


def describe(step: Step[object, object, object], module: str, names: LocalNames) -> StepSubject:
    """A step as a participant's files name it. `module` is where its workflow was found.

    Raises:
        TargetFault: the token or one of its types has no name that another file can use.
    """
    speller = Speller(names)
    home, variable = _home(step, module)
    return StepSubject(
        token=names.take(home, variable),
        pure=step.pure,
        step_input=speller.spell(step.after.gives, f"the input type of step {step.name!r}"),
        output=speller.spell(step.gives, f"the output type of step {step.name!r}"),
        undo=speller.spell(step.undo_class(), f"the undo type of step {step.name!r}"),
    )


def _home(step: Step[object, object, object], first: str) -> tuple[str, str]:
    """The module that assigns the token to a name; one that only imports it may not be imported from."""
    for module in sorted(sys.modules, key=lambda name: (name != first, name)):
        loaded = sys.modules[module]
        held = [name for name, value in _members(loaded).items() if value is step and name.isidentifier()]
        if not held or module == "__main__":
            continue
        assigned = set(_assigned(loaded)) | set(getattr(loaded, "__all__", ()))
        for name in sorted(held, key=lambda name: (name.startswith("_"), name)):
            if name in assigned:
                return module, name
    raise TargetFault(
        f"the token of step {step.name!r} has no name at the top of any module; give it one there, "
        f"like {step.name.upper() if step.name.isidentifier() else 'MY_STEP'} = Step[...](...), to be imported by"
    )


def _members(module: object) -> dict[str, object]:
    return dict(vars(module)) if isinstance(module, ModuleType) else {}


def _assigned(module: ModuleType) -> list[str]:
    """Names that the source of a module assigns at its top level."""
    try:
        body = ast.parse(inspect.getsource(module)).body
    except (OSError, TypeError, SyntaxError):
        return []  # no source: only what it says it exports
    targets: list[ast.expr] = []
    for statement in body:
        if isinstance(statement, ast.Assign):
            targets += statement.targets
        elif isinstance(statement, ast.AnnAssign):
            targets.append(statement.target)
    return [
        node.id
        for target in targets
        for node in ast.walk(target)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]
