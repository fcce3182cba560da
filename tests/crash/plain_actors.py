"""Participants whose every step is one request to the ledger. Some serve a step of several saga types."""

from typing import final

from attrs import frozen
from typing_extensions import TypeVar

from saga_choreography import NothingToUndo, RetryableStepError, SagaActor, SagaContext, StepOutput
from tests.crash.fates import act, fate, undo
from tests.crash.outside import Outside
from tests.crash.tokens import (
    BEGIN,
    BILL,
    CHECK,
    CLOSE,
    CONFIRM,
    END,
    FAST,
    FINISH,
    FIVE,
    FOUR,
    JOIN,
    LEFT,
    ONE,
    PREPARE,
    PRICE,
    RESERVE,
    RIGHT,
    ROOT,
    SHIP,
    SLOW,
    START,
    THREE,
    TWO,
    WINNER,
    Made,
    Order,
    Price,
)

In = TypeVar("In")
Out = TypeVar("Out")
Undo = TypeVar("Undo")


@final
@frozen
class CountLive:
    """Ask an actor how many sagas it holds."""


class Counting(SagaActor[In, Out, Undo]):
    """Knows the ledger, and answers `CountLive`."""

    def __init__(self, outside: Outside) -> None:
        super().__init__()
        self.outside = outside

    def on_message(self, message: object) -> object:
        if isinstance(message, CountLive):
            return len(self.saga_states)
        return super().on_message(message)


class Plain(Counting[In, Made, Made]):
    """One request to do it, one to undo it."""

    def execute_step(self, context: SagaContext, step_input: In) -> StepOutput[Made, Made]:
        made = act(self.outside, context)
        return StepOutput(made, made)

    def compensate_step(self, context: SagaContext, undo_data: Made) -> None:
        undo(self.outside, context, undo_data.key)


class Opener(Plain[Order]):
    steps = (ROOT, ONE, FAST, START, RESERVE, CHECK, PREPARE, BEGIN)


class Slow(Plain[Order]):
    steps = (SLOW,)


class Left(Plain[Made]):
    steps = (LEFT, TWO, BILL)


class Right(Plain[Made]):
    steps = (RIGHT, THREE, WINNER, CONFIRM, CLOSE)


class Fourth(Plain[Made]):
    steps = (FOUR, FINISH, END)


class Fifth(Plain[Made]):
    step = FIVE


class Join(Plain[tuple[Made, Made]]):
    step = JOIN

    def execute_step(self, context: SagaContext, step_input: tuple[Made, Made]) -> StepOutput[Made, Made]:
        assert [made.by for made in step_input] == ["left", "right"]
        return super().execute_step(context, step_input)


class Pricer(NothingToUndo, Counting[Made, Price, None]):
    """A pure step: no request, nothing to undo."""

    step = PRICE

    def execute_step(self, context: SagaContext, step_input: Made) -> StepOutput[Price, None]:
        luck = fate(context.step_name, context.saga_id, context.attempt)
        if luck < 50:
            raise RetryableStepError("not now")
        return StepOutput(Price(luck), None)


class Shipper(Counting[Price, Made, None]):
    """Started with two shards; its undo needs no data."""

    step = SHIP

    def execute_step(self, context: SagaContext, step_input: Price) -> StepOutput[Made, None]:
        return StepOutput(act(self.outside, context), None)

    def compensate_step(self, context: SagaContext, undo_data: None) -> None:
        undo(self.outside, context, context.idempotency_key.removesuffix("-undo") + "-do")
