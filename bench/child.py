"""One measurement in a process of its own: `python -m bench.child '{"subject": "ours", ...}'` prints it as JSON."""

import json
import sys
import tempfile
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from attrs import asdict

from bench import peers
from bench.case import Case
from bench.drive import Clock, Measured, Start, drive
from bench.floor import floor
from bench.ours import ours

WARM_UP: Final = 50


def subject_of(case: Case, directory: Path) -> AbstractContextManager[Start]:
    """Open what is measured."""
    if case.doomed and case.subject != "ours":
        raise ValueError(f"only ours can undo; {case.subject} was asked to")
    if case.subject == "ours":
        return ours(directory, doomed=case.doomed, sleeps=case.sleeps, shards=case.shards, unrelated=case.unrelated)
    if case.subject == "floor":
        return floor(directory)
    if case.subject in peers.PEERS:
        return peers.opened(case.subject, directory)
    raise ValueError(f"unknown subject {case.subject!r}; there are: ours, floor, {', '.join(peers.PEERS)}")


def measure(case: Case, directory: Path) -> Measured:
    """Warm up, then run the case."""
    cpu_clock: Clock = peers.clock(case.subject) if case.subject in peers.PEERS else time.process_time
    with subject_of(case, directory) as start:
        drive(start, min(WARM_UP, case.sagas), case.in_flight, first=0)
        return drive(start, case.sagas, case.in_flight, first=WARM_UP, cpu_clock=cpu_clock)


def main(argument: str) -> None:
    """Run the case that is given as JSON."""
    case = Case(**json.loads(argument))
    with tempfile.TemporaryDirectory(dir=case.directory) as directory:
        print(json.dumps(asdict(measure(case, Path(directory)))))


if __name__ == "__main__":
    main(sys.argv[1])
