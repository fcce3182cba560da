"""`saga-choreography graph`."""

import click


@click.command("graph")
def graph() -> None:
    """To be built."""
    raise click.ClickException("not there yet")
