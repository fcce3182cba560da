"""`python -m saga_choreography.testing.simulate --seeds 0:20000`: hunt for schedules that break a guarantee.

Exit code 0: none was found. 1: at least one; each is printed with the shortest story found for it.
"""

import argparse
import sys
import time
from collections.abc import Sequence

from saga_choreography.testing.simulation.running import Report, run_on_cores, run_seeds


def seeds_of(text: str) -> range:
    """`FIRST:END` or one seed.

    Raises:
        ArgumentTypeError: it is neither.
    """
    first, colon, end = text.partition(":")
    try:
        seeds = range(int(first), int(end) if colon else int(first) + 1)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither FIRST:END nor a number") from None
    if not seeds or seeds.start < 0:
        raise argparse.ArgumentTypeError(f"{text!r} holds no seed; seeds are 0, 1, 2, ...")
    return seeds


def describe(report: Report, seconds: float) -> str:
    """The figures of a run that took so long, in seconds on the wall."""
    plural = "schedule" if report.schedules == 1 else "schedules"
    faults = "\n".join(f"  {count:>12,} {kind}" for kind, count in sorted(report.faults.items()))
    return (
        f"{report.schedules:,} {plural}, {report.messages:,} messages, {len(report.findings)} findings\n"
        f"{report.schedules / seconds:.0f} schedules/s, {report.speed:.0f} per second of processor time\n"
        f"what happened in them:\n{faults}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the seeds asked for."""
    parser = argparse.ArgumentParser(prog="python -m saga_choreography.testing.simulate", description=__doc__)
    parser.add_argument("--seeds", type=seeds_of, default=range(2_000), help="FIRST:END, or one seed (0:2000)")
    parser.add_argument("--workers", type=int, default=None, help="processes (one a core)")
    options = parser.parse_args(arguments)
    began = time.monotonic()

    def progress(report: Report) -> None:
        seconds = time.monotonic() - began
        line = f"\r{report.schedules:,} of {len(options.seeds):,}, {len(report.findings)} findings, {seconds:.0f} s"
        print(line, end="", file=sys.stderr, flush=True)

    if len(options.seeds) == 1:
        report = run_seeds(options.seeds)
    else:
        report = run_on_cores(options.seeds, options.workers, progress)
        print(file=sys.stderr)
    print(describe(report, time.monotonic() - began))
    for finding in report.findings:
        print(f"\n{finding}\n" + "\n".join(f"    {line}" for line in finding.story))
    return 1 if report.findings else 0


if __name__ == "__main__":
    sys.exit(main())
