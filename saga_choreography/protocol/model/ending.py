"""The way back: from one state of the way forward, the fence, the undo, and the one outcome."""

from collections import deque
from typing import Final, final

from saga_choreography.protocol.model.forward import Forward, Peerage
from saga_choreography.protocol.model.initiator import CANCEL, Initiator
from saga_choreography.protocol.model.peers import Peers
from saga_choreography.protocol.model.post import LetterNumber, Post, StepNumber
from saga_choreography.protocol.model.structure import must_settle_first
from saga_choreography.protocol.model.verdict import PlanFault, Property


@final
class Ending:
    """One run behind the fence, to its rest.

    `failing`: the first running step fails and so raises the fence, the other running ones fail behind it. Otherwise
    the saga is cancelled, and running steps complete behind the fence.
    """

    def __init__(
        self, post: Post, peers: Peers, initiator: Initiator, forward: Forward, before: Peerage, *, failing: bool
    ) -> None:
        self._post = post
        self._peers = peers
        self._initiator = initiator
        self._plan = post.origin.plan
        self._names: Final = self._plan.step_names
        self._before = before
        self._forward = forward
        self._running = forward.running(before)
        self._culprit = self._running[0] if failing else None
        self._states = list(before)
        self._past: list[frozenset[str]] = [frozenset()] * len(before)
        """Of each undone step: all steps that had settled before, in whatever order letters arrive."""
        self._story: list[tuple[str, str]] = []
        """Step and what it did; no step where the saga is cancelled."""
        self._queue: deque[LetterNumber] = deque()
        self._order_faults: list[PlanFault] = []

    def faults(self) -> list[PlanFault]:
        """Everything that goes wrong in this run."""
        cause = self._raise_fence()
        for step in self._running:
            if step != self._culprit:
                self._tell(step, self._post.failed if self._culprit is not None else self._post.done)
        self._deliver()
        return self._order_faults + (self._stuck() or self._wrong_end(cause))

    # ---------------------------------------------------------------- what happens

    def _raise_fence(self) -> LetterNumber:
        """The cause, which is returned, and the fence to everybody it is told to."""
        cause = CANCEL
        if self._culprit is None:
            self._story.append(("", "the saga is cancelled"))
        else:
            (cause,) = self._tell(self._culprit, self._post.failed)
        for fence in self._initiator.hear(0, cause).letters:
            for step in self._post.letters[fence].steps:
                self._tell(step, self._post.fence)
        return cause

    def _tell(self, step: StepNumber, letter: LetterNumber) -> tuple[LetterNumber, ...]:
        """One letter reaches one step; what it tells is queued, and what of that the initiator hears is returned."""
        reaction = self._peers.react(step, self._states[step], letter)
        if reaction.undone_after is not None:
            self._undone(step, reaction.undone_after)
        elif letter == self._post.failed:
            self._story.append((self._names[step], "fails"))
        elif letter == self._post.done:
            self._story.append((self._names[step], "completes behind the fence"))
        self._states[step] = reaction.state
        self._queue.extend(reaction.letters)
        return tuple(each for each in reaction.letters if self._post.letters[each].to_initiator)

    def _deliver(self) -> None:
        while self._queue:
            letter = self._queue.popleft()
            for step in self._post.letters[letter].steps:
                self._tell(step, letter)

    def _undone(self, step: StepNumber, answered: frozenset[str]) -> None:
        """A step is undone: whoever depends on it and has run must have settled, whatever the order of letters."""
        name = self._names[step]
        past = answered.union(*(self._past[self._names.index(other)] for other in answered))
        self._past[step] = past
        for later in must_settle_first(self._plan)[name] - past:
            number = self._names.index(later)
            ran = not self._peers.states[number][self._before[number]].idle
            if ran and later != name and number != self._culprit:
                self._note_order(name, later)
        self._story.append((name, "is undone"))

    def _note_order(self, name: str, later: str) -> None:
        """In this run `later` may have settled by chance; in another one only those that `name` heard of have."""
        what = f"step {name!r} can be undone before {later!r}, which depends on it, has settled"
        culprit = "" if self._culprit is None else self._names[self._culprit]
        causes = self._past[self._names.index(name)] | {culprit, name}
        trace = self._trace(causes)
        last = f"{name!r} is undone, without having heard of {later!r}"
        self._order_faults.append(PlanFault(Property.ORDER, (name, later), what, (*trace, last)))

    # ---------------------------------------------------------------- what is wrong at rest

    def _trace(self, only: frozenset[str] | None = None) -> tuple[str, ...]:
        """What happened; behind the fence only what these steps did, or everybody."""
        behind = [f"{name!r} {did}" if name else did for name, did in self._story if only is None or name in only]
        return (*self._forward.trace(self._before), *behind)

    def _stuck(self) -> list[PlanFault]:
        """Steps that never settle."""
        settled = [self._peers.states[step][number].settled for step, number in enumerate(self._states)]
        if all(settled):
            return []
        index = {name: number for number, name in enumerate(self._names)}
        waits: dict[str, list[str]] = {}
        faults: list[PlanFault] = []
        for step, number in enumerate(self._states):
            if settled[step]:
                continue
            name = self._names[step]
            known = self._peers.states[step][number]
            waits[name] = []
            if known.entry.fence is None:
                what = f"step {name!r} is never told to undo"
                faults.append(PlanFault(Property.REACHED, (name,), what, self._trace()))
            for other in self._plan.steps[step].undo_after:
                if other in known.told.answered:
                    continue
                if other not in index:
                    what = f"step {name!r} is never undone: it waits for {other!r}, which is no step of the plan"
                    faults.append(PlanFault(Property.REACHED, (name,), what, self._trace()))
                elif settled[index[other]]:
                    what = (
                        f"step {name!r} is never undone: it waits for {other!r}, which has settled and does not tell it"
                    )
                    faults.append(PlanFault(Property.REACHED, (name, other), what, self._trace()))
                else:
                    waits[name].append(other)
        return faults + self._cycles(waits)

    def _cycles(self, waits: dict[str, list[str]]) -> list[PlanFault]:
        faults: list[PlanFault] = []
        for first in waits:
            cycle = _way_back(first, waits)
            if cycle and first == min(cycle, key=self._names.index):
                named = ", ".join(repr(name) for name in cycle)
                what = (
                    f"steps {named} wait for each other, so none of them is undone"
                    if len(cycle) > 1
                    else f"step {named} waits for itself, so it is never undone"
                )
                faults.append(PlanFault(Property.NO_CYCLE, cycle, what, self._trace()))
        return faults

    def _wrong_end(self, cause: LetterNumber) -> list[PlanFault]:
        """Everything has settled: there must be one outcome, and everybody must agree with it."""
        states = enumerate(self._states)
        facts = [self._peers.states[step][number].fact for step, number in states if step != self._culprit]
        outcomes = self._initiator.outcomes([cause, *(fact for fact in facts if fact is not None)])
        faults = []
        if outcomes != ("SagaFailed",):
            what = f"every step has settled behind the fence, and the saga ends as {', '.join(outcomes) or 'nothing'}"
            faults.append(PlanFault(Property.ONE_OUTCOME, self._names, what, self._trace()))
        faults += disagreeing(self._peers, self._states, self._post.undone, self._trace())
        return faults


