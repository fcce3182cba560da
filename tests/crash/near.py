"""The ledger in the program's own process, for tests that kill nobody; planted faults make it, or its user, lie."""

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import final

from attrs import evolve, frozen

from saga_choreography import Durability, SagaId
from saga_choreography.helpers.fault_points import nothing_happens
from tests.crash.book import Book
from tests.crash.ending import end_all
from tests.crash.evidence import Evidence, SagaStory
from tests.crash.ledger_lines import ENDED, Answer, Line, Op, Request, Standing, What
from tests.crash.outside import Outside
from tests.crash.program import open_system, start_in_lane


@final
class NearLedger:
    """One book behind a lock; orders end on timer threads."""

    def __init__(self) -> None:
        self._book = Book()
        self._changed = threading.Condition()
        self.lines: list[Line] = []

    def ask(self, request: Request) -> Answer:
        with self._changed:
            answer = self._book.handle(request, 0)
            self._taken()
        if request.op is Op.SUBMIT and answer.standing is Standing.PENDING:
            timer = threading.Timer(request.after / 1000, self._end_orders, (request.after,))
            timer.daemon = True
            timer.start()
        return answer

    def watch(self, key: str, on_end: Callable[[Standing], None]) -> None:
        def wait() -> None:
            with self._changed:
                self._changed.wait_for(lambda: self._book.standing(key) in ENDED, 60)
                standing = self._book.standing(key)
            on_end(standing)

        threading.Thread(target=wait, daemon=True).start()

    def acknowledged(self) -> list[int]:
        with self._changed:
            return [line.saga for line in self.lines if line.what is What.ACK]

    def _end_orders(self, due_millis: int) -> None:
        with self._changed:
            self._book.end_orders(due_millis)
            self._taken()

    def _taken(self) -> None:
        self.lines += self._book.take_lines()
        self._changed.notify_all()


@final
@frozen(kw_only=True)
class NearRun:
    """What came of a run: the stories are all read."""

    stories: Mapping[SagaId, SagaStory]
    lines: Sequence[Line]
    live: Sequence[tuple[str, SagaId]]


def run_near(path: Path, sagas: int, between: Callable[[Outside], Outside]) -> NearRun:
    """Run some sagas of every type to their end in this process. `between` stands between participants and ledger."""
    ledger = NearLedger()
    outside = between(ledger)
    with open_system(path, outside, Durability.PROCESS, nothing_happens) as system:
        start_in_lane(system, outside, 0, lambda _: None, up_to=sagas)
        told = end_all(system, outside, ledger.acknowledged)
    with Evidence(path, ledger.lines, told, ledger.acknowledged()) as evidence:
        stories = {story.saga_id: story for story in evidence.stories()}
        return NearRun(stories=stories, lines=ledger.lines, live=evidence.live)


@final
class ForgetfulUndo:
    """Says that an effect is undone, and leaves it."""

    def __init__(self, ledger: Outside) -> None:
        self._ledger = ledger

    def ask(self, request: Request) -> Answer:
        return Answer(Standing.UNDONE) if request.op is Op.UNDO else self._ledger.ask(request)

    def watch(self, key: str, on_end: Callable[[Standing], None]) -> None:
        self._ledger.watch(key, on_end)


@final
class KeyPerAttempt:
    """Sends another key with every attempt, as a program does that makes its keys itself."""

    def __init__(self, ledger: Outside) -> None:
        self._ledger = ledger

    def ask(self, request: Request) -> Answer:
        if request.op is Op.DO and request.attempt > 1:
            return self._ledger.ask(evolve(request, key=f"{request.key}-{request.attempt}"))
        return self._ledger.ask(request)

    def watch(self, key: str, on_end: Callable[[Standing], None]) -> None:
        self._ledger.watch(key, on_end)


@final
class LostEffect:
    """Answers "done" to the first request of a step and forgets it."""

    def __init__(self, ledger: Outside, step: str) -> None:
        self._ledger = ledger
        self._step = step

    def ask(self, request: Request) -> Answer:
        if request.op is Op.DO and request.step == self._step:
            return Answer(Standing.DONE)
        return self._ledger.ask(request)

    def watch(self, key: str, on_end: Callable[[Standing], None]) -> None:
        self._ledger.watch(key, on_end)
