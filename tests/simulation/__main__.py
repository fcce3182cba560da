"""`python -m tests.simulation --seeds 0:20000`: hunt for broken guarantees."""

import argparse
import sys

from tests.simulation.runner import run_seeds


def _seeds(text: str) -> range:
    first, _, end = text.partition(":")
    return range(int(first), int(end) if end else int(first) + 1)


def main() -> int:
    """Run the seeds asked for; 1 when one of them breaks a guarantee."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    _ = parser.add_argument("--seeds", type=_seeds, default=range(2_000), help="FIRST:END, or one seed")
    _ = parser.add_argument("--traces", type=int, default=3, help="findings to show with their trace")
    arguments = parser.parse_args()
    report = run_seeds(arguments.seeds)
    print(report)
    for number, finding in enumerate(report.findings[:50]):
        print(finding)
        if number < arguments.traces:
            print("\n".join(f"    {line}" for line in finding.trace))
    return 1 if report.findings else 0


if __name__ == "__main__":
    sys.exit(main())
