"""`saga-choreography check-upgrade`."""

import click


@click.command("check-upgrade")
def check_upgrade() -> None:
    """To be built."""
    raise click.ClickException("not there yet")
