"""Where the processor time of a saga goes: the library under py-spy, 64 in flight.

py-spy samples from outside, and only the thread that holds the interpreter. It misses many who hold it for a moment, so
it tells shares of the time in the interpreter, and rough ones; how much is spent in the kernel, by LMDB's writes and by
threads that wake one another, is told by the kernel, of a run without py-spy. A sample counts for the innermost frame
of a known part, so what the standard library or attrs does counts for whoever asked for it.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import Final, TypeAlias

from attrs import asdict, evolve

from bench.answer import Answer
from bench.case import Case, run
from bench.sections import OURS

Sample: TypeAlias = tuple[tuple[str, ...], int]
"""Frames from the outermost inwards, and how often they were seen."""

HEADER: Final = ("", "share of the time in the interpreter")
_RATE: Final = 500
_SECONDS: Final = 1_800
_MEASURED: Final = ("pykka/_actor.py", "bench/drive.py")
"""Threads that do the work; others load modules or start and stop the system."""
_PARTS: Final = (
    (r"storage[/.]lmdb_map", "LMDB: writing rows, beginning and ending transactions"),
    (r"saga_choreography[/.]storage", "storage: staging, sequence checks"),
    (r"saga_choreography[/.]codec", "codec: payloads and records to bytes and back"),
    (r"saga_choreography[/.](protocol|state|events|types)", "the pure core: decisions, states, events"),
    (r"saga_choreography[/.]helpers", "the engines around it: turns, commits, calls"),
    (r"saga_choreography[/.](runtime|traits|observability)", "event stream, handles, starts"),
    (r"pykka/|/queue\.py", "Pykka: mailboxes"),
    (r"bench/(work|ours|drive|case|child)", "the business code and the clients"),
)
_OTHER: Final = "else"
_COUNTED: Final = re.compile(r"^(.*) (\d+)$")


def samples(raw: str) -> Iterable[Sample]:
    """What py-spy wrote."""
    for line in raw.splitlines():
        if (found := _COUNTED.match(line)) is not None:
            yield tuple(found[1].split(";")), int(found[2])


def part_of(frames: tuple[str, ...]) -> str:
    """The part that the innermost known frame belongs to."""
    for frame in reversed(frames):
        for pattern, part in _PARTS:
            if re.search(pattern, frame):
                return part
    return _OTHER


def by_part(taken: Iterable[Sample]) -> Counter[str]:
    """How often each part was seen at work."""
    counted: Counter[str] = Counter()
    for frames, times in taken:
        if any(name in frame for frame in frames for name in _MEASURED):
            counted[part_of(frames)] += times
    return counted


def profile_answer(parts: Counter[str], kernel_share: float) -> Answer:
    """Shares of the time in the interpreter, the largest first, and the kernel's of all processor time."""
    rows = tuple((part, f"{times / parts.total():.0%}") for part, times in parts.most_common())
    note = f"The kernel's share of all processor time, without py-spy: {kernel_share:.0%}."
    return Answer(header=HEADER, rows=rows, notes=(note,))


def profile(sagas: int, directory: str | None, told: Callable[[str], None]) -> Answer:
    """Run the library under py-spy, or say that it is not installed."""
    program = shutil.which("py-spy", path=f"{Path(sys.executable).parent}") or shutil.which("py-spy")
    if program is None:
        missing = "skipped: not installed: py-spy (pip install 'saga_choreography[bench]')"
        return Answer(header=HEADER, rows=(), notes=(missing,))
    case = evolve(OURS, sagas=sagas, directory=directory)
    told(f"{sagas:,} sagas without py-spy")
    before = getrusage(RUSAGE_CHILDREN)
    run(case)
    after = getrusage(RUSAGE_CHILDREN)
    user, system = after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime
    told(f"{sagas:,} sagas under py-spy")
    return _profiled(program, case, system / (user + system))


def _profiled(program: str, case: Case, kernel_share: float) -> Answer:
    with tempfile.TemporaryDirectory(dir=case.directory) as folder:
        raw = Path(folder) / "samples"
        options = ["--gil", "--rate", str(_RATE), "--format", "raw", "--output", str(raw)]
        child = [sys.executable, "-m", "bench.child", json.dumps(asdict(case))]
        done = subprocess.run(
            [program, "record", *options, "--", *child], capture_output=True, text=True, timeout=_SECONDS
        )
        parts = by_part(samples(raw.read_text())) if raw.exists() else Counter[str]()
        if done.returncode != 0 or not parts:
            said = done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"]
            return Answer(header=HEADER, rows=(), notes=(f"skipped: py-spy does not work here: {said[-1]}",))
        return profile_answer(parts, kernel_share)
