"""Programs that run on failing media and tell what they met, one JSON list a line.

`python -m tests.disk.programs NAME ARGUMENTS...` with the name of a function here (it may also stand among them).
"""

import json
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from saga_choreography import Durability, SagaHandle, SagaSystem
from saga_choreography.errors import StoreDamaged, StoreError, StoreFull
from saga_choreography.observability import NoticeKind
from saga_choreography.storage import DataDirectory, InMemoryEnvironment, LmdbEnvironment, LmdbJournal
from saga_choreography.testing import SagaEventCollector
from tests.power.journal_work import OWNER, SMALL_MAP, Work, state_of
from tests.runtime.journey import JOURNEY, Host, Packer, Pilot, Trip, World

BALLAST: Final = "ballast"
_PATIENCE_SECONDS: Final = 60.0


def tell(*words: object) -> None:
    print(json.dumps(words), flush=True)


def fill_up(disk: Path) -> None:
    """Take all the room there is."""
    with (disk / BALLAST).open("ab", buffering=0) as file:
        for size in (65_536, 4_096, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue


def open_store(path: Path) -> LmdbEnvironment:
    return LmdbEnvironment.open(path, owner=OWNER, map_size_bytes=SMALL_MAP)


def fault(what: str, error: StoreError) -> None:
    tell(what, type(error).__name__, error.store, error.remedy, str(error))


def store_on_a_full_disk(disk: str) -> None:
    """Commit until the disk is full, three times; free it, go on; then open, and make, stores on a full disk."""
    path = Path(disk) / "store"
    environment = open_store(path)
    work = Work(InMemoryEnvironment(), 1)
    memory = InMemoryEnvironment()
    mirror = Work(memory, 1)
    work.move_to(environment)
    done = 0
    try:
        for done in range(10_000):
            if done == 10:
                fill_up(Path(disk))
                os.truncate(Path(disk) / BALLAST, (Path(disk) / BALLAST).stat().st_size - 65_536)
            work.step()
            mirror.step()
    except StoreFull as error:
        fault("commit", error)
    tell("kept", done, state_of(environment) == state_of(memory))
    (Path(disk) / BALLAST).unlink()
    # The work counted the step that failed, so it goes on in the mirror's way.
    mirror.move_to(environment)
    mirror.step()
    tell("goes on", state_of(environment) != state_of(memory))
    before = state_of(environment)
    environment.close()
    (path / "lock.mdb").unlink()
    fill_up(Path(disk))
    for place in (path, Path(disk) / "new"):
        try:
            open_store(place).close()
        except StoreError as error:
            fault("open", error)
    try:
        with DataDirectory.open(Path(disk) / "system"):
            tell("open", "no fault")
    except StoreError as error:
        fault("open", error)
    (Path(disk) / BALLAST).unlink()
    environment = open_store(path)
    tell("after", state_of(environment) == before)
    environment.close()
    open_store(Path(disk) / "new").close()
    DataDirectory.open(Path(disk) / "system").close()


def system_on_a_full_disk(disk: str) -> None:
    """A saga before the disk is full, one into the full disk, then room again."""
    notices = SagaEventCollector()
    with _system(Path(disk) / "state", notices) as system:
        first = system.start_saga(JOURNEY, Trip("Oslo"))
        tell("first", type(first.result(_PATIENCE_SECONDS)).__name__)
        fill_up(Path(disk))
        started: list[SagaHandle] = []
        starting = threading.Thread(
            target=lambda: started.append(system.start_saga(JOURNEY, Trip("x" * 300_000))), daemon=True
        )
        starting.start()
        tell("paused", notices.wait_for_notice(NoticeKind.STORE_PAUSED, timeout=_PATIENCE_SECONDS).detail)
        tell("first again", type(system.handle(first.saga_id).outcome()).__name__)
        tell("acknowledged", len(started))
        (Path(disk) / BALLAST).unlink()
        tell("resumed", notices.wait_for_notice(NoticeKind.STORE_RESUMED, timeout=_PATIENCE_SECONDS).detail)
        starting.join(_PATIENCE_SECONDS)
        (second,) = started
        tell("second", type(second.result(_PATIENCE_SECONDS)).__name__)
    with _system(Path(disk) / "state", notices) as system:
        for handle in (first, second):
            tell("later", type(system.handle(handle.saga_id).outcome()).__name__)


def system_through_a_full_disk(path: str) -> None:
    """Sagas one after another, until the disk was full for one of them and has room again."""
    notices = SagaEventCollector()
    with _system(Path(path) / "state", notices) as system:
        started: list[SagaHandle] = []
        while not notices.notices(NoticeKind.STORE_RESUMED):
            started.append(system.start_saga(JOURNEY, Trip("Oslo")))
            tell("ended", type(started[-1].result(_PATIENCE_SECONDS)).__name__)
        for kind in (NoticeKind.STORE_PAUSED, NoticeKind.STORE_RESUMED):
            tell(kind.value, notices.wait_for_notice(kind, timeout=_PATIENCE_SECONDS).detail)
    with _system(Path(path) / "state", notices) as system:
        for handle in started:
            tell("later", type(system.handle(handle.saga_id).outcome()).__name__)


def commits(path: str, seed: str, steps: str) -> None:
    """Commit step after step on a store whose calls fail now and then, as the engine would."""
    environment: LmdbEnvironment | None = None
    done = 0
    while done < int(steps):
        try:
            if environment is None:
                environment = open_store(Path(path))
            done, work = _recognise(environment, int(seed), done)
            while done < int(steps):
                work.step()
                done += 1
        except StoreDamaged as error:
            fault("failed", error)
            if environment is not None:
                environment.close()
            environment = None
        except StoreError as error:
            fault("failed", error)
    tell("done", done)


def _recognise(environment: LmdbEnvironment, seed: int, done: int) -> tuple[int, Work]:
    """How many steps are stored: those acknowledged, or the one more whose commit failed. Work that goes on there."""
    stored = state_of(environment)
    for number in (done, done + 1):
        memory = InMemoryEnvironment()
        work = Work(memory, seed)
        for _ in range(number):
            work.step()
        if state_of(memory) == stored:
            work.move_to(environment)
            return number, work
    raise AssertionError(f"{done} steps were acknowledged, and the store is in another state")


def open_readonly_disk(disk: str) -> None:
    """Open a store and a system where nobody may write; then look at the store, which is allowed."""
    openers: tuple[Callable[[], LmdbEnvironment | DataDirectory], ...] = (
        lambda: open_store(Path(disk) / "store"),
        lambda: DataDirectory.open(disk),
    )
    for opener in openers:
        try:
            opener().close()
        except StoreError as error:
            fault("open", error)
    environment = LmdbEnvironment.open_readonly(Path(disk) / "store")
    tell("read", len(list(LmdbJournal.participant(environment).live_sagas())))
    environment.close()


def second_system(path: str) -> None:
    """Start a system where another one runs."""
    try:
        with SagaSystem(path):
            tell("started")
    except StoreError as error:
        fault("refused", error)


def _system(path: Path, notices: SagaEventCollector) -> SagaSystem:
    system = SagaSystem(path, observers=(notices,), durability=Durability.FSYNC)
    for actor in (Packer, Pilot, Host):
        system.start_actor(actor, World())
    return system


if __name__ == "__main__":
    words = sys.argv[1:]
    programs: tuple[Callable[..., None], ...] = (
        store_on_a_full_disk,
        system_on_a_full_disk,
        system_through_a_full_disk,
        commits,
        open_readonly_disk,
        second_system,
    )
    program = next(program for program in programs if program.__name__ in words)
    words.remove(program.__name__)
    program(*words)
