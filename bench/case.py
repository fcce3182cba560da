"""What is measured, as data."""

import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Final, final

from attrs import asdict, evolve, frozen

from bench.drive import Measured, measured_of

_SECONDS: Final = 1_800


@final
@frozen(kw_only=True)
class Case:
    """One way to do the work."""

    subject: str
    sagas: int
    in_flight: int = 64
    doomed: bool = False
    """The third step fails, and two steps are undone."""
    sleeps: float = 0.0
    """Seconds that a step takes."""
    shards: int = 1
    unrelated: int = 0
    """Other saga types that are registered, with participants of their own."""
    directory: str | None = None


@frozen(kw_only=True)
class Medians:
    """Several measurements of the same, told by their medians."""

    runs: tuple[Measured, ...]

    def median(self, what: Callable[[Measured], float]) -> float:
        """The median of a figure over all runs."""
        return statistics.median(what(run) for run in self.runs)

    @property
    def per_second(self) -> float:
        return self.median(lambda run: run.per_second)

    @property
    def cpu_millis(self) -> float:
        return self.median(lambda run: run.cpu_millis)

    def latency(self, share: float) -> float:
        """Milliseconds that a share of all sagas does not exceed."""
        return self.median(lambda run: sorted(run.latencies)[int(share * (len(run.latencies) - 1))])


@final
@frozen(kw_only=True)
class Runs(Medians):
    """All runs of one case."""

    case: Case


def run(case: Case) -> Measured:
    """Measure a case in a fresh process.

    Raises:
        subprocess.CalledProcessError: it failed; its own words are on the error stream.
    """
    command = [sys.executable, "-m", "bench.child", json.dumps(asdict(case))]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=_SECONDS)
    return measured_of(json.loads(done.stdout.splitlines()[-1]))


def interleaved(
    cases: Sequence[Case], rounds: int, directory: str | None, told: Callable[[str], None]
) -> tuple[Runs, ...]:
    """Measure all cases in turns, so that a noisy minute of the machine strikes all of them."""
    runs: list[list[Measured]] = [[] for _ in cases]
    for number in range(rounds):
        for case, of_case in zip(cases, runs, strict=True):
            told(f"round {number + 1} of {rounds}: {describe(case)}")
            of_case.append(run(evolve(case, directory=directory)))
    return tuple(Runs(case=case, runs=tuple(of_case)) for case, of_case in zip(cases, runs, strict=True))


def describe(case: Case) -> str:
    """A case in a line."""
    return ", ".join(_words(case))


def _words(case: Case) -> Iterable[str]:
    yield f"{case.subject}, {case.sagas} sagas, {case.in_flight} in flight"
    if case.doomed:
        yield "undone"
    if case.sleeps:
        yield f"a step of {1000 * case.sleeps:.0f} ms on {case.shards} shard(s)"
    if case.unrelated:
        yield f"{case.unrelated} unrelated saga types"
