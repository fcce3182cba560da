"""What users would pick instead, doing the same work: `python -m bench --peers`.

Each peer is set up as its own documentation says, in its package's default durability, and is measured as this library
is: `start` returns when the saga is durable, and what it returns waits for the result. Steps and payloads are those of
`bench.peers.steps`; every step's output is durable before the next step begins. No peer stores undo data or undoes
anything: that is in its favour. Each module says what is configured and why.

None of the packages is a dependency. A peer's module is imported only where the peer is measured, in a process of its
own, so everything else here works without them.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Final, final

from attrs import frozen

from bench.drive import Clock, Start
from bench.peers import restate_binary


@final
@frozen(kw_only=True)
class Peer:
    """One peer. Its module has a context manager `opened(directory)` that gives its `Start`."""

    name: str
    title: str
    module: str
    packages: Mapping[str, str]
    """The modules it imports, each with the package that has it."""
    sagas: int
    """Sagas of a run: a few seconds of work."""
    missing_program: Callable[[], str | None] = lambda: None
    """What is missing beside packages, and where to get it."""
    servers: bool = False
    """It has processes of its own beside the measuring one; their processor time counts."""


DBOS: Final = Peer(
    name="dbos",
    title="DBOS on SQLite",
    module="bench.peers.dbos_workflow",
    packages={"dbos": "dbos"},
    sagas=300,
)
EVENTSOURCING: Final = Peer(
    name="eventsourcing",
    title="eventsourcing on SQLite",
    module="bench.peers.eventsourcing_system",
    packages={"eventsourcing": "eventsourcing"},
    sagas=1_500,
)
RESTATE: Final = Peer(
    name="restate",
    title="Restate",
    module="bench.peers.restate_client",
    packages={"restate": "restate-sdk", "hypercorn": "hypercorn", "psutil": "psutil"},
    sagas=800,
    missing_program=restate_binary.missing,
    servers=True,
)
PEERS: Final[Mapping[str, Peer]] = {peer.name: peer for peer in (DBOS, EVENTSOURCING, RESTATE)}


def skipped(peer: Peer) -> str | None:
    """Why a peer cannot be measured here and what would help; None when it can."""
    missing = [package for module, package in peer.packages.items() if find_spec(module) is None]
    if missing:
        packages = ", ".join(missing)
        return f"{peer.title} is skipped: not installed: {packages} (pip install 'saga_choreography[peers]')"
    program = peer.missing_program()
    return None if program is None else f"{peer.title} is skipped: {program}"


def opened(name: str, directory: Path) -> AbstractContextManager[Start]:
    """Open a peer with its stores in a directory."""
    module = import_module(PEERS[name].module)
    peer: AbstractContextManager[Start] = module.opened(directory)
    return peer


def clock(name: str) -> Clock:
    """Counts the processor time of a peer, that of its servers included."""
    if not PEERS[name].servers:
        return time.process_time
    of_tree: Clock = import_module("bench.peers.process_tree").cpu_seconds
    return of_tree
