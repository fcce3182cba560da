"""An event storm: everything is told again and again by actors that join without end, and it changes nothing."""

import threading
from pathlib import Path

from saga_choreography import (
    NoticeKind,
    SagaCompleted,
    SagaContext,
    SagaEvent,
    SagaFailed,
    SagaSystem,
    TerminalStepError,
)
from saga_choreography.helpers.signals import Events, Flush
from saga_choreography.runtime.event_stream import Joined
from saga_choreography.runtime.registry import Registry
from saga_choreography.testing import SagaEventCollector
from tests.load.postcards import WAIT_SECONDS, crowd
from tests.runtime.journey import JOURNEY, Host, Packer, Pilot, Trip, World, running

MANY = 200
ROUNDS = 20


def fussy(context: SagaContext) -> None:
    if context.saga_id.int % 3 == 0:
        raise TerminalStepError("fully booked")


def joins(registry: Registry) -> list[Joined]:
    """What every actor of a system says when it joins."""
    found = []
    for member in registry.members():
        steps: set[tuple[str, str]] = set()
        for participant, engine in registry.participants():
            if participant is member:
                steps |= engine.steps
        is_initiator = any(initiator is member for initiator, _ in registry.initiators())
        found.append(Joined(peer_id=member.peer_id, ref=member.ref, steps=frozenset(steps), is_initiator=is_initiator))
    return found


class Storm:
    """Tells every join, and the newest facts twice in both orders, again and again, on a thread of its own.

    The next round comes when everybody has heard the last one: a storm, but no flood.
    """

    def __init__(self, system: SagaSystem, seen: SagaEventCollector) -> None:
        self._system = system
        self._seen = seen
        self._enough = threading.Event()
        self._rounds = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._rage, daemon=True)
        self._thread.start()

    def _rage(self) -> None:
        told = joins(self._system._registry)
        refs = [ref for actor in (Packer, Pilot, Host) for ref in self._system.refs(actor)]
        while not self._enough.is_set():
            for joined in told:
                self._system._stream.tell(joined)
            self._system._drain_stream(WAIT_SECONDS)
            again = self._seen.events()[-60:]
            for ref in refs:
                ref.tell(SagaEvent(Events(again[::-1])))
                ref.tell(SagaEvent(Events(again)))
            for member in self._system._registry.members():
                member.ref.ask(SagaEvent(Flush()), timeout=WAIT_SECONDS)
            self._rounds.release()

    def calm(self) -> None:
        """Return when there were enough rounds."""
        for _ in range(ROUNDS):
            assert self._rounds.acquire(timeout=WAIT_SECONDS)
        self._enough.set()
        self._thread.join(WAIT_SECONDS)
        assert not self._thread.is_alive()


def test_everything_told_again_and_again_changes_nothing(tmp_path: Path) -> None:
    seen, world = SagaEventCollector(), World(on={"stay": fussy})
    with running(tmp_path, world, observers=(seen,)) as system:
        storm = Storm(system, seen)
        handles = crowd(lambda number: system.start_saga(JOURNEY, Trip(f"town-{number}")), MANY)
        outcomes = {handle.saga_id: handle.wait_until_ended(WAIT_SECONDS) for handle in handles}
        storm.calm()
        stats = system.stats()
    failed = sum(saga_id.int % 3 == 0 for saga_id in outcomes)
    for saga_id, outcome in outcomes.items():
        assert isinstance(outcome, SagaFailed if saga_id.int % 3 == 0 else SagaCompleted)
    assert len(world.done) == len({key for _, key in world.done}) == 3 * MANY - failed
    assert len(world.undone) == len({key for _, key in world.undone}) == 2 * failed
    for each in stats.values():
        assert (each.triggered, each.attempts_started, each.anomalies) == (MANY, MANY, 0)
    assert sum(each.facts_retold for each in stats.values()) > 0, "there was a storm"
    assert sum(each.duplicates for each in stats.values()) > MANY
    assert not seen.notices(NoticeKind.ACTOR_RESTARTED)
