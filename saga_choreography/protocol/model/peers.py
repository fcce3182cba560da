"""Participants of a model: the real `decide`, called once for each step, memory and letter that meet.

A step runs as soon as it is triggered, and an undo succeeds at once: nobody else could notice a delay. Two memories
that differ only in what no rule reads (times, inputs, the text of the cause) are one state.
"""

from typing import Final, TypeAlias, final

from attrs import frozen

from saga_choreography.protocol.commands import Anomaly, AwaitRun, Forget, Publish, RunCompensation
from saga_choreography.protocol.decide import decide
from saga_choreography.protocol.facts import fact_of, is_settled
from saga_choreography.protocol.memory import NOTHING_TOLD, Told
from saga_choreography.protocol.model.post import LetterNumber, Post, StepNumber
from saga_choreography.protocol.spec import ParticipantSpec
from saga_choreography.protocol.stimuli import CompensationReturned, RunGranted, Stimulus
from saga_choreography.state import Completed, Executing, Idle, SagaStateEntry, is_in
from saga_choreography.state.transitions import new

PeerState: TypeAlias = int
"""Number of what one step may know; 0 has not heard of the saga."""


@final
@frozen
class Reaction:
    """What a participant does about one letter."""

    state: PeerState
    letters: tuple[LetterNumber, ...]
    undone_after: frozenset[str] | None
    """Steps it knew to have settled when it was undone in this turn; None when it was not."""
    ended: bool
    odd: str
    """What it found wrong with the letter; empty when nothing."""


@final
@frozen
class Traits:
    """What is to be known of a state."""

    entry: SagaStateEntry
    told: Told
    idle: bool
    running: bool
    completed: bool
    settled: bool
    fact: LetterNumber | None
    """What it tells of itself; None while nobody waits for anything."""


@final
class Peers:
    """The participants of all steps of a plan."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._names: Final = post.origin.plan.step_names
        self._specs = [ParticipantSpec(step_name=name) for name in self._names]
        self.states: Final[list[list[Traits]]] = [[] for _ in self._names]
        self._known: list[dict[object, PeerState]] = [{} for _ in self._names]
        self._reactions: list[dict[tuple[PeerState, LetterNumber], Reaction]] = [{} for _ in self._names]
        for step, name in enumerate(self._names):
            self._state(step, new(post.origin, name, 0), NOTHING_TOLD)

    @property
    def turns(self) -> int:
        """How many different turns took place."""
        return sum(map(len, self._reactions))

    def react(self, step: StepNumber, state: PeerState, letter: LetterNumber) -> Reaction:
        """What a step in a state does about a letter."""
        reactions = self._reactions[step]
        known = reactions.get((state, letter))
        if known is None:
            known = reactions[state, letter] = self._turn(step, state, letter)
        return known

    def _turn(self, step: StepNumber, state: PeerState, letter: LetterNumber) -> Reaction:
        before = self.states[step][state]
        entry, heard = before.entry, before.told
        stimuli: list[Stimulus] = [self._post.letters[letter].stimulus]
        told: list[LetterNumber] = []
        undone_after: frozenset[str] | None = None
        ended, odd = False, ""
        for stimulus in stimuli:  # grows while it is walked
            decision = decide(entry, heard, stimulus, self._specs[step], 0)
            entry, heard = decision.entry, decision.told
            for command in decision.commands:
                match command:
                    case Publish(event):
                        told.append(self._post.number(event))
                    case AwaitRun():
                        stimuli.append(RunGranted())
                    case RunCompensation():
                        undone_after = heard.answered
                        stimuli.append(CompensationReturned())
                    case Forget():
                        ended = True
                    case Anomaly(what):
                        odd = what
                    case _:
                        pass  # timers, probes and hooks: nothing of the kind is modelled
        return Reaction(self._state(step, entry, heard), tuple(told), undone_after, ended, odd)

    def _state(self, step: StepNumber, entry: SagaStateEntry, told: Told) -> PeerState:
        key = (type(entry.state), entry.sequence, entry.fence is None, frozenset(told.arrived), told.answered)
        known = self._known[step].get(key)
        if known is not None:
            return known
        self._known[step][key] = number = len(self.states[step])
        fact = fact_of(entry)
        traits = Traits(
            entry=entry,
            told=told,
            idle=is_in(entry, Idle),
            running=is_in(entry, Executing),
            completed=is_in(entry, Completed),
            settled=is_settled(entry),
            fact=None if fact is None else self._post.number(fact),
        )
        self.states[step].append(traits)
        return number
