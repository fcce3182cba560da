"""What a soak did, in numbers."""

from collections import Counter
from collections.abc import Sequence
from typing import final

from attrs import frozen

from saga_choreography.events import FenceRaised, QuarantineResolved
from tests.crash.check import Violation
from tests.crash.evidence import SagaStory
from tests.crash.ledger_lines import Line, What

GUARANTEES = ("lost", "leaked", "second key", "do after undo", "order", "two outcomes", "disagree", "live", "notice")


@final
@frozen(kw_only=True)
class Figures:
    """The final figures of a soak."""

    cycles: int
    kills: Counter[str]
    seconds: float
    outcomes: Counter[tuple[str, str]]
    causes: Counter[str]
    attempts: int
    undo_attempts: int
    effects: int
    undos: int
    acknowledged: int
    resolved: int
    violations: Counter[str]

    def count(self, outcome: str) -> int:
        """Sagas with an outcome ("completed", "failed")."""
        return sum(number for (_, how), number in self.outcomes.items() if how == outcome)

    def lines(self) -> list[str]:
        """The figures for people."""
        kills = ", ".join(f"{kind} {number}" for kind, number in sorted(self.kills.items()))
        causes = ", ".join(f"{cause} {number}" for cause, number in self.causes.most_common())
        wrong = ", ".join(f"{kind} {self.violations[kind]}" for kind in GUARANTEES)
        types = sorted({saga_type for saga_type, _ in self.outcomes})
        table = [
            f"  {saga_type:9} {self.outcomes[saga_type, 'completed']:7} completed "
            f"{self.outcomes[saga_type, 'failed']:7} failed"
            for saga_type in types
        ]
        return [
            f"cycles {self.cycles}, kills {sum(self.kills.values())} ({kills}), {self.seconds:.0f} s",
            f"sagas {sum(self.outcomes.values())}, acknowledged {self.acknowledged}",
            *table,
            f"causes of failure: {causes}",
            f"attempts {self.attempts}, effects {self.effects}; undo attempts {self.undo_attempts}, "
            f"undos {self.undos}; resolved by the operator {self.resolved}",
            f"violations {sum(self.violations.values())}: {wrong}",
        ]


@final
class Tally:
    """Counts stories as they are read."""

    def __init__(self) -> None:
        self._outcomes: Counter[tuple[str, str]] = Counter()
        self._causes: Counter[str] = Counter()
        self._acknowledged = 0
        self._resolved = 0

    def add(self, story: SagaStory) -> None:
        self._outcomes.update((story.saga_type, outcome.value) for outcome in story.outcomes)
        events = [record.event for records in story.initiators for record in records]
        self._causes.update(event.cause.kind.value for event in events if isinstance(event, FenceRaised))
        steps = [record.event for stores in story.steps.values() for records in stores for record in records]
        self._resolved += sum(isinstance(event, QuarantineResolved) for event in steps)
        self._acknowledged += story.acknowledged

    def figures(
        self, lines: Sequence[Line], violations: list[Violation], *, cycles: int, kills: Counter[str], seconds: float
    ) -> Figures:
        """The final figures."""
        return Figures(
            cycles=cycles,
            kills=kills,
            seconds=seconds,
            outcomes=self._outcomes,
            causes=self._causes,
            attempts=sum(line.what in (What.DO, What.SUBMIT) for line in lines),
            undo_attempts=sum(line.what is What.UNDO for line in lines),
            effects=sum(line.what is What.DO and line.effect for line in lines),
            undos=sum(line.what is What.UNDO and line.effect for line in lines),
            acknowledged=self._acknowledged,
            resolved=self._resolved,
            violations=Counter(violation.kind for violation in violations),
        )
