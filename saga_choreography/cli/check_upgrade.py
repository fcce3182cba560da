"""`saga-choreography check-upgrade`: prints what `check_upgrade` finds; exit code 1 when a saga would not resume."""

import json
from collections.abc import Iterable

import attrs
import click

from saga_choreography.cli.faults import FOUND_FAULTS, StoreFault, TargetFault
from saga_choreography.cli.target import load_workflow
from saga_choreography.errors import StoreError, WorkflowError
from saga_choreography.helpers.upgrade import check_upgrade as checked
from saga_choreography.helpers.upgrade_findings import UpgradeReport


@click.command("check-upgrade")
@click.argument("data_dir", type=click.Path())
@click.argument("workflows", metavar="MODULE:WORKFLOW...", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
@click.pass_context
def check_upgrade(context: click.Context, data_dir: str, workflows: tuple[str, ...], *, as_json: bool) -> None:
    """Would the program as it is today resume the live sagas in DATA_DIR?

    Give every workflow of the program. The stores are only read, also while an earlier program runs on them.
    Every stored value of a live saga is read with the classes of today, and every plan is compared with the workflow
    of today. What would keep a saga from being resumed is listed with a remedy. Notes need no action: a saga runs to
    its end under the plan it began with.

    \b
    Exit codes: 0 all would resume, 1 not all, 2 wrong usage,
    3 a workflow cannot be imported, 6 a store cannot be read.
    """
    try:
        report = checked(data_dir, [load_workflow(target) for target in workflows])
    except StoreError as error:
        raise StoreFault(str(error)) from error
    except WorkflowError as error:
        raise TargetFault(str(error)) from error
    for line in _json(data_dir, report) if as_json else _text(data_dir, report):
        click.echo(line)
    if report.faults:
        context.exit(FOUND_FAULTS)


def _text(data_dir: str, report: UpgradeReport) -> Iterable[str]:
    yield from (f"FAULT {fault}" for fault in report.faults)
    yield from (f"note  {note}" for note in report.notes)
    looked_at = f"{report.stores} store(s), {report.sagas} live saga(s), {report.values} stored value(s)"
    stuck = len({fault.saga_id for fault in report.faults})
    verdict = f"{stuck} would not resume as they should" if stuck else "all would resume"
    yield f"{data_dir}: {looked_at}: {verdict}"


def _json(data_dir: str, report: UpgradeReport) -> Iterable[str]:
    yield json.dumps(
        {
            "data_dir": data_dir,
            "stores": report.stores,
            "sagas": report.sagas,
            "values": report.values,
            "faults": [attrs.asdict(fault) for fault in report.faults],
            "notes": [attrs.asdict(note) for note in report.notes],
        },
        default=str,
        indent=1,
    )
