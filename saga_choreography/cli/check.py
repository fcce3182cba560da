"""`saga-choreography check`: looks at every run of a workflow, before the first one."""

import sys

import click

from saga_choreography.cli.faults import FOUND_FAULTS, WorkflowFault
from saga_choreography.cli.target import load_workflow
from saga_choreography.cli.verdicts import refused_lines, verdict_lines
from saga_choreography.protocol.model import check_plan
from saga_choreography.traits.workflow import SagaWorkflow


@click.command("check")
@click.argument("targets", metavar="MODULE:WORKFLOW...", nargs=-1, required=True)
def check(targets: tuple[str, ...]) -> None:
    """Prove that every run of a workflow ends well, or show one that does not.

    Exit code 0: no faults. 1: there are some, and all of them were printed. 3: a workflow cannot be loaded.
    """
    loaded: list[tuple[str, SagaWorkflow[object] | WorkflowFault]] = []
    for target in targets:
        try:
            loaded.append((target, load_workflow(target)))
        except WorkflowFault as fault:
            loaded.append((target, fault))
    sound = True
    for target, found in loaded:
        if isinstance(found, WorkflowFault):
            lines, has_faults = refused_lines(target, found.saga_type, found.faults), True
        else:
            verdict = check_plan(found.plan)
            lines, has_faults = verdict_lines(target, found.plan, verdict), bool(verdict.faults)
        sound = sound and not has_faults
        for line in lines:
            click.echo(line)
    if not sound:
        sys.exit(FOUND_FAULTS)
