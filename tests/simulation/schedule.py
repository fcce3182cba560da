"""One schedule: a seeded scheduler over nodes, mailboxes and a virtual clock. The same seed gives the same run."""

from random import Random
from typing import Final, final

from saga_choreography.state import Quarantined, is_in
from tests.simulation import ending
from tests.simulation.fate import draw_profile
from tests.simulation.initiator import Initiator
from tests.simulation.network import Network
from tests.simulation.participant import Participant
from tests.simulation.ports import INITIATOR, Action, CancelRequest, Crash, ResolveStep, StartRequest
from tests.simulation.violation import Violation
from tests.simulation.workflows import FAR_MILLIS

MOST_TURNS: Final = 6_000
_HOUR: Final = 3_600_000


@final
class Schedule:
    """Everything that happens under one seed."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.profile = draw_profile(self.rng)
        self.net = Network(seed, self.rng, self.profile)
        self.clock = self.net.clock
        self.turns = 0

    def run(self) -> None:
        """Run until nothing moves any more, then check the end.

        Raises:
            Violation: a guarantee is broken.
        """
        for origin in self.net.scene.origins:
            self.net.tell(INITIATOR, StartRequest(origin))
        while self._step():
            self.turns += 1
            if self.turns == self.profile.horizon:
                self.net.fate.is_over = True
            if self.turns > MOST_TURNS:
                raise Violation("I1", f"not at rest after {MOST_TURNS} turns")
        ending.check(self.net.scene, self.profile, self.net.told, self.net.faults)

    def _step(self) -> bool:
        """One thing happens; False when nothing is left to happen."""
        self.clock.run_due()
        if not self.net.fate.is_over:
            self._stir()
        ready = [node for node in self.net.nodes.values() if node.is_up and (node.mailbox or node.has_work())]
        if ready:
            self._turn(self.rng.choice(ready))
            self.clock.real += self.rng.choice((0, 0, 1, 6))
            return True
        wait = None if self._is_done() else self.clock.wait()
        at_rest = wait is None or wait >= FAR_MILLIS // 2
        if at_rest:
            ending.check_parked(self.net.scene)
        if self.net.fate.is_over and self._resolve_quarantined():
            return True
        if at_rest and (self._help() or not self._was_over()):
            return True
        if wait is None:
            return False
        self.clock.real += wait
        return True

    def _was_over(self) -> bool:
        """Faults stop at the latest when everything else has come to rest."""
        was_over, self.net.fate.is_over = self.net.fate.is_over, True
        return was_over

    def _is_done(self) -> bool:
        return not self.net.waiting and all(node.is_up and not node.remembered() for node in self.net.nodes.values())

    def _turn(self, node: Initiator | Participant) -> None:
        box = node.mailbox
        if self.net.fate.strikes(self.profile.shuffle):
            self.rng.shuffle(box)
        count = min(len(box), self.rng.choice((1, 1, 2, 50)))
        signals, node.mailbox = box[:count], box[count:]
        self._risk(node, lambda: node.turn(signals), points=8)

    def _risk(self, node: Initiator | Participant, action: Action, points: int) -> None:
        """Do it, perhaps not to the end."""
        if self.net.fate.strikes(self.profile.crash):
            self.net.points_left = self.rng.randrange(points)
        try:
            action()
        except Crash:
            self._kill(node)
        finally:
            self.net.points_left = None

    def _kill(self, node: Initiator | Participant) -> None:
        everybody = self.net.fate.strikes(self.profile.all_at_once)
        self.net.faults["crashes of all" if everybody else "crashes of one"] += 1
        if everybody:
            self.net.lose_everything()
        for victim in self.net.nodes.values() if everybody else (node,):
            if victim.is_up:
                self._note_all(victim, "is killed")
                victim.kill()
                self._restart_later(victim)

    def _restart_later(self, node: Initiator | Participant) -> None:
        def restart() -> None:
            self._note_all(node, "recovers")
            self._risk(node, node.start, points=20)

        self.clock.later(self.rng.choice((0, 5, 100, 700)), restart)

    def _note_all(self, node: Initiator | Participant, verb: str) -> None:
        for origin in self.net.scene.origins:
            self.net.note(node.name, origin.saga_id, verb, "")

    # ---------------------------------------------------------------- people and clocks

    def _stir(self) -> None:
        profile, rng, origins = self.profile, self.rng, self.net.scene.origins
        if self.net.fate.strikes(profile.clock_jump):
            self.net.faults["clock jumps"] += 1
            self.clock.skew += rng.choice((-_HOUR, -50, 50, _HOUR))
        if self.net.fate.strikes(profile.cancel):
            self.net.faults["cancels"] += 1
            self.net.tell(INITIATOR, CancelRequest(rng.choice(origins).saga_id))
        if self.net.fate.strikes(profile.prune):
            rng.choice(list(self.net.nodes.values())).disk.prune(rng.choice(origins).saga_id)
        if self.net.fate.strikes(profile.trouble * 0.1):
            _ = self._resolve_quarantined()
        if self.net.fate.strikes(profile.duplicate * 0.1):
            self.net.tell(INITIATOR, StartRequest(rng.choice(origins)))

    def _resolve_quarantined(self) -> bool:
        parked = [
            (node, saga_id)
            for node in self.net.scene.participants.values()
            for saga_id, memory in node.memories.items()
            if node.is_up and is_in(memory.entry, Quarantined)
        ]
        for node, saga_id in parked:
            self.net.faults["operator words"] += 1
            self.net.tell(node.name, ResolveStep(saga_id))
        return bool(parked)

    def _help(self) -> bool:
        """At rest: operators and clients do their part. True when there was something to do."""
        asked = [origin for origin in self.net.scene.origins if origin.saga_id in self.net.waiting]
        for origin in asked:
            self.net.tell(INITIATOR, StartRequest(origin))
        return self._resolve_quarantined() or bool(asked)
