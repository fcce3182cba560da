"""Errands: sagas whose first step waits for a word from outside, so that any number of them are live at once."""

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Final, final
from uuid import UUID

from attrs import frozen

from saga_choreography import (
    Durability,
    Saga,
    SagaActor,
    SagaContext,
    SagaId,
    SagaObserver,
    SagaSystem,
    SagaWorkflow,
    Step,
    StepOutput,
    StepPending,
    complete_pending,
)
from saga_choreography.runtime.system import DEFAULT_INITIATOR


@frozen
class Errand:
    """What a saga is given: about as much as a small order."""

    number: int
    whereto: str
    note: str


@frozen
class Fetched:
    number: int


@frozen
class Delivered:
    number: int


ERRAND: Final = Saga("errand", Errand)
FETCH: Final = Step[Errand, Fetched]("fetch", Fetched, after=ERRAND)
DELIVER: Final = Step[Fetched, Delivered]("deliver", Delivered, after=FETCH)
ERRANDS: Final = SagaWorkflow(ERRAND, steps=(FETCH, DELIVER))


def errand(number: int) -> Errand:
    return Errand(number, f"street {number}", "leave it at the door, please, and ring twice")


def errand_id(number: int) -> SagaId:
    """The id of the saga with a number, the same in every process."""
    return SagaId(UUID(int=(1 << 100) + number))


@final
@frozen
class Finish:
    """The errand is fetched: its pending step ends."""

    number: int


@final
@frozen
class CountLive:
    """Answer with the number of live entries."""


class Tally:
    """Counts, and wakes who waits for a number. Any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._numbers: set[int] = set()

    def add(self, number: int) -> None:
        with self._changed:
            self._numbers.add(number)
            self._changed.notify_all()

    def wait_for(self, count: int, seconds: float, what: str) -> None:
        """Return when so many different numbers were added."""
        with self._changed:
            enough = self._changed.wait_for(lambda: len(self._numbers) >= count, seconds)
            assert enough, f"only {len(self._numbers)} of {count} errands were {what} within {seconds} s"


class Errands:
    """What the actors do, counted by errand."""

    def __init__(self) -> None:
        self.waiting = Tally()
        self.fetched = Tally()
        self.delivered = Tally()


class Fetcher(SagaActor[Errand, Fetched, None]):
    """Its step pends until somebody tells `Finish`."""

    step = FETCH

    def __init__(self, errands: Errands) -> None:
        super().__init__()
        self.errands = errands

    def execute_step(self, context: SagaContext, step_input: Errand) -> StepPending:
        self.errands.waiting.add(step_input.number)
        return StepPending()

    def resume_pending(self, context: SagaContext, step_input: Errand) -> None:
        self.errands.waiting.add(step_input.number)

    def compensate_step(self, context: SagaContext, undo: None) -> None:
        raise AssertionError("no errand is undone")

    def on_saga_completed(self, context: SagaContext) -> None:
        self.errands.fetched.add(context.saga_id.int)

    def on_message(self, message: object) -> int:
        match message:
            case Finish(number):
                complete_pending(self, errand_id(number), StepOutput(Fetched(number), None))
            case CountLive():
                pass
            case _:
                raise TypeError(f"unknown message {message!r}")
        return len(self.saga_states)


class Deliverer(SagaActor[Fetched, Delivered, None]):
    """Its step returns at once."""

    step = DELIVER

    def __init__(self, errands: Errands) -> None:
        super().__init__()
        self.errands = errands

    def execute_step(self, context: SagaContext, step_input: Fetched) -> StepOutput[Delivered, None]:
        return StepOutput(Delivered(step_input.number), None)

    def compensate_step(self, context: SagaContext, undo: None) -> None:
        raise AssertionError("no errand is undone")

    def on_saga_completed(self, context: SagaContext) -> None:
        self.errands.delivered.add(context.saga_id.int)

    def on_message(self, message: object) -> int:
        assert isinstance(message, CountLive)
        return len(self.saga_states)


def open_system(path: Path, durability: Durability, observers: Iterable[SagaObserver] = ()) -> SagaSystem:
    return SagaSystem(path, durability=durability, observers=tuple(observers))


def live_by_actor(system: SagaSystem) -> dict[str, int]:
    """How many sagas each actor holds in memory; asked behind everything its mailbox holds now."""
    counts = {DEFAULT_INITIATOR: system._seats[DEFAULT_INITIATOR].admission.in_flight}
    for actor in (Fetcher, Deliverer):
        (ref,) = system.refs(actor)
        counts[actor.__name__] = int(ref.ask(CountLive(), block=True, timeout=300))
    return counts
