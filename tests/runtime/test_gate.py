"""What is wrong with a participant is found when it is started, not at its first saga."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

import pytest
from attrs import frozen

from saga_choreography import (
    Saga,
    SagaActor,
    SagaContext,
    SagaSystem,
    Step,
    StepOutput,
    WorkflowError,
)


@frozen
class Order:
    size: int


@frozen
class Watched:
    when_done: Callable[[], None]


@frozen
class Cancel:
    number: int


In = TypeVar("In")
Out = TypeVar("Out")
Undo = TypeVar("Undo")

ORDER = Saga("order", Order)


def faults_of(path: Path, actor_class: type[SagaActor[In, Out, Undo]]) -> tuple[str, ...]:
    with SagaSystem(path) as system, pytest.raises(WorkflowError) as caught:
        system.start_actor(actor_class)
    return caught.value.faults


class Watcher(SagaActor[Order, Watched, None]):
    step = Step[Order, Watched]("watch", Watched, after=ORDER)

    def execute_step(self, context: SagaContext, step_input: Order) -> StepOutput[Watched, None]:
        raise NotImplementedError

    def compensate_step(self, context: SagaContext, undo: None) -> None:
        raise NotImplementedError


def test_an_output_that_cannot_be_stored_is_refused_with_its_path(tmp_path: Path) -> None:
    (fault,) = faults_of(tmp_path, Watcher)
    assert fault.startswith("output of step 'watch': Watched.when_done: collections.abc.Callable[[], None] cannot")


class Forgetful(SagaActor[Order, Order, Cancel]):
    step = cast("Step[Order, Order, Cancel]", Step[Order, Order]("place", Order, after=ORDER))  # a checker would see it

    def execute_step(self, context: SagaContext, step_input: Order) -> StepOutput[Order, Cancel]:
        raise NotImplementedError

    def compensate_step(self, context: SagaContext, undo: Cancel) -> None:
        raise NotImplementedError


class Heir(Forgetful):
    """Says nothing about its types itself."""


@pytest.mark.parametrize("actor_class", [Forgetful, Heir])
def test_undo_data_that_the_token_does_not_declare_is_refused(
    tmp_path: Path, actor_class: type[SagaActor[Order, Order, Cancel]]
) -> None:
    name = actor_class.__name__
    assert faults_of(tmp_path, actor_class) == (
        f"step 'place' declares no undo data, but {name} gives Cancel: give the token undo=Cancel",
    )


class Wasteful(SagaActor[Order, Order, None]):
    step = cast("Step[Order, Order, None]", Step[Order, Order, Cancel]("place", Order, after=ORDER, undo=Cancel))

    def execute_step(self, context: SagaContext, step_input: Order) -> StepOutput[Order, None]:
        raise NotImplementedError

    def compensate_step(self, context: SagaContext, undo: None) -> None:
        raise NotImplementedError


def test_undo_data_that_the_participant_does_not_give_is_refused(tmp_path: Path) -> None:
    assert faults_of(tmp_path, Wasteful) == ("step 'place' declares undo data Cancel, but Wasteful gives none",)
