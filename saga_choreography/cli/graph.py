"""`saga-choreography graph`: the diagram of a workflow."""

from collections.abc import Callable, Mapping
from typing import Final

import click

from saga_choreography.cli.diagram import Diagram, diagram_of
from saga_choreography.cli.dot import dot
from saga_choreography.cli.mermaid import mermaid
from saga_choreography.cli.target import load_workflow

_NOTATIONS: Final[Mapping[str, Callable[[Diagram], str]]] = {"mermaid": mermaid, "dot": dot}


@click.command("graph")
@click.argument("target", metavar="MODULE:WORKFLOW")
@click.option("--format", "notation", type=click.Choice(tuple(_NOTATIONS)), default="mermaid", show_default=True)
@click.option("--undo", is_flag=True, help="Draw the order of undoing too, as dashed arrows from what is undone first.")
def graph(target: str, notation: str, *, undo: bool) -> None:
    """Print the diagram of a workflow: its steps, what they wait for, and joins."""
    click.echo(_NOTATIONS[notation](diagram_of(load_workflow(target).plan, undo=undo)), nl=False)
