"""Running seeds, one after the other or spread over cores, and saying what a broken guarantee looked like."""

import gc
import os
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import Final, final

from attrs import frozen

from saga_choreography.testing.simulation.random_subject import RandomSubject
from saga_choreography.testing.simulation.schedule import Schedule, SubjectOf
from saga_choreography.testing.simulation.shrinking import least_faults
from saga_choreography.testing.simulation.violation import Violation

CHUNK: Final = 500
"""Seeds a worker runs before it reports."""


@final
@frozen(kw_only=True)
class Finding:
    """A seed that breaks a guarantee, with the shortest story found that still does."""

    seed: int
    what: str
    without: tuple[int, ...]
    """Faults of the seed that the story does without, by number."""
    story: tuple[str, ...]

    def __str__(self) -> str:
        return f"seed {self.seed}: {self.what}"


@final
@frozen(kw_only=True)
class Report:
    """What a number of schedules came to. `seconds` is processor time, summed over all workers."""

    schedules: int = 0
    seconds: float = 0.0
    messages: int = 0
    faults: Counter[str]
    findings: tuple[Finding, ...] = ()

    def __add__(self, other: "Report") -> "Report":
        return Report(
            schedules=self.schedules + other.schedules,
            seconds=self.seconds + other.seconds,
            messages=self.messages + other.messages,
            faults=self.faults + other.faults,
            findings=self.findings + other.findings,
        )

    @property
    def speed(self) -> float:
        """Schedules per second of processor time."""
        return self.schedules / self.seconds if self.seconds else 0.0


def run_once(
    seed: int, subject_of: SubjectOf = RandomSubject, without: Collection[int] = (), *, tells_story: bool = False
) -> tuple[Schedule, Exception | Violation | None]:
    """Run one schedule. Whatever leaves it is a broken guarantee: the engines never raise."""
    schedule = Schedule(seed, subject_of, without=without, tells_story=tells_story)
    try:
        schedule.run()
    except (Exception, Violation) as error:
        return schedule, error
    return schedule, None


def guarantee_of(error: Exception | Violation) -> str:
    """Which guarantee an error breaks."""
    return error.guarantee if isinstance(error, Violation) else f"I15 {type(error).__name__}"


def finding_of(seed: int, error: Exception | Violation, subject_of: SubjectOf = RandomSubject) -> Finding:
    """The shortest story of a broken guarantee."""
    broken = guarantee_of(error)

    def still_breaks(without: Collection[int]) -> bool:
        _, again = run_once(seed, subject_of, without)
        return again is not None and guarantee_of(again) == broken

    faults, _ = run_once(seed, subject_of)
    without = least_faults(faults.chance.strikes_so_far, still_breaks)
    schedule, last = run_once(seed, subject_of, without, tells_story=True)
    assert last is not None, "the same seed gives the same run"
    what = str(last) if isinstance(last, Violation) else f"I15: {type(last).__name__}: {last}"
    saga_id = last.saga_id if isinstance(last, Violation) else None
    return Finding(seed=seed, what=what, without=without, story=tuple(schedule.story.text(saga_id)))


def run_seeds(seeds: Iterable[int], subject_of: SubjectOf = RandomSubject, most_findings: int = 3) -> Report:
    """Run schedules one after the other, at most until there are so many findings."""
    began = time.process_time()
    gc.disable()  # schedules leave little behind in cycles, and looking for it takes a tenth of the time
    faults: Counter[str] = Counter()
    found: list[Finding] = []
    count = messages = 0
    for seed in seeds:
        schedule, error = run_once(seed, subject_of)
        count += 1
        messages += schedule.messages
        faults.update(schedule.chance.faults)
        if error is not None:
            found.append(finding_of(seed, error, subject_of))
            if len(found) >= most_findings:
                break
    gc.enable()
    gc.collect()
    seconds = time.process_time() - began
    return Report(schedules=count, seconds=seconds, messages=messages, faults=faults, findings=tuple(found))


def run_on_cores(seeds: range, workers: int | None, progress: Callable[[Report], None]) -> Report:
    """Run schedules on several cores (None: all there are); `progress` is told the report so far, now and then."""
    chunks = [seeds[at : at + CHUNK] for at in range(0, len(seeds), CHUNK)]
    total = Report(faults=Counter())
    with ProcessPoolExecutor(workers or os.cpu_count(), mp_context=get_context("spawn")) as pool:
        for report in pool.map(partial(run_seeds), chunks):
            total += report
            progress(total)
    return total


def findings(seeds: Iterable[int]) -> Iterator[tuple[int, Exception | Violation]]:
    """The seeds that break a guarantee, as they come, without their stories."""
    for seed in seeds:
        _, error = run_once(seed)
        if error is not None:
            yield seed, error
