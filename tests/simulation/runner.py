"""Running seeds, and saying in one line and a short trace what a broken guarantee looked like."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import final

from attrs import frozen

from saga_choreography.events import TimestampedEvent
from saga_choreography.protocol.resolver_commands import TellStep
from tests.simulation.schedule import Schedule
from tests.simulation.violation import Violation

_SHOWN = (
    "step_name", "sequence", "attempt", "late", "status", "kind", "resolution", "outcome", "raised", "failure",
    "doubtful",
)  # fmt: skip


@final
@frozen
class Finding:
    """A seed that breaks a guarantee."""

    seed: int
    what: str
    trace: tuple[str, ...]

    def __str__(self) -> str:
        return f"seed {self.seed}: {self.what}"


@final
@frozen
class Report:
    """What a number of schedules came to."""

    schedules: int
    seconds: float
    turns: int
    faults: Counter[str]
    findings: tuple[Finding, ...]

    def __str__(self) -> str:
        kinds = ", ".join(f"{name} {count}" for name, count in sorted(self.faults.items()))
        speed = self.schedules / self.seconds if self.seconds else 0.0
        counts = f"{self.schedules} schedules, {self.turns} turns, {speed:.0f} schedules/s"
        return f"{counts}, {len(self.findings)} findings\n{kinds}"


def _show(what: object) -> str:
    if isinstance(what, TimestampedEvent):
        return f"#{what.sequence} {_show(what.event)}"
    if isinstance(what, TellStep):
        return f"to {what.step_name}: {_show(what.event)}"
    fields = " ".join(str(getattr(what, name)) for name in _SHOWN if hasattr(what, name))
    return f"{type(what).__name__} {fields}".strip() if what else ""


def run_seed(seed: int, trace_lines: int = 40) -> tuple[Schedule, Finding | None]:
    """Run one schedule. Anything it raises is a finding: the core never raises."""
    schedule = Schedule(seed)
    try:
        schedule.run()
    except Exception as error:
        saga_id = error.saga_id if isinstance(error, Violation) else None
        what = str(error) if isinstance(error, Violation) else f"I15: {type(error).__name__}: {error}"
        lines = [
            f"{real:>7} ms {who:>9} {verb} {_show(done)}"
            for real, who, about, verb, done in schedule.net.trace
            if saga_id is None or about == saga_id
        ]
        return schedule, Finding(seed, what, tuple(lines[-trace_lines:]))
    return schedule, None


def findings(seeds: Iterable[int]) -> Iterator[Finding]:
    """The findings of some seeds, as they come."""
    for seed in seeds:
        _, finding = run_seed(seed)
        if finding is not None:
            yield finding


def run_seeds(seeds: Iterable[int]) -> Report:
    """Run schedules one after the other."""
    began = time.perf_counter()
    faults: Counter[str] = Counter()
    found: list[Finding] = []
    count = turns = 0
    for seed in seeds:
        schedule, finding = run_seed(seed)
        count += 1
        turns += schedule.turns
        faults.update(schedule.net.faults)
        if finding is not None:
            found.append(finding)
    return Report(count, time.perf_counter() - began, turns, faults, tuple(found))
