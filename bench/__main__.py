"""`python -m bench [SECTION ...] [--peers] [--rounds N] [--sagas N] [--json] [--directory DIR]`."""

import argparse
import json
import platform
import sys
from collections.abc import Callable, Sequence
from typing import Final

from attrs import asdict, evolve

from bench.case import Case, Runs, describe, interleaved
from bench.peers.section import peers_section
from bench.processes import import_time, live_sagas
from bench.sections import SECTIONS, Answer, Section

_LIVE: Final = 100_000
_PEERS: Final = "peers"
_USUAL: Final = (*(section.name for section in SECTIONS), "import", "live")
_NAMES: Final = (*_USUAL, _PEERS)


def _told(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def show(title: str, answer: Answer) -> str:
    """An answer for people."""
    table = [answer.header, *answer.rows]
    widths = [max(len(cells[column]) for cells in table) for column in range(len(answer.header))]
    lines = ["", title]
    for cells in table:
        first, *others = (cell.ljust(widths[0]) if at == 0 else cell.rjust(widths[at]) for at, cell in enumerate(cells))
        lines.append("  " + "  ".join((first, *others)).rstrip())
    return "\n".join(
        [*lines, *(f"  {verdict}" for verdict in answer.verdicts), *(f"  {note}" for note in answer.notes)]
    )


def main(arguments: Sequence[str]) -> int:
    """Measure and print; exit code 1 when a figure misses its limit."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="What the library costs.")
    parser.add_argument(
        "sections", nargs="*", metavar="SECTION", help=f"of {', '.join(_NAMES)}; default: all but peers"
    )
    parser.add_argument("--peers", action="store_true", help="add the section of peers")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved runs of every case; medians are told")
    parser.add_argument("--sagas", type=int, default=None, help="sagas of a run (default: as each section has it)")
    parser.add_argument("--json", action="store_true", help="print everything measured for machines")
    parser.add_argument("--directory", default=None, help="where stores are made (default: the temporary directory)")
    chosen = parser.parse_args(arguments)
    unknown = set(chosen.sections) - set(_NAMES)
    if unknown:
        parser.error(f"unknown section {', '.join(sorted(unknown))}; there are: {', '.join(_NAMES)}")
    wanted = (set(chosen.sections) or set(_USUAL)) | ({_PEERS} if chosen.peers else set())
    answers: dict[str, Answer] = {}
    measured: dict[str, list[Runs]] = {}

    def note(name: str, title: str, answer: Answer) -> None:
        answers[name] = answer
        if not chosen.json:
            print(show(title, answer), flush=True)

    if not chosen.json:
        print(f"{platform.python_implementation()} {platform.python_version()}, {platform.machine()}; ", end="")
        print(f"medians of {chosen.rounds} interleaved runs")
    for section in (*SECTIONS, peers_section()):
        if section.name in wanted:
            runs = interleaved(_cases(section, chosen.sagas), chosen.rounds, chosen.directory, _told)
            measured[section.name] = list(runs)
            note(section.name, section.title, section.answer(runs))
    singles: dict[str, tuple[str, Callable[[], Answer]]] = {
        "import": ("Import", lambda: import_time(chosen.rounds, _told)),
        "live": ("Live sagas", lambda: live_sagas(chosen.sagas or _LIVE, _told)),
    }
    for name, (title, make) in singles.items():
        if name in wanted:
            note(name, title, make())
    if chosen.json:
        print(json.dumps({name: _plain(answer, measured.get(name, [])) for name, answer in answers.items()}))
    return 0 if all(verdict.holds for answer in answers.values() for verdict in answer.verdicts) else 1


def _cases(section: Section, sagas: int | None) -> tuple[Case, ...]:
    return (
        section.cases if sagas is None else tuple(evolve(case, sagas=min(case.sagas, sagas)) for case in section.cases)
    )


def _plain(answer: Answer, runs: Sequence[Runs]) -> dict[str, object]:
    return {
        "rows": [list(cells) for cells in answer.rows],
        "notes": list(answer.notes),
        "verdicts": [{**asdict(verdict), "holds": verdict.holds} for verdict in answer.verdicts],
        "runs": [
            {
                "case": asdict(each.case),
                "words": describe(each.case),
                "per_second": [run.per_second for run in each.runs],
                "cpu_millis": [run.cpu_millis for run in each.runs],
                "p50_millis": each.latency(0.5),
                "p99_millis": each.latency(0.99),
            }
            for each in runs
        ],
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
