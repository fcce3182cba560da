"""`explore`: run a workflow and its participants under many schedules, and report the first that goes wrong.

Everything runs on one thread, decided by a seed: the order of messages, duplicates, delays, crashes of an actor or of
the whole program at every fault point, full disks, clock jumps, cancels, and calls of business code that fail before or
after their effect. The engines are the real ones; the stores are in memory; time is virtual.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Final, final

from attrs import field, frozen
from typing_extensions import TypeVar

from saga_choreography.helpers.watch import Verdict
from saga_choreography.testing.simulation.explored import Explored, Troupe
from saga_choreography.testing.simulation.running import Finding, run_seeds
from saga_choreography.testing.simulation.subject import AnyParticipant
from saga_choreography.traits.workflow import SagaWorkflow

P = TypeVar("P")
W = TypeVar("W")

SEEDS: Final = range(1_000)


@final
@frozen(kw_only=True)
class Exploration:
    """What was found. It is true when nothing was, so a test says `assert explore(...)`; `str()` tells the story."""

    schedules: int
    faults: Counter[str] = field(repr=False)
    """How often each kind of fault struck."""
    finding: Finding | None

    def __bool__(self) -> bool:
        return self.finding is None

    def __str__(self) -> str:
        if self.finding is None:
            return f"{self.schedules} schedules, nothing found"
        story = "\n".join(f"    {line}" for line in self.finding.story)
        return f"schedule {self.schedules} goes wrong, {self.finding}\n{story}"


def explore(
    workflow: SagaWorkflow[P],
    participants: Sequence[Callable[[W], AnyParticipant]],
    *,
    payload: P,
    world: Callable[[], W],
    check: Callable[[W, Verdict], None],
    seeds: Iterable[int] = SEEDS,
) -> Exploration:
    """Run one saga a seed, and stop at the first schedule that breaks a guarantee or fails the check.

    `world()` makes the outside of one schedule: what no crash of the program touches. `participants` are called with
    it, at the start and after every crash; a participant class whose constructor takes the world will do. When all has
    come to rest, `check(world, verdict)` raises AssertionError if the world does not fit the saga's end; the verdict is
    SagaQuarantined when a step waits for an operator. Messages that participants tell to their own `actor_ref` are
    delivered. They must not start threads, nor depend on time or chance, or a seed will not repeat.

    Raises:
        WorkflowError: the participants do not own the steps of the workflow, each exactly one.
        PayloadError: the payload is not of the saga's class.
    """
    troupe = Troupe.of(workflow, participants, payload=payload, world=world, check=check)
    report = run_seeds(seeds, partial(Explored, troupe), most_findings=1)
    return Exploration(
        schedules=report.schedules,
        faults=report.faults,
        finding=report.findings[0] if report.findings else None,
    )
