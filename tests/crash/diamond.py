"""A diamond of steps whose every attempt goes well or badly as its key says, and a ledger that outlives the process.

    left  \\
root       > join
    right /
"""

import json
import os
from hashlib import blake2b
from pathlib import Path
from uuid import UUID

from attrs import frozen

from saga_choreography import (
    AmbiguousStepError,
    RetryableStepError,
    RetryPolicy,
    SafeToRetryCompensationError,
    Saga,
    SagaActor,
    SagaContext,
    SagaId,
    SagaWorkflow,
    Step,
    StepOutput,
    TerminalStepError,
    all_of,
)

QUICK = RetryPolicy(max_attempts=4, initial_delay_millis=1, max_delay_millis=20)
PATIENT = RetryPolicy(max_attempts=1000, initial_delay_millis=1, max_delay_millis=20)


@frozen
class Order:
    number: int


@frozen
class Made:
    by: str


ORDER = Saga("diamond", Order)


def _step_after_order(name: str) -> Step[Order, Made, Made]:
    return Step[Order, Made, Made](
        name, Made, after=ORDER, undo=Made, retry=QUICK, compensation_retry=PATIENT, in_doubt_attempts=1000
    )


def _step_after(name: str, before: Step[Order, Made, Made]) -> Step[Made, Made, Made]:
    return Step[Made, Made, Made](
        name, Made, after=before, undo=Made, retry=QUICK, compensation_retry=PATIENT, in_doubt_attempts=1000
    )


ROOT = _step_after_order("root")
LEFT = _step_after("left", ROOT)
RIGHT = _step_after("right", ROOT)
JOIN = Step[tuple[Made, Made], Made, Made](
    "join",
    Made,
    after=all_of(LEFT, RIGHT),
    undo=Made,
    retry=QUICK,
    compensation_retry=PATIENT,
    in_doubt_attempts=1000,
)
DIAMOND = SagaWorkflow(ORDER, steps=(ROOT, LEFT, RIGHT, JOIN))
DEPENDENTS = {"root": ("left", "right"), "left": ("join",), "right": ("join",), "join": ()}


def saga_number(number: int) -> SagaId:
    """The id of the saga with a number, the same in every process."""
    return SagaId(UUID(int=(1 << 100) + number))


def fate(what: str, saga_id: SagaId, attempt: int) -> int:
    """A number from 0 to 99 that decides how an attempt goes."""
    text = f"{what}/{saga_id.int}/{attempt}"
    return blake2b(text.encode(), digest_size=2).digest()[0] * 100 // 256


class Ledger:
    """What happened outside: one line an effect, written before the process can know whether it will live on."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def note(self, what: str, step: str, context: SagaContext) -> None:
        line = json.dumps([context.saga_id.int, what, step, context.idempotency_key]) + "\n"
        os.write(self._file, line.encode())


def act(ledger: Ledger, step: str, context: SagaContext) -> StepOutput[Made, Made]:
    """One attempt of a step: before the effect, after it, or not at all, it may go wrong.

    A step is refused in all of its attempts or in none: to refuse one that had its effect would be a lie.
    """
    if fate(step, context.saga_id, 0) < 4:
        raise TerminalStepError("out of luck")
    luck = fate(step, context.saga_id, context.attempt)
    if luck < 9:
        raise RetryableStepError("not now")
    ledger.note("do", step, context)
    if luck < 14:
        raise AmbiguousStepError("done, or not?")
    if luck < 19:
        raise OSError("done, and then this")
    return StepOutput(Made(step), Made(step))


def undo(ledger: Ledger, step: str, context: SagaContext) -> None:
    """One attempt of an undo."""
    luck = fate("undo " + step, context.saga_id, context.attempt)
    if luck < 10:
        raise SafeToRetryCompensationError("not now")
    ledger.note("undo", step, context)
    if luck < 15:
        raise OSError("undone, and then this")


class Root(SagaActor[Order, Made, Made]):
    step = ROOT

    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        self.ledger = ledger

    def execute_step(self, context: SagaContext, step_input: Order) -> StepOutput[Made, Made]:
        return act(self.ledger, "root", context)

    def compensate_step(self, context: SagaContext, undo_data: Made) -> None:
        undo(self.ledger, "root", context)


class Left(SagaActor[Made, Made, Made]):
    step = LEFT

    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        self.ledger = ledger

    def execute_step(self, context: SagaContext, step_input: Made) -> StepOutput[Made, Made]:
        return act(self.ledger, self.step.name, context)

    def compensate_step(self, context: SagaContext, undo_data: Made) -> None:
        undo(self.ledger, self.step.name, context)


class Right(Left):
    step = RIGHT


class Join(SagaActor[tuple[Made, Made], Made, Made]):
    step = JOIN

    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        self.ledger = ledger

    def execute_step(self, context: SagaContext, step_input: tuple[Made, Made]) -> StepOutput[Made, Made]:
        assert step_input == (Made("left"), Made("right"))
        return act(self.ledger, "join", context)

    def compensate_step(self, context: SagaContext, undo_data: Made) -> None:
        undo(self.ledger, "join", context)
