"""The way forward: every set of steps that can have completed before a fence, by every order of completions."""

from collections import deque
from typing import Final, TypeAlias, final

from saga_choreography.protocol.dependencies import can_be_satisfied, sources
from saga_choreography.protocol.model.initiator import Initiator
from saga_choreography.protocol.model.peers import Peers, PeerState
from saga_choreography.protocol.model.post import LetterNumber, Post, StepNumber
from saga_choreography.protocol.model.verdict import PlanFault, Property
from saga_choreography.types import SAGA_START

Peerage: TypeAlias = tuple[PeerState, ...]
"""The states of all steps, in the order of the plan."""


@final
class Forward:
    """Explores from the start of the saga; `reached` holds every state with the step whose completion led to it."""

    def __init__(self, post: Post, peers: Peers, initiator: Initiator) -> None:
        self._post = post
        self._peers = peers
        self._initiator = initiator
        self._plan = post.origin.plan
        self._names = self._plan.step_names
        self.reached: Final[dict[Peerage, tuple[Peerage, StepNumber] | None]] = {}

    def explore(self) -> None:
        """Find every state."""
        fresh = [0] * len(self._names)
        for letter in self._initiator.start:
            self._deliver(fresh, letter)
        start = tuple(fresh)
        self.reached[start] = None
        waiting = deque([start])
        while waiting:
            state = waiting.popleft()
            for step in self.running(state):
                following = self._completed(state, step)
                if following not in self.reached:
                    self.reached[following] = (state, step)
                    waiting.append(following)

    def running(self, state: Peerage) -> list[StepNumber]:
        """Steps that were triggered and have not completed."""
        states = self._peers.states
        return [step for step, number in enumerate(state) if states[step][number].running]

    def completed(self, state: Peerage) -> list[StepNumber]:
        """Steps that have completed."""
        states = self._peers.states
        return [step for step, number in enumerate(state) if states[step][number].completed]

    def trace(self, state: Peerage) -> list[str]:
        """How a state is reached."""
        steps: list[StepNumber] = []
        while (before := self.reached[state]) is not None:
            state, step = before
            steps.append(step)
        return ["the saga starts", *(f"{self._names[step]!r} completes" for step in reversed(steps))]

    def _completed(self, state: Peerage, step: StepNumber) -> Peerage:
        reaction = self._peers.react(step, state[step], self._post.done)
        following = list(state)
        following[step] = reaction.state
        for letter in reaction.letters:
            self._deliver(following, letter)
        return tuple(following)

    def _deliver(self, states: list[PeerState], letter: LetterNumber) -> None:
        for step in self._post.letters[letter].steps:
            states[step] = self._peers.react(step, states[step], letter).state

    def untriggered(self, state: Peerage) -> list[PlanFault]:
        """Steps that wait although what they wait for has completed, or that wait when nothing can move any more."""
        traits = self._peers.states
        done = {self._names[step] for step in self.completed(state)}
        at_rest = not self.running(state)
        faults: list[PlanFault] = []
        for step, number in enumerate(state):
            if not traits[step][number].idle:
                continue
            plan = self._plan.steps[step]
            if at_rest or can_be_satisfied(plan.after, done):
                name = plan.step_name
                waits = dict.fromkeys(self._wait(name, source, done) for source in sources(plan.after))
                what = f"step {name!r} is never triggered: it waits for {', '.join(waits) or 'nothing'}"
                faults.append(PlanFault(Property.TRIGGERED, (name,), what, tuple(self.trace(state))))
        return faults

    def _wait(self, name: str, source: str, done: set[str]) -> str:
        if source == SAGA_START:
            return "the start of the saga"
        teller = self._plan.step(source)
        if teller is None:
            return f"{source!r}, which is no step of the plan"
        if name not in teller.dependents:
            return f"{source!r}, which does not tell it"
        return f"{source!r}" if source in done else f"{source!r}, which never completes"