def completion_faults(
    post: Post, peers: Peers, initiator: Initiator, forward: Forward, state: Peerage
) -> list[PlanFault]:
    """What is wrong with the end of a saga all of whose steps have completed."""
    facts = [peers.states[step][number].fact for step, number in enumerate(state)]
    outcomes = initiator.outcomes([fact for fact in facts if fact is not None])
    trace = tuple(forward.trace(state))
    faults = []
    if outcomes != ("SagaCompleted",):
        what = f"all steps have completed, and the saga ends as {', '.join(outcomes) or 'nothing'}"
        faults.append(PlanFault(Property.ONE_OUTCOME, post.origin.plan.step_names, what, trace))
    return faults + disagreeing(peers, list(state), post.completed, trace)


def disagreeing(peers: Peers, states: list[int], outcome: LetterNumber, trace: tuple[str, ...]) -> list[PlanFault]:
    """Steps that do not accept the outcome of their saga."""
    faults: list[PlanFault] = []
    for step, state in enumerate(states):
        reaction = peers.react(step, state, outcome)
        if not reaction.ended or reaction.odd:
            name = peers.states[step][state].entry.step_name
            what = f"step {name!r} does not agree with the outcome: {reaction.odd or 'it does not end'}"
            faults.append(PlanFault(Property.ONE_OUTCOME, (name,), what, trace))
    return faults


def _way_back(first: str, waits: dict[str, list[str]]) -> tuple[str, ...]:
    """The shortest way from a step along `waits` back to it; empty when there is none."""
    ways: deque[tuple[str, ...]] = deque([(first,)])
    seen: set[str] = set()
    while ways:
        way = ways.popleft()
        for other in waits.get(way[-1], ()):
            if other == first:
                return way
            if other not in seen:
                seen.add(other)
                ways.append((*way, other))
    return ()
