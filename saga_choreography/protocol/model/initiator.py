"""The initiator of a model: the real `resolve`, called once for each memory and letter that meet."""

from collections.abc import Sequence
from typing import Final, TypeAlias, final

from attrs import frozen

from saga_choreography.events import StepEvent
from saga_choreography.protocol.model.post import NOTHING, LetterNumber, Post
from saga_choreography.protocol.resolver import accept, resolve
from saga_choreography.protocol.resolver_commands import (
    CancelRequested,
    Ended,
    ResolverStimulus,
    SagaMemory,
    Tell,
)

Hearing: TypeAlias = int
"""Number of what the initiator has heard so far; 0 is nothing."""
CANCEL: Final = -1
"""In place of a letter: somebody cancels the saga."""


@final
@frozen
class Answer:
    """What the initiator does about one letter; `outcomes` holds the names of the terminal events it decided on."""

    hearing: Hearing
    letters: tuple[LetterNumber, ...]
    outcomes: tuple[str, ...] = ()


@final
class Initiator:
    """Resolves one saga, from what it was told in the order it was told."""

    def __init__(self, post: Post) -> None:
        self._post = post
        accepted = accept(post.origin, NOTHING, NOTHING)
        self._memories: list[SagaMemory] = [accepted.memory]
        self._answers: dict[tuple[Hearing, LetterNumber], Answer] = {}
        self.start: Final = tuple(
            post.number(command.event) for command in accepted.commands if isinstance(command, Tell)
        )

    @property
    def turns(self) -> int:
        """How many different turns took place."""
        return len(self._answers)

    def hear(self, hearing: Hearing, letter: LetterNumber) -> Answer:
        """What it does about a letter, or about a cancellation."""
        known = self._answers.get((hearing, letter))
        if known is None:
            known = self._answers[hearing, letter] = self._turn(hearing, letter)
        return known

    def outcomes(self, letters: Sequence[LetterNumber]) -> tuple[str, ...]:
        """The outcomes it decides on while it hears letters, the last of which should bring the only one.

        One that it decides on earlier is followed by "too early".
        """
        hearing, decided = 0, list[str]()
        for number, letter in enumerate(letters, 1):
            answer = self.hear(hearing, letter)
            hearing = answer.hearing
            decided += answer.outcomes
            if answer.outcomes and number < len(letters):
                decided.append("too early")
        return tuple(decided)

    def _turn(self, hearing: Hearing, letter: LetterNumber) -> Answer:
        stimulus: ResolverStimulus = CancelRequested("cancelled")
        if letter != CANCEL:
            event = self._post.letters[letter].stimulus
            assert isinstance(event, StepEvent), "only events of steps are told to the initiator"
            stimulus = event
        resolution = resolve(self._memories[hearing], stimulus, 0)
        self._memories.append(resolution.memory)
        letters, outcomes = [], []
        for command in resolution.commands:
            match command:
                case Tell(event):
                    letters.append(self._post.number(event))
                case Ended(outcome):
                    outcomes.append(type(outcome).__name__)
                case _:
                    pass  # deadlines, and answers to one participant about an outcome it has been told already
        return Answer(len(self._memories) - 1, tuple(letters), tuple(outcomes))
