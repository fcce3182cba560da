"""An actor that starts a saga again learns at once how it has ended: the hook may have died with the program."""

from pathlib import Path
from typing import final
from uuid import UUID

import pykka
from attrs import frozen

from saga_choreography import (
    Saga,
    SagaActor,
    SagaCompleted,
    SagaContext,
    SagaEvent,
    SagaHandle,
    SagaId,
    SagaInitiator,
    SagaSystem,
    SagaWorkflow,
    Step,
    StepOutput,
    handle_saga_event,
)

SAGA = SagaId(UUID(int=7))


@frozen
class Word:
    text: str


GREETING = Saga("greeting", Word)
GREET = Step[Word, Word]("greet", Word, after=GREETING)
WORKFLOW = SagaWorkflow(GREETING, steps=(GREET,))


class Greeter(SagaActor[Word, Word, None]):
    step = GREET

    def execute_step(self, context: SagaContext, step_input: Word) -> StepOutput[Word, None]:
        return StepOutput(Word(f"hello {step_input.text}"), None)

    def compensate_step(self, context: SagaContext, undo_data: None) -> None:
        raise AssertionError("a greeting is not undone")


@final
@frozen
class Begin:
    """Ask the host to start the greeting, or to start it again."""


class Host(SagaInitiator, pykka.ThreadingActor):
    def on_receive(self, message: object) -> SagaHandle | None:
        if isinstance(message, SagaEvent):
            handle_saga_event(self, message.event)
            return None
        return self.start_saga(WORKFLOW, Word("world"), saga_id=SAGA)


def _begin(system: SagaSystem) -> SagaHandle:
    handle = system.refs(Host)[0].ask(Begin(), timeout=30)
    assert isinstance(handle, SagaHandle)
    return handle


def _system(path: Path) -> SagaSystem:
    system = SagaSystem(path)
    system.start_actor(Greeter)
    system.start_actor(Host)
    return system


def test_the_handle_of_an_ended_saga_knows_its_outcome_when_the_saga_is_started_again(tmp_path: Path) -> None:
    with _system(tmp_path) as system:
        assert isinstance(_begin(system).result(30), SagaCompleted)
    with _system(tmp_path) as system:
        assert isinstance(_begin(system).outcome(), SagaCompleted)
