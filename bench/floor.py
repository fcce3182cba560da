"""The floor: what the same work costs without the library.

A bare program with the same actors (a starter, three workers and the one that fans events out), the same inboxes, the
same hops between them, the same LMDB environments, tables, rows and row sizes, and the same natural group commit:
whoever finds more in its mailbox takes all of it into one transaction. A worker commits that it was triggered and
starts in the turn of the trigger, what it gives in the next commit, and that the saga has ended when it hears so; the
starter commits the start and the end. It knows nothing of sagas: no state, no codec, no retry, no undo, no check, no
recovery. Rows are constant bytes; tests/bench/test_floor.py holds their number and sizes against the library's.

Ids are the library's own, which sort by time. Random ids, which nobody has to use, would touch other pages of every
table with each row: they make the floor slower, and the library beside it look better than it is.
"""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final, TypeAlias

import lmdb
import pykka
from typing_extensions import override

from bench.drive import Start, Wait
from bench.floor_rows import ACCEPTED, LIVE, MARKED, OUTCOME, RESOLVED, STEPS, TABLES, finished_key
from saga_choreography.types import new_saga_id

Row: TypeAlias = tuple[str, bytes, bytes | None]
"""Table, key, value; None deletes."""
Ref: TypeAlias = pykka.ActorRef[Any]

_FLUSH: Final = object()


class Bare(pykka.ThreadingActor):
    """An actor with the inbox that the library gives to its own."""

    use_daemon_thread = True

    @staticmethod
    def _create_actor_inbox() -> "SimpleQueue[Any]":
        return SimpleQueue()


class Journaled(Bare):
    """An actor with a store: collects what arrives, acts on all of it, commits once, then tells."""

    def __init__(self, path: Path, stream: Ref | None) -> None:
        super().__init__()
        path.mkdir(parents=True)
        self._env = lmdb.open(str(path), map_size=1 << 30, max_dbs=len(TABLES), max_spare_txns=2)
        self._tables = {name: self._env.open_db(name.encode()) for name in TABLES}
        self._stream = stream
        self._inbox: list[Any] = []
        self._flush_is_coming = False
        self.rows: list[Row] = []
        self.told: list[Any] = []

    @override
    def on_receive(self, message: Any) -> None:
        if message is _FLUSH:
            self._flush_is_coming = False
            self._turn()
            return
        self._inbox.extend(message)
        if self._flush_is_coming:
            return
        if self.actor_ref.actor_inbox.empty():
            self._turn()
        else:
            self._flush_is_coming = True
            self.actor_ref.tell(_FLUSH)

    def _turn(self) -> None:
        inbox, self._inbox = self._inbox, []
        self.act(inbox)
        self.commit()

    def act(self, inbox: list[Any]) -> None:
        """Take what has arrived."""
        raise NotImplementedError

    def commit(self) -> None:
        """Write everything, then tell everything."""
        if self.rows:
            puts: dict[str, list[tuple[bytes, bytes]]] = {}
            gone: list[tuple[str, bytes]] = []
            for table, key, value in self.rows:
                if value is None:
                    gone.append((table, key))
                else:
                    puts.setdefault(table, []).append((key, value))
            with self._env.begin(write=True) as txn:
                for table, rows in puts.items():
                    with txn.cursor(db=self._tables[table]) as cursor:
                        cursor.putmulti(rows)
                for table, key in gone:
                    txn.delete(key, db=self._tables[table])
            self.rows = []
        if self.told:
            told, self.told = self.told, []
            if self._stream is not None:
                self._stream.tell(told)

    @override
    def on_stop(self) -> None:
        self._turn()
        self._env.close()


class Worker(Journaled):
    """One step: trigger and start in one commit, complete in the next, end when the saga has ended."""

    def __init__(self, path: Path, stream: Ref | None, number: int) -> None:
        super().__init__(path, stream)
        self._number = number
        self._step = STEPS[number - 1]

    @override
    def act(self, inbox: list[Any]) -> None:
        step = self._step
        begun = [saga for kind, saga in inbox if kind != "end"]
        for kind, saga in inbox:
            if kind == "end":
                self.rows += (
                    ("records", saga + b"\0\0\0\4", step.ended_record),
                    ("live", saga, None),
                    ("ended", saga, step.ended),
                    ("finished", finished_key(saga), b""),
                )
        for saga in begun:
            self.rows += (
                ("records", saga + b"\0\0\0\1", step.triggered),
                ("records", saga + b"\0\0\0\2", step.started),
                ("live", saga, LIVE),
                ("marks", saga + step.mark, MARKED),
            )
        if not begun:
            return
        self.commit()
        for saga in begun:
            self.rows += (("records", saga + b"\0\0\0\3", step.completed), ("live", saga, LIVE))
            self.told.append((("completed", self._number), saga))


class Starter(Journaled):
    """Accepts sagas and finds that they have ended."""

    def __init__(self, path: Path, stream: Ref | None) -> None:
        super().__init__(path, stream)
        self._waiting: dict[bytes, threading.Event] = {}
        self._acknowledge: list[threading.Event] = []

    @override
    def act(self, inbox: list[Any]) -> None:
        for kind, what in inbox:
            if kind == "start":
                saga, accepted, ended = what
                self._waiting[saga] = ended
                self._acknowledge.append(accepted)
                self.rows += (("records", saga + b"\0\0\0\1", ACCEPTED), ("live", saga, LIVE))
                self.told.append((("started", 0), saga))
            elif kind == ("completed", 3):
                self.rows += (
                    ("records", what + b"\0\0\0\2", RESOLVED),
                    ("live", what, None),
                    ("ended", what, OUTCOME),
                    ("finished", finished_key(what), b""),
                )
                self.told.append((("ended", 0), what))

    @override
    def commit(self) -> None:
        told = self.told
        super().commit()
        acknowledge, self._acknowledge = self._acknowledge, []
        for accepted in acknowledge:
            accepted.set()
        for (kind, _), saga in told:
            if kind == "ended":
                self._waiting.pop(saga).set()


class Stream(Bare):
    """Fans out: one message a recipient and batch."""

    def __init__(self) -> None:
        super().__init__()
        self.starter: Ref | None = None
        self.workers: list[Ref] = []

    @override
    def on_receive(self, message: Any) -> None:
        if isinstance(message, tuple):
            self.starter, self.workers = message
            return
        batches: dict[Ref, list[Any]] = {}
        for event in message:
            for ref in self._recipients(event[0]):
                batches.setdefault(ref, []).append(event if event[0] != ("ended", 0) else ("end", event[1]))
        for ref, events in batches.items():
            ref.tell(events)

    def _recipients(self, kind: tuple[str, int]) -> Iterable[Ref]:
        what, number = kind
        if what == "ended":
            return self.workers
        if what == "started":
            return self.workers[:1]
        assert self.starter is not None
        return (*self.workers[number : number + 1], self.starter)


@contextmanager
def floor(directory: Path) -> Iterator[Start]:
    """The bare program."""
    stream = Stream.start()
    starter = Starter.start(directory / "floor" / "starter", stream)
    workers = [Worker.start(directory / "floor" / str(number), stream, number) for number in (1, 2, 3)]
    stream.tell((starter, workers))

    def start(_: int) -> Wait:
        accepted, ended = threading.Event(), threading.Event()
        starter.tell([("start", (new_saga_id().bytes, accepted, ended))])
        accepted.wait()

        def wait() -> None:
            ended.wait()

        return wait

    in_order: tuple[Ref, ...] = (starter, stream, *workers)  # whoever tells is done before who is told
    try:
        yield start
    finally:
        for ref in in_order:
            _ = ref.stop()
