"""One schedule: a seeded scheduler over nodes, mailboxes and a virtual clock. The same seed gives the same run."""

from collections.abc import Callable, Collection
from concurrent.futures import Future
from functools import partial
from typing import Final, final

from saga_choreography.errors import PayloadError, ResolutionRefused, SagaIdConflict, UnknownSaga
from saga_choreography.helpers.signals import CancelRequest, ResolveStep, StartRequest
from saga_choreography.state import ParticipantState, Quarantined, is_in
from saga_choreography.testing.simulation.answer import Answer
from saga_choreography.testing.simulation.chance import Chance
from saga_choreography.testing.simulation.clock import FAR_MILLIS, VirtualClock
from saga_choreography.testing.simulation.ending import check_end, check_rest
from saga_choreography.testing.simulation.node import Node
from saga_choreography.testing.simulation.program import Program
from saga_choreography.testing.simulation.story import Story, saga_of
from saga_choreography.testing.simulation.subject import INITIATOR, Stage, Start, Subject
from saga_choreography.testing.simulation.violation import Crash, Violation
from saga_choreography.testing.simulation.weather import Weather, draw_weather
from saga_choreography.types import PeerId, SagaId, next_birth

MOST_MESSAGES: Final = 12_000
_HOUR: Final = 3_600_000
_RESTART_MILLIS: Final = (0, 5, 100, 700)
_STIR: Final = 0.1
"""How often people and clocks get a chance at all; what they do is that much likelier then."""
_STEP_MILLIS: Final = (0, 0, 0, 1, 6)


def _is_fresh(start: Start) -> bool:
    """Every other saga has an id that was made for its start, the others bring one along."""
    return not start.saga_id.int & 1


SubjectOf = Callable[[Chance, Weather, Stage], Subject]
"""Makes the subject of a schedule."""


