"""A running system under power loss: the program that is recorded, and what a system finds on the disk afterwards.

Two journeys of three steps: one goes well, the last step of the other is refused, so that two steps are undone. The
program tells what was promised and what happened outside: a start that returned, an effect, an outcome.
"""

import json
import os
import sys
from pathlib import Path
from typing import Final
from uuid import UUID

from attrs import frozen

from saga_choreography import Durability, SagaContext, SagaId, SagaSystem, StepPending, TerminalStepError
from saga_choreography.errors import UnknownSaga
from saga_choreography.storage import LmdbEnvironment, LmdbJournal
from saga_choreography.storage.lmdb_identity import StoreState, load_identity
from tests.power.journal_work import restart_machine
from tests.runtime.journey import JOURNEY, Host, Packer, Pilot, Trip, World

STATE: Final = "state"
GOES_WELL: Final = SagaId(UUID("0190a0a0-0000-7000-8000-00000000000a"))
IS_REFUSED: Final = SagaId(UUID("0190a0a0-0000-7000-8000-00000000000b"))
SAGAS: Final = {str(GOES_WELL): "SagaCompleted", str(IS_REFUSED): "SagaFailed"}
_PATIENCE_SECONDS: Final = 60.0


@frozen
class Effect:
    """Something that happened outside."""

    saga: str
    what: str
    key: str


@frozen(kw_only=True)
class Afterwards:
    """What a new system made of a disk. `records`: journal records by actor and saga, as they were found."""

    records: dict[tuple[str, str], tuple[str, ...]]
    outcomes: dict[str, str]
    effects: tuple[Effect, ...]


class TellingWorld(World):
    """Writes every effect to the acknowledgements before the program can know whether it lives on."""

    def __init__(self, acks: int) -> None:
        super().__init__()
        self.acks = acks
        self.effects: list[Effect] = []

    def act(self, what: str, context: SagaContext) -> StepPending | None:
        if what == "stay" and context.saga_id == IS_REFUSED:
            raise TerminalStepError("no room")
        self.effects.append(Effect(str(context.saga_id), what, context.idempotency_key))
        tell(self.acks, "effect", str(context.saga_id), what, context.idempotency_key)
        return None


def tell(acks: int, *words: str) -> None:
    if acks >= 0:
        os.write(acks, (json.dumps(words) + "\n").encode())


def start(path: Path, durability: Durability, world: World) -> SagaSystem:
    system = SagaSystem(path / STATE, durability=durability)
    for actor in (Packer, Pilot, Host):
        system.start_actor(actor, world)
    return system


def main(medium: str, acks_path: str, durability: str) -> None:
    """Both journeys, each promise told as it is given. The system is not stopped: the power goes."""
    acks = os.open(acks_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    system = start(Path(medium), Durability(durability), TellingWorld(acks))
    handles = []
    for saga_id in (GOES_WELL, IS_REFUSED):
        handles.append(system.start_saga(JOURNEY, Trip("Oslo"), saga_id=saga_id))
        tell(acks, "started", str(saga_id))
    for handle in handles:
        tell(acks, "ended", str(handle.saga_id), type(handle.result(_PATIENCE_SECONDS)).__name__)
    os._exit(0)


def look(medium: Path) -> Afterwards:
    """Read the journals as they are; nothing runs."""
    restart_machine()
    return Afterwards(records=_records(medium), outcomes={}, effects=())


def resume(medium: Path) -> Afterwards:
    """Read the journals, then start the system, and wait until every saga it knows has ended."""
    restart_machine()
    records = _records(medium)
    world = TellingWorld(-1)
    outcomes: dict[str, str] = {}
    with start(medium, Durability.FSYNC, world) as system:
        for saga in SAGAS:
            try:
                outcomes[saga] = type(system.handle(SagaId(UUID(saga))).result(_PATIENCE_SECONDS)).__name__
            except UnknownSaga:
                continue
    return Afterwards(records=records, outcomes=outcomes, effects=tuple(world.effects))


def _records(medium: Path) -> dict[tuple[str, str], tuple[str, ...]]:
    """Names of the records of every saga in every store that was ever in use."""
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for path in sorted((medium / STATE / "actors").glob("*/*")):
        identity = load_identity(str(path), path)
        if identity is None or identity.state is not StoreState.READY:
            continue
        environment = LmdbEnvironment.open_readonly(path)
        journals = (LmdbJournal.participant(environment), LmdbJournal.initiator(environment))
        for journal in journals:
            for saga in SAGAS:
                records = journal.read(SagaId(UUID(saga)))
                if records:
                    names = tuple(type(record.event).__name__ for record in records)
                    found[path.parent.name, saga] = names
        environment.close()
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])
