"""One store through power loss: each image must hold exactly one state of the oracle, and the right one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, final

from tests.power.images import Effort
from tests.power.journal_work import open_and_name_state, oracle
from tests.power.judging import Crashed, Finding, Good, Refused
from tests.power.trial import Counts, Suspect, Trial

WORK: Final = "tests.power.journal_work"


@final
class JournalTrial:
    """`may_lose`: the promise of `Durability.PROCESS`, where power loss may cost commits, or the store.

    It ends with `keep_from_here`, for what happens and is acknowledged afterwards.
    """

    def __init__(self, place: Path, durability: str, seed: int, *, may_lose: bool = False) -> None:
        self.trial = Trial(place)
        self._durability = durability
        self._seed = seed
        self._steps = 0
        self._strict_after: int | None = None if may_lose else -1

    def keep_from_here(self, durability: str) -> None:
        """From the next acknowledgement on, nothing acknowledged may be missing."""
        self._durability = durability
        self._strict_after = self.trial.recorder.now

    def run(self, steps: int, *, then: str = "leave", inject: str | None = None) -> int:
        """Run the program (again) until so many steps are done in all; how it ended."""
        self._steps = max(self._steps, steps)
        arguments = (str(self.trial.medium), str(self.trial.acks), self._durability, str(self._seed), str(steps), then)
        return self.trial.run(WORK, *arguments, inject=inject)

    def judge(self, effort: Effort, *, every: int = 1) -> Counts:
        """Open every image as the actor would after the machine was started again."""
        states = oracle(self._seed, self._steps)
        suspects = self.trial.suspects(effort, self._seed, every=every)
        return self.trial.judge(
            suspects.distinct,
            suspects.made,
            open_and_name_state,
            lambda finding, suspect: self._verdict(finding, suspect, states),
        )

    def _verdict(self, found: Finding, suspect: Suspect, states: Sequence[str]) -> tuple[str, str | None]:
        acknowledged = self._last(suspect.last, "did", -1)
        may_lose = not self._is_strict(suspect.last)
        begun = max(self._last(suspect.first, "begins", 0), self._last(suspect.first, "did", 0))
        match found:
            case Good(str(state)):
                same = [number for number, known in enumerate(states) if known == state]
                if not same:
                    return "silently wrong", f"its rows are of no state the store ever had ({acknowledged} were acked)"
                if min(same) > begun:
                    return "from the future", f"it is in state {same}, and {begun} steps were begun"
                if max(same) < acknowledged:
                    lost = f"it is in state {same}, and {acknowledged} steps were acknowledged"
                    return "older than acknowledged", None if may_lose else lost
                return "right", None
            case Refused(kind="StoreDamaged", text=text, remedy=remedy) if may_lose and remedy in text:
                return "refused as damaged", None
            case Refused(text=text):
                return "refused", text
            case Crashed(how):
                return "crashed", how
            case _:
                return "nonsense", f"the judge answered {found!r}"

    def _is_strict(self, moment: int) -> bool:
        since = self._strict_after
        return since is not None and (
            since < 0 or any(since <= ack.begin <= moment for ack in self.trial.recorder.acks)
        )

    def _last(self, moment: int, word: str, otherwise: int) -> int:
        said = (text.split() for text in self.trial.acknowledged(moment))
        return max((int(number) for kind, number in said if kind == word), default=otherwise)
