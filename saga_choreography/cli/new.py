"""`saga-choreography new`."""

import click


@click.group("new")
def new() -> None:
    """Write a new project, or a participant in an existing one."""
