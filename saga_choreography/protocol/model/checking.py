"""`check_plan`: every run of a plan, in a model small enough to be looked at to the end.

What is proven, for a plan of up to `MOST_STEPS` steps: whatever set of steps completes, fails or never starts, in
whatever order facts and the fence arrive,

- a step is triggered as soon as what it waits for has completed (`Property.TRIGGERED`);
- whoever has an effect is told to undo it, and hears of everybody it waits for (`REACHED`); nobody waits in a circle
  (`NO_CYCLE`); so no run comes to rest with a step that has not settled;
- no step is undone while one that depends on it and has run may still be unsettled (`ORDER`);
- every run ends in exactly one outcome, at the last answer and not before, and every step agrees with it
  (`ONE_OUTCOME`).

How: participants and initiator of the model are the real `decide`, `resolve`, `fact_of` and `addressees`. On the way
forward every order of completions is followed, which reaches every set of steps that can have completed. From each of
them the saga is ended: by the failure of a running step while the others fail too; by a cancellation while running
steps still complete; by a cancellation while nothing runs. Nothing else has to be told apart, because

- two turns of different participants commute, and what they tell is delivered however late;
- to whoever waits for it, a step that never ran, one that failed, and one that was undone are the same: settled. So
  the state behind the fence is given by the set of steps that have completed, at most 2 ** 12 of them;
- behind the fence nothing is taken back: an answer only ever adds to what a step has heard, and a step is undone once
  it has heard enough. So all orders of delivery end alike, and one is followed; that a step waits for another in all of
  them is told from what it had heard, not from the order it was heard in.

These three are properties of the rules, not of a plan; tests compare the verdict with one found by following literally
every interleaving of small plans, sound and broken.

What is left out: payloads; time, retries and deadlines (a deadline is a cancellation with another reason); crashes and
repeats of events, which participants answer from their journal as if nothing had happened; steps in doubt and pending
steps, before they settle as completed or failed; quarantine, which lasts until an operator says how it ends.
"""

from typing import Final

from saga_choreography.protocol.model.ending import Ending, completion_faults
from saga_choreography.protocol.model.forward import Forward
from saga_choreography.protocol.model.initiator import Initiator
from saga_choreography.protocol.model.peers import Peers
from saga_choreography.protocol.model.post import Post
from saga_choreography.protocol.model.structure import structural_faults
from saga_choreography.protocol.model.verdict import PlanFault, PlanVerdict, Property
from saga_choreography.types import SagaPlan

MOST_STEPS: Final = 12
"""Steps of the largest plan whose runs are explored; of a larger one only the structure is checked."""


def check_plan(plan: SagaPlan) -> PlanVerdict:
    """Look at every run of a plan. Each fault is reported once, with the first run that shows it."""
    if not plan.steps or len(plan.step_names) < len(plan.steps) or len(plan.steps) > MOST_STEPS:
        return PlanVerdict(faults=tuple(structural_faults(plan)), explored=False)
    post = Post(plan)
    peers, initiator = Peers(post), Initiator(post)
    forward = Forward(post, peers, initiator)
    forward.explore()
    found: dict[tuple[Property, tuple[str, ...]], PlanFault] = {}

    def note(faults: list[PlanFault]) -> None:
        for fault in faults:
            found.setdefault((fault.breaks, fault.steps), fault)

    runs = 0
    for state in forward.reached:
        note(forward.untriggered(state))
        running = forward.running(state)
        if len(forward.completed(state)) == len(state):
            note(completion_faults(post, peers, initiator, forward, state))
            runs += 1
        for failing in (True, False) if running else (False,):
            note(Ending(post, peers, initiator, forward, state, failing=failing).faults())
            runs += 1
    return PlanVerdict(
        faults=tuple(found.values()),
        explored=True,
        states=len(forward.reached),
        runs=runs,
        turns=peers.turns + initiator.turns,
    )
