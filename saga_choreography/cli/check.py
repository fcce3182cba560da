"""`saga-choreography check`."""

import click


@click.command("check")
def check() -> None:
    """To be built."""
    raise click.ClickException("not there yet")
