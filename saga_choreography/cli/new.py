"""`saga-choreography new`: a participant in an existing program, or a program to begin with."""

import os
from pathlib import Path

import click

from saga_choreography.cli.scaffold.names import check_name
from saga_choreography.cli.scaffold.participant import local_names, participant_files
from saga_choreography.cli.scaffold.place import place_in
from saga_choreography.cli.scaffold.project import project_files
from saga_choreography.cli.scaffold.tokens import describe, find_step
from saga_choreography.cli.scaffold.writing import refuse_if_taken, write_tree
from saga_choreography.cli.target import load_workflow

_directory = click.option(
    "--directory",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=".",
    help="The folder it goes into; the current one when left out.",
)


@click.group("new")
def new() -> None:
    """Write a new project, or a participant in an existing one."""


@new.command("participant")
@click.argument("name")
@click.option("--workflow", "target", required=True, help="Where the workflow is: module:WORKFLOW.")
@click.option("--step", "step_name", required=True, help="The step it performs, by its name in the workflow.")
@_directory
def participant(name: str, target: str, step_name: str, directory: Path) -> None:
    """Write a package NAME that performs a step of a workflow.

    It type-checks, its tests pass, and it is loud about what you still have to write. NAME has lower-case words
    joined by underscores, 40 characters at most. Lines are as wide as the project tells ruff (88 at least).
    """
    place = place_in(directory, check_name(name, "participant"))
    refuse_if_taken(place.folder)
    step = find_step(load_workflow(target), step_name)
    subject = describe(step, target.partition(":")[0], local_names(name))
    files = participant_files(name, subject, step_name, place)
    write_tree(place.folder, files)
    click.echo(f"{place.folder}: participant of step {step_name!r}, {len(files)} files, imported as {place.package}")
    click.echo("Still to be written: business.py and an input for its tests. See architecture.md there.")


@new.command("project")
@click.argument("name")
@_directory
def project(name: str, directory: Path) -> None:
    """Write a folder NAME with a small program that runs: two participants, their saga, and tests."""
    target = Path(os.path.abspath(directory)) / check_name(name, "project")
    refuse_if_taken(target)
    files = project_files(name)
    write_tree(target, files)
    click.echo(f"{target}: a project of {len(files)} files. See README.md there.")
