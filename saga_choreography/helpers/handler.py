"""`handle_saga_event`: the one call that wires a saga actor, and the two that end a pending step."""

from typing import cast

from typing_extensions import TypeVar

from saga_choreography.errors import NotAttached
from saga_choreography.helpers.engine import Engine
from saga_choreography.helpers.host import HasEngines
from saga_choreography.helpers.participant import ParticipantEngine
from saga_choreography.helpers.signals import Attach, Detach, SagaSignal
from saga_choreography.protocol.stimuli import Raised, StepRaised
from saga_choreography.traits.outcomes import StepOutput
from saga_choreography.traits.participant import SagaParticipant
from saga_choreography.types import SagaId

In = TypeVar("In")
Out = TypeVar("Out")
Undo = TypeVar("Undo")


def handle_saga_event(actor: HasEngines, event: SagaSignal) -> None:
    """Act on a saga event. Call it on the actor's thread, with whatever `SagaEvent` carried.

    Raises:
        StoreError: the actor's store is broken. Let it escape: the actor ends and is restarted from its journal.
    """
    match event:
        case Attach():
            try:
                event.attach(actor)
            except Exception as error:
                event.ready.set_exception(error)
            else:
                event.ready.set_result(None)
        case Detach():
            try:
                for engine in engines_of(actor):
                    engine.detach()
            finally:
                event.done.set_result(None)
        case _:
            for engine in engines_of(actor):
                engine.receive(event)


def engines_of(actor: HasEngines) -> tuple[Engine, ...]:
    """The machinery of an actor that has joined a system; empty before."""
    # Only joining a system sets them; asking each one what it is costs more than anything else done for a signal here.
    return cast("tuple[Engine, ...]", actor.saga_engines)


def complete_pending(
    participant: SagaParticipant[In, Out, Undo], saga_id: SagaId, output: StepOutput[Out, Undo]
) -> None:
    """End a pending step: it has its effect. Call it on the actor's thread; a repeat changes nothing.

    Raises:
        UnknownSaga: no live saga of this id is known to this actor.
        ResolutionRefused: the step is quarantined: only an operator can end it.
        PayloadError: the output does not fit the step's declared classes.
        NotAttached: the actor has not joined a system.
    """
    engine = _engine(participant)
    engine.finish_pending(saga_id, engine.encode_output(saga_id, output))


def fail_pending(participant: SagaParticipant[In, Out, Undo], saga_id: SagaId, reason: str) -> None:
    """End a pending step: it failed and left no lasting effect. Call it on the actor's thread.

    Raises:
        UnknownSaga: no live saga of this id is known to this actor.
        ResolutionRefused: the step is quarantined: only an operator can end it.
        NotAttached: the actor has not joined a system.
    """
    _engine(participant).finish_pending(saga_id, StepRaised(Raised.NO_EFFECT, reason))


def recover_sagas(actor: HasEngines) -> list[SagaId]:
    """Rebuild what was in flight from the journals; returns the ids of all live sagas. Repeating it changes nothing.

    Joining a system does this already.
    """
    found: list[SagaId] = []
    for engine in engines_of(actor):
        found += [saga_id for saga_id in engine.recover() if saga_id not in found]
    return found


def _engine(participant: SagaParticipant[In, Out, Undo]) -> ParticipantEngine[In, Out, Undo]:
    for engine in getattr(participant, "saga_engines", ()):
        if isinstance(engine, ParticipantEngine):
            return engine
    raise NotAttached(f"{type(participant).__name__} has not joined a SagaSystem: start it with system.start_actor()")
