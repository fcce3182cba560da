"""`python -m tests.crash --cycles 1000 --seed 7 [--dir PATH]`: kill a busy program, restart it, count what is lost."""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.crash.soak import Soak

SHOWN = 5
"""Stories of violations that are printed."""


def main() -> int:
    """Soak; 1 when a guarantee was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--cycles", type=int, default=100, help="kills and restarts")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--dir", type=Path, help="an empty directory that is kept; default: a temporary one")
    arguments = parser.parse_args()
    if arguments.dir is not None:
        arguments.dir.mkdir(parents=True, exist_ok=False)
        return soak(arguments.dir, arguments.cycles, arguments.seed)
    with tempfile.TemporaryDirectory(prefix="saga-soak-") as path:
        return soak(Path(path), arguments.cycles, arguments.seed)


def soak(path: Path, cycles: int, seed: int) -> int:
    """Run one soak and print what came of it."""
    with Soak(path, seed, lambda line: print(line, flush=True)) as running:
        result = running.run(cycles)
    print("\n".join(result.figures.lines()))
    for violation in result.violations[:50]:
        print(violation)
    for story in result.stories[:SHOWN]:
        print(story)
    return 1 if result.violations else 0


if __name__ == "__main__":
    sys.exit(main())
