"""A store under many kinds of commits: the program that is recorded, and the states it may be found in afterwards.

The same steps run on the memory store, whose tables after every step are the oracle: a disk must hold exactly one of
these states, and none older than the last one acknowledged.
"""

import os
import random
import signal
import sys
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Final
from uuid import UUID

from saga_choreography.events import ParticipantEvent, StepExecutionCompleted, TimestampedEvent
from saga_choreography.storage import PARTICIPANT, Durability, InMemoryEnvironment, LmdbEnvironment, unsynced
from saga_choreography.storage.layout import TABLES
from saga_choreography.storage.staged_dedupe import StagedDedupe
from saga_choreography.storage.staged_journal import StagedJournal
from saga_choreography.storage.staging import StagedEnvironment
from saga_choreography.types import SagaId
from tests.storage.samples import GONE, participant_events

OWNER: Final = "desk"
STORE: Final = "store"
SMALL_MAP: Final = 1 << 18
_AFTER_ALL: Final = b"\xff" * 600


def saga(number: int) -> SagaId:
    return SagaId(UUID(int=(number + 1) << 64))


def state_of(environment: StagedEnvironment) -> str:
    """Identifies everything in all tables."""
    total = blake2b(digest_size=16)
    for table in TABLES:
        for key, value in environment.rows(table, b"", _AFTER_ALL):
            total.update(b"%d %d %d " % (TABLES.index(table), len(key), len(value)) + key + value)
    return total.hexdigest()


class Work:
    """One step is at most one commit: a few records, large ones, marks, ends, pruning."""

    def __init__(self, environment: StagedEnvironment, seed: int) -> None:
        self._chance = random.Random(seed)
        self._lasts: dict[int, int] = {}
        self._live: list[int] = []
        self._step = 0
        self.move_to(environment)

    def move_to(self, environment: StagedEnvironment) -> None:
        """Do the next steps in another store, which is in the same state."""
        self.journal = StagedJournal(environment, PARTICIPANT)
        self.dedupe = StagedDedupe(environment, PARTICIPANT.marks)

    def step(self) -> None:
        """Do the next step; the same seed makes the same steps."""
        self._step += 1
        grow, prune, forget = self._grow, self._prune, self._forget
        kinds: tuple[Callable[[], None], ...] = (grow, grow, grow, self._begin, self._end, prune, forget)
        if not self._live:
            self._begin()
        else:
            self._chance.choice(kinds)()

    def _begin(self) -> None:
        with self.journal.transaction():
            for _ in range(self._chance.choice((1, 1, 3))):
                number = len(self._lasts)
                self._lasts[number] = 0
                self._live.append(number)
                self._append(number, participant_events(saga(number))[0])
                self.dedupe.check_and_mark(saga(number), "book", self._step)

    def _grow(self) -> None:
        with self.journal.transaction():
            for number in self._chance.sample(self._live, min(len(self._live), self._chance.choice((1, 2, 5)))):
                size = self._chance.choice((10, 300, 1_500, 9_000))
                self._append(number, StepExecutionCompleted(output=self._chance.randbytes(size), undo=b""))

    def _end(self) -> None:
        number = self._live.pop(self._chance.randrange(len(self._live)))
        with self.journal.transaction():
            self.journal.end(saga(number), self._step, GONE)

    def _prune(self) -> None:
        self.journal.prune(self._step, 2)

    def _forget(self) -> None:
        self.journal.prune_tombstones(self._step, 1)

    def _append(self, number: int, event: ParticipantEvent) -> None:
        self._lasts[number] += 1
        self.journal.append(saga(number), TimestampedEvent(self._lasts[number], self._step, event))


def oracle(seed: int, steps: int) -> list[str]:
    """The state after 0, 1, 2 ... steps."""
    environment = InMemoryEnvironment()
    work = Work(environment, seed)
    states = [state_of(environment)]
    for _ in range(steps):
        work.step()
        states.append(state_of(environment))
    return states


def main(medium: str, acks: str, durability: str, seed: str, steps: str, then: str) -> None:
    """Go on from what is stored, and acknowledge it and each step after it.

    `then`: `close` the store, `leave` it open, or `die` with the last step done and not acknowledged.
    """
    file = os.open(acks, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    environment = LmdbEnvironment.open(
        Path(medium) / STORE, owner=OWNER, durability=Durability(durability), map_size_bytes=SMALL_MAP
    )
    memory = InMemoryEnvironment()
    work = Work(memory, int(seed))
    done, stored = 0, state_of(environment)
    while state_of(memory) != stored:
        work.step()
        done += 1
    work.move_to(environment)
    os.write(file, b"did %d\n" % done)
    for number in range(done + 1, int(steps) + 1):
        os.write(file, b"begins %d\n" % number)
        work.step()
        if number == int(steps) and then == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        os.write(file, b"did %d\n" % number)
    if then == "close":
        environment.close()
    os._exit(0)


def restart_machine() -> None:
    """From now on this process runs on a machine that was started again."""
    unsynced.boot_id = lambda: "the next run of this machine"


def open_and_name_state(medium: Path) -> str:
    """Open the store on a medium as its actor would, read what recovery reads, and name the state of all tables."""
    restart_machine()
    environment = LmdbEnvironment.open(medium / STORE, owner=OWNER, map_size_bytes=SMALL_MAP)
    try:
        journal = StagedJournal(environment, PARTICIPANT)
        for saga_id in journal.live_sagas():
            journal.read(saga_id)
        return state_of(environment)
    finally:
        environment.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
