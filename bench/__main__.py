"""`python -m bench [SECTION ...] [--peers] [--rounds N] [--sagas N] [--json] [--directory DIR]`."""

import argparse
import sys
from collections.abc import Sequence

from bench.conditions import conditions
from bench.growth import GROWTHS
from bench.questions import PEERS, QUESTIONS, USUAL, Settings
from bench.report import Reported, dumps, show


def _told(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="What the library costs.")
    parser.add_argument(
        "sections", nargs="*", metavar="SECTION", help=f"of {', '.join(QUESTIONS)}; default: all but {PEERS}"
    )
    parser.add_argument("--peers", action="store_true", help="add the section of peers")
    parser.add_argument(
        "--rounds", type=_positive, default=5, help="interleaved runs of every case, windows at every size; default: 5"
    )
    parser.add_argument("--sagas", type=_positive, help="at most so many sagas in a run (default: as each section has)")
    for growth in GROWTHS:
        sizes = f"sizes are those below it of {', '.join(f'{size:,}' for size in growth.sizes)}, and N"
        parser.add_argument(
            f"--{growth.kind}",
            type=_positive,
            metavar="N",
            help=f"the most {growth.kind} sagas (default: {growth.most:,}); {sizes}",
        )
    parser.add_argument("--json", action="store_true", help="print everything measured for machines")
    parser.add_argument("--directory", help="where stores are made (default: the temporary directory)")
    return parser


def main(arguments: Sequence[str]) -> int:
    """Measure and print; exit code 1 when a figure misses its limit."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    unknown = set(chosen.sections) - set(QUESTIONS)
    if unknown:
        parser.error(f"unknown section {', '.join(sorted(unknown))}; there are: {', '.join(QUESTIONS)}")
    wanted = (set(chosen.sections) or set(USUAL)) | ({PEERS} if chosen.peers else set())
    settings = Settings(
        told=_told,
        rounds=chosen.rounds,
        sagas=chosen.sagas,
        finished=chosen.finished,
        waiting=chosen.waiting,
        directory=chosen.directory,
    )
    where = conditions(chosen.rounds, chosen.directory)
    if not chosen.json:
        print(where)
    report: dict[str, Reported] = {}
    for name, ask in QUESTIONS.items():
        if name in wanted:
            result = ask(settings)
            answer = result.answer
            report[name] = Reported(
                title=result.title,
                header=answer.header,
                rows=answer.rows,
                verdicts=answer.verdicts,
                notes=answer.notes,
                conditions=where,
                points=result.points,
            )
            if not chosen.json:
                print(show(report[name]), flush=True)
    if chosen.json:
        print(dumps(report))
    return 0 if all(verdict.holds for section in report.values() for verdict in section.verdicts) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
