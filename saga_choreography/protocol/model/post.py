"""Letters of a model: every stimulus that occurs, once, with the steps it is delivered to by the real routing."""

from typing import Final, TypeAlias, final
from uuid import UUID

from attrs import frozen

from saga_choreography.events import CompensationRequested, SagaChoreographyEvent, SagaCompleted, SagaFailed
from saga_choreography.protocol.routing import addressees
from saga_choreography.protocol.stimuli import Raised, StepRaised, StepReturned, Stimulus
from saga_choreography.types import FailureCause, FailureKind, PeerId, SagaId, SagaOrigin, SagaPlan

LetterNumber: TypeAlias = int
StepNumber: TypeAlias = int

NOTHING: Final = b""
"""Every payload of a model: no rule of the protocol looks into one."""


@final
@frozen
class Letter:
    """A stimulus, the numbers of the steps it goes to, and whether the initiator hears it."""

    stimulus: Stimulus
    steps: tuple[StepNumber, ...]
    to_initiator: bool


@final
class Post:
    """Numbers letters, so that a state of a model is a few small integers. Time stands still."""

    def __init__(self, plan: SagaPlan) -> None:
        self.origin: Final = SagaOrigin(
            saga_id=SagaId(UUID(int=0)), initiator=PeerId("model"), started_at_millis=0, plan=plan
        )
        self.letters: Final[list[Letter]] = []
        self._numbers: dict[Stimulus, LetterNumber] = {}
        self._steps = {name: number for number, name in enumerate(plan.step_names)}
        self.done: Final = self._keep(Letter(StepReturned(NOTHING, NOTHING), (), False))
        self.failed: Final = self._keep(Letter(StepRaised(Raised.NO_EFFECT, "it failed"), (), False))
        cancelled = FailureCause(kind=FailureKind.CANCELLED, reason="cancelled")
        self.fence: Final = self.number(CompensationRequested(origin=self.origin, at_millis=0, cause=cancelled))
        self.completed: Final = self.number(SagaCompleted(origin=self.origin, at_millis=0))
        self.undone: Final = self.number(SagaFailed(origin=self.origin, at_millis=0, cause=cancelled))

    def number(self, event: SagaChoreographyEvent) -> LetterNumber:
        """The number of an event, a new one when it has not occurred before."""
        known = self._numbers.get(event)
        if known is not None:
            return known
        addressed = addressees(event)
        steps = tuple(self._steps[name] for name in addressed.steps if name in self._steps)
        return self._keep(Letter(event, steps, addressed.initiator))

    def _keep(self, letter: Letter) -> LetterNumber:
        self._numbers[letter.stimulus] = len(self.letters)
        self.letters.append(letter)
        return len(self.letters) - 1
