"""What was measured, for people and for machines: what `--json` writes, `bench.page` and `bench.plots` read."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias, final

from attrs import asdict, frozen
from cattrs import structure, transform_error
from cattrs.errors import BaseValidationError

from bench.answer import Row, Verdict
from bench.case import Medians, Runs, describe
from bench.conditions import Conditions
from bench.growth import Grown


@final
@frozen(kw_only=True)
class Point:
    """Something that was measured several times: a figure for each."""

    words: str
    subject: str
    in_flight: int
    size: int
    """Sagas in the store, where that is the question."""
    per_second: tuple[float, ...]
    cpu_millis: tuple[float, ...]
    p50_millis: float
    p99_millis: float


@final
@frozen(kw_only=True)
class Reported:
    """One section."""

    title: str
    header: Row
    rows: tuple[Row, ...]
    verdicts: tuple[Verdict, ...]
    notes: tuple[str, ...]
    conditions: Conditions
    points: tuple[Point, ...]


Report: TypeAlias = Mapping[str, Reported]
"""Sections by name."""


class NoReport(ValueError):
    """A file is not what `python -m bench --json` wrote."""


def point_of_runs(runs: Runs) -> Point:
    case = runs.case
    return _point(describe(case), case.subject, case.in_flight, 0, runs)


def point_of_size(grown: Grown, in_flight: int) -> Point:
    return _point(f"{grown.size:,} in the store", "ours", in_flight, grown.size, grown)


def _point(words: str, subject: str, in_flight: int, size: int, medians: Medians) -> Point:
    return Point(
        words=words,
        subject=subject,
        in_flight=in_flight,
        size=size,
        per_second=tuple(run.per_second for run in medians.runs),
        cpu_millis=tuple(run.cpu_millis for run in medians.runs),
        p50_millis=medians.latency(0.5),
        p99_millis=medians.latency(0.99),
    )


def dumps(report: Report) -> str:
    """As JSON, and whether each verdict holds."""
    return json.dumps(
        {
            name: {
                **asdict(section),
                "verdicts": [{**asdict(verdict), "holds": verdict.holds} for verdict in section.verdicts],
            }
            for name, section in report.items()
        }
    )


def loads(text: str, source: str) -> dict[str, Reported]:
    """The report in a JSON text.

    Raises:
        NoReport: it is something else; `source` is named.
    """
    try:
        raw = json.loads(text)
        if not isinstance(raw, dict):
            raise NoReport(f"{source} has no sections")
        return structure(raw, dict[str, Reported])
    except json.JSONDecodeError as error:
        raise NoReport(f"{source} is no JSON: {error}") from error
    except BaseValidationError as error:
        raise NoReport(
            f"{source} was not written by this version of python -m bench --json: " + "; ".join(transform_error(error))
        ) from error


def read(paths: Sequence[Path]) -> dict[str, Reported]:
    """The report in several files: sections may be measured apart. Of a section in two files the later file counts.

    Raises:
        NoReport: a file is no report.
        OSError: a file cannot be read.
    """
    report: dict[str, Reported] = {}
    for path in paths:
        report |= loads(path.read_text(encoding="utf-8"), path.name)
    return report


def show(section: Reported) -> str:
    """A section for people."""
    table = [section.header, *section.rows]
    widths = [max(len(cells[column]) for cells in table) for column in range(len(section.header))]
    lines = ["", section.title]
    for cells in table:
        first, *others = (cell.ljust(widths[0]) if at == 0 else cell.rjust(widths[at]) for at, cell in enumerate(cells))
        lines.append("  " + "  ".join((first, *others)).rstrip())
    return "\n".join(
        [*lines, *(f"  {verdict}" for verdict in section.verdicts), *(f"  {note}" for note in section.notes)]
    )
