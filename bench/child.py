"""One measurement in a process of its own: `python -m bench.child '{"subject": "ours", ...}'` prints it as JSON."""

import json
import sys
import tempfile
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from attrs import asdict

from bench.case import Case
from bench.drive import Measured, Start, drive
from bench.floor import floor
from bench.ours import ours

_WARM_UP: Final = 50


def subject_of(case: Case, directory: Path) -> AbstractContextManager[Start]:
    """Open what is measured."""
    if case.subject == "ours":
        return ours(directory, doomed=case.doomed, sleeps=case.sleeps, shards=case.shards, unrelated=case.unrelated)
    if case.subject == "floor":
        return floor(directory)
    raise ValueError(f"unknown subject {case.subject!r}; there are: ours, floor")


def measure(case: Case, directory: Path) -> Measured:
    """Warm up, then run the case."""
    with subject_of(case, directory) as start:
        drive(start, min(_WARM_UP, case.sagas), case.in_flight, first=0)
        if case.finished:
            drive(start, case.finished, 512, first=_WARM_UP)
        return drive(start, case.sagas, case.in_flight, first=_WARM_UP + case.finished)


def main(argument: str) -> None:
    """Run the case that is given as JSON."""
    case = Case(**json.loads(argument))
    with tempfile.TemporaryDirectory(dir=case.directory) as directory:
        print(json.dumps(asdict(measure(case, Path(directory)))))


if __name__ == "__main__":
    main(sys.argv[1])
