"""`python -m tests.deribit_soak --cycles 1000 --seed 7 [--dir PATH]`: exit code 1 when a promise was broken.

With `--check` nothing runs: what an earlier run has left in PATH is held against itself once more.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from attrs import asdict

from tests.deribit_soak.places import Places
from tests.deribit_soak.soaking import ProcessFailed, Run, Verdict, judge, soak


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit code: 0 all kept, 1 a promise was broken or a process failed, 2 bad arguments."""
    parser = argparse.ArgumentParser(prog="python -m tests.deribit_soak", description=__doc__)
    parser.add_argument("--cycles", type=int, default=100, help="how often the program is killed")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument(
        "--dir", type=Path, help="an empty or new directory; without it a temporary one, kept on failure"
    )
    parser.add_argument("--check", action="store_true", help="only judge what an earlier run has left in --dir")
    options = parser.parse_args(arguments)
    given: Path | None = options.dir
    if options.check:
        if given is None:
            parser.error("--check needs --dir")
        return _print_verdict(judge(Places(given)))
    if given is None:
        root = Path(tempfile.mkdtemp(prefix="deribit-soak-"))
        code = _run(root, options.cycles, options.seed)
        if code == 0:
            shutil.rmtree(root)
        return code
    given.mkdir(parents=True, exist_ok=True)
    if any(given.iterdir()):
        parser.error(f"{given} is not empty: it belongs to an exchange that is gone")
    return _run(given, options.cycles, options.seed)


def _run(root: Path, cycles: int, seed: int) -> int:
    _say(f"{cycles} cycles, seed {seed}, in {root}")
    began = time.monotonic()
    run = Run()
    try:
        verdict = soak(Places(root), cycles, seed, _say, run)
    except ProcessFailed as failure:
        _say(f"FAILED: {failure}")
        return 1
    _say(f"cycles {run.kills.total()}, {time.monotonic() - began:.0f} s")
    _say(f"kills: {_listed(run.kills)}")
    _say(f"faults: {_listed(run.faults)}")
    return _print_verdict(verdict)


def _print_verdict(verdict: Verdict) -> int:
    _say(", ".join(f"{name.replace('_', ' ')} {count}" for name, count in asdict(verdict.totals).items()))
    for sentence in verdict.wrong:
        _say(f"WRONG: {sentence}")
    for line in verdict.told:
        _say(line)
    if not verdict.wrong:
        _say("every promise was kept")
    return 1 if verdict.wrong else 0


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