@final
class Schedule:
    """Everything that happens under one seed."""

    def __init__(
        self, seed: int, subject_of: SubjectOf, *, without: Collection[int] = (), tells_story: bool = False
    ) -> None:
        self.chance: Chance = Chance(seed, without)
        self.weather: Weather = draw_weather(self.chance.shape)
        self.story: Story = Story(tells_story)
        self.program: Program = Program(self.chance, self.weather, self.story)
        self.clock: VirtualClock = self.program.clock
        self.messages: int = 0
        self.subject: Subject = subject_of(self.chance, self.weather, self.program)
        self._crashes = 0
        self._waiting: dict[SagaId, Start] = {start.saga_id: start for start in self.subject.starts}
        """Sagas whose client has no answer yet."""
        self._said: set[tuple[PeerId, int, SagaId]] = set()
        """Words of operators that are not answered yet, by actor, incarnation and saga."""
        self._coming: set[PeerId] = set()
        """Actors that are about to start again."""

    def run(self) -> None:
        """Run until nothing moves any more, then check the end.

        Raises:
            Violation: a guarantee is broken.
        """
        self.program.cast(self.subject)
        for start in self.subject.starts:
            self._ask_to_start(start, next_birth() if _is_fresh(start) else 0)
        while self._step():
            self.messages += 1
            if self.messages == self.weather.horizon:
                self.chance.is_over = True
            if self.messages > MOST_MESSAGES:
                raise Violation("I1", f"not at rest after {MOST_MESSAGES} messages")
        parked = frozenset(entry.saga_id for _, entry in self._parked())
        check_end(self.program, self.subject, parked)
        self.subject.finished({start.saga_id: self.program.verdict_of(start.saga_id) for start in self.subject.starts})

    def _step(self) -> bool:
        """One thing happens; False when nothing is left to happen."""
        self.clock.run_due()
        self._stir()
        ready = [node for node in self.program.nodes.values() if node.mailbox]
        if ready:
            self._take(self.chance.pick(ready))
            self.clock.real += self.chance.pick(_STEP_MILLIS)
            return True
        wait = None if self._is_done() else self.clock.wait()
        at_rest = wait is None or wait >= FAR_MILLIS // 2
        if at_rest:
            check_rest(self.program)
        if self.chance.is_over and self._operators_speak():
            return True
        if at_rest and (self._clients_ask_again() or self._operators_speak() or not self._was_over()):
            return True
        if wait is None or (at_rest and self._parked()):
            return False
        self.clock.real += wait
        return True

    def _was_over(self) -> bool:
        """Faults stop at the latest when everything else has come to rest."""
        was_over, self.chance.is_over = self.chance.is_over, True
        return was_over

    def _is_done(self) -> bool:
        nodes = self.program.nodes.values()
        return not self._waiting and all(node.is_up and next(node.remembered(), None) is None for node in nodes)

    # ---------------------------------------------------------------- actors

    def _take(self, node: Node) -> None:
        box = node.mailbox
        if len(box) > 1 and self.chance.strikes("reordered", self.weather.shuffle):
            box.insert(0, box.pop(int(self.chance.order.random() * len(box))))
        mail = box.pop(0)
        if self.story.is_told and not callable(mail) and saga_of(mail) is not None:
            self.story.add(self.clock.real, node.peer_id, saga_of(mail), "hears", mail)
        self._risk(node, partial(node.take, mail), points=6)
        for peer_id, message in self.subject.messages():
            self.program.call(peer_id, None, message)

    def _risk(self, node: Node, action: Callable[[], None], points: int) -> None:
        """Do it, perhaps not to the end."""
        most = self.subject.most_crashes
        if (most is None or self._crashes < most) and self.chance.strikes("crashes", self.weather.crash):
            self.program.points_left = int(self.chance.order.random() * points)
        try:
            action()
        except Crash:
            self._crash(node)
        finally:
            self.program.points_left = None

    def _crash(self, node: Node) -> None:
        self._crashes += 1
        everybody = self.chance.strikes("crashes of the process", self.weather.all_at_once)
        if everybody:
            self.program.lose_everything()
        for victim in self.program.nodes.values() if everybody else (node,):
            if not victim.is_up:
                continue
            if victim is not node:
                for role in victim.roles:
                    role.check_memory()
            self.chance.faults["actors killed"] += 1
            self.story.add(self.clock.real, victim.peer_id, None, "is gone")
            victim.kill(with_its_process=everybody)
            self._restart_later(victim)

    def _shut_down(self) -> None:
        """The whole program ends in good order: who starts sagas first, as SagaSystem.stop does."""
        self.program.lose_everything()
        for node in self.program.nodes.values():  # the initiator comes first
            if node.is_up:
                self.chance.faults["actors stopped"] += 1
                self.story.add(self.clock.real, node.peer_id, None, "stops")
                self._risk(node, node.stop, points=12)
                self._restart_later(node)

    def _restart_later(self, node: Node) -> None:
        if node.peer_id in self._coming:
            return

        def restart() -> None:
            self._coming.discard(node.peer_id)
            self.story.add(self.clock.real, node.peer_id, None, "starts again")
            self._risk(node, node.restart, points=12)

        self._coming.add(node.peer_id)
        self.clock.later(self.chance.pick(_RESTART_MILLIS), restart)

    # ---------------------------------------------------------------- people and clocks

    def _stir(self) -> None:
        weather, chance = self.weather, self.chance
        if not chance.anything(_STIR):
            return
        if chance.strikes("clock jumps", weather.clock_jump / _STIR):
            self.clock.skew += chance.pick((-_HOUR, -50, 50, _HOUR))
        if chance.strikes("cancels", weather.cancel / _STIR):
            saga_id = chance.pick(self.subject.starts).saga_id
            self.program.send_once(self._initiator, CancelRequest(saga_id, "nobody wants it", Future()))
        if chance.strikes("prunings", weather.prune / _STIR):
            node = chance.pick(tuple(self.program.nodes.values()))
            for role in node.roles if node.is_up else ():  # it is the actor itself that prunes
                role.disk.prune_ended()
        if chance.strikes("early words", weather.trouble * 0.1 / _STIR):
            self._check_refusals()
            self._operators_speak()
        if chance.strikes("repeated starts", weather.duplicate * 0.1 / _STIR):
            start = chance.pick(self.subject.starts)
            if not (_is_fresh(start) and start.saga_id in self._waiting):  # whoever got the id asks only once
                self._waiting[start.saga_id] = start
                self._ask_to_start(start)
        if chance.strikes("shutdowns", weather.shutdown / _STIR):
            self._shut_down()

    @property
    def _initiator(self) -> Node:
        return self.program.nodes[INITIATOR]

    def _ask_to_start(self, start: Start, birth: int = 0) -> None:
        self.program.initiator.admission.enter(start.saga_id, 0)
        self.program.initiator.hold(start.saga_id)
        reply = Answer(partial(self._acknowledged, start))
        request = StartRequest(start.saga_id, start.plan, start.payload, reply, birth)
        if birth:  # nobody can ask again before this one has arrived, or was lost with its addressee
            self.program.deliver(self._initiator, request)
        else:
            self.program.send_once(self._initiator, request)

    def _acknowledged(self, start: Start, error: BaseException | None) -> None:
        """I1: what is acknowledged is on disk. Only a saga that ended and was pruned may be refused."""
        initiator, saga_id = self.program.initiator, start.saga_id
        entry = initiator.disk.last(saga_id)
        if error is None and entry is None:
            raise Violation("I1", "acknowledged before its commit", saga_id)
        if isinstance(error, SagaIdConflict):
            if entry is None or entry.outcome is None:
                raise Violation("I1", f"the saga is refused: {error}", saga_id)
            initiator.handles.pop(saga_id, None)
        elif error is not None:
            return  # the program is stopping: the client asks again
        self._waiting.pop(saga_id, None)

    def _clients_ask_again(self) -> bool:
        for start in tuple(self._waiting.values()):
            self._ask_to_start(start)
        return bool(self._waiting)

    def _operators_speak(self) -> bool:
        """Operators resolve what waits for them. True when one of them had something to say."""
        spoke = False
        for node, entry in self._parked():
            key = (node.peer_id, node.incarnation, entry.saga_id)
            if key in self._said:
                continue
            word = self.subject.word(node.peer_id, entry)
            if word is None:
                continue
            spoke = True
            self._said.add(key)
            self.chance.faults["operator words"] += 1
            reply = Answer(partial(self._obeyed, key))
            node.post(ResolveStep(entry.saga_id, word.kind, word.completed, "operator", "looked", reply))
        return spoke

    def _obeyed(self, key: tuple[PeerId, int, SagaId], error: BaseException | None) -> None:
        self._said.discard(key)
        if isinstance(error, ResolutionRefused | UnknownSaga | PayloadError):
            raise Violation("I11", f"{key[0]} refuses an operator's true word: {error}", key[2])

    def _check_refusals(self) -> None:
        """I15: an operator's word that does not fit is refused, and changes nothing."""
        for node in self.program.nodes.values():
            if node.participant is not None:
                node.participant.check_refusals(self.clock.now_millis())

    def _parked(self) -> list[tuple[Node, ParticipantState[Quarantined]]]:
        return [
            (node, entry)
            for node in self.program.nodes.values()
            if node.participant is not None
            for entry in node.participant.states.values()
            if is_in(entry, Quarantined)
        ]
