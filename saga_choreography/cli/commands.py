"""All commands, one module each."""

import click

from saga_choreography.cli.check import check
from saga_choreography.cli.check_upgrade import check_upgrade
from saga_choreography.cli.graph import graph
from saga_choreography.cli.new import new


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="saga_choreography", prog_name="saga-choreography")
def commands() -> None:
    """Durable, choreographed sagas on Pykka thread actors."""


for _command in (check, check_upgrade, graph, new):
    commands.add_command(_command)
