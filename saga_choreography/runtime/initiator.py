"""`SagaInitiator`: an actor that starts sagas and hears of their outcomes."""

from concurrent.futures import Future
from typing import Protocol

from typing_extensions import TypeVar

from saga_choreography.codec import payload_codec
from saga_choreography.errors import NotAttached
from saga_choreography.events import SagaCompleted, SagaFailed, SagaQuarantined
from saga_choreography.helpers.admission import Admission
from saga_choreography.helpers.initiating import InitiatorEngine
from saga_choreography.helpers.signals import StartRequest
from saga_choreography.runtime.handle import SagaHandle
from saga_choreography.traits.state_ext import ActorMixin
from saga_choreography.traits.workflow import SagaWorkflow
from saga_choreography.types import SagaId, new_saga_id, next_birth

Payload = TypeVar("Payload")


class InitiatorSeat(Protocol):
    """An initiator's place in its system."""

    @property
    def admission(self) -> Admission: ...

    def check(self, workflow: SagaWorkflow[Payload]) -> None:
        """The start gate.

        Raises:
            WorkflowError: steps are unbound, or bound differently; every fault is listed.
        """
        ...

    def handle(self, saga_id: SagaId) -> SagaHandle: ...


class SagaInitiator(ActorMixin):
    """Mixin, before `pykka.ThreadingActor`. The journal of its sagas lives in an LMDB environment of its own."""

    saga_seat: InitiatorSeat | None = None
    """Set when the actor joins a system."""

    def start_saga(
        self, workflow: SagaWorkflow[Payload], payload: Payload, *, saga_id: SagaId | None = None
    ) -> SagaHandle:
        """Start a saga from this actor's own thread. When this returns, it survives the end of the process.

        The same id and payload again give the same saga.

        Raises:
            WorkflowError: the workflow is not what the started participants declare.
            PayloadError: the payload is not of the saga's class.
            SagaIdConflict: the id was used for something else.
            SagaBackpressure: `max_in_flight` sagas are live; an actor never waits for a place.
            NotAttached: the actor has not joined a system.
        """
        seat, engine = self._joined()
        seat.check(workflow)
        codec = payload_codec(workflow.saga.gives)
        encoded = codec.encode(payload, f"payload of saga type {workflow.saga.name!r}")
        reply: Future[None] = Future()
        birth = 0 if saga_id is not None else next_birth()
        request = StartRequest(saga_id or new_saga_id(), workflow.plan, encoded, reply, birth, codec.renewed)
        handle = seat.handle(request.saga_id)
        seat.admission.enter(request.saga_id, 0)
        try:
            engine.start_now(request)
        except BaseException:
            # This actor is about to end. If the start is committed after all, its successor takes the place again.
            seat.admission.leave(request.saga_id)
            raise
        reply.result(0)
        return handle

    def live_sagas(self, workflow: SagaWorkflow[Payload]) -> list[tuple[SagaId, Payload]]:
        """Id and payload of every live saga of one type that this actor started; its own thread only."""
        _, engine = self._joined()
        codec = payload_codec(workflow.saga.gives)
        return [
            (entry.origin.saga_id, codec.decode(entry.payload, f"payload of saga {entry.origin.saga_id}"))
            for entry in engine.live()
            if entry.origin.saga_type == workflow.saga.name
        ]

    def on_sagas_recovered(self) -> None:
        """Hook: this actor (re)joined a system; `live_sagas` says what is in flight. What it raises is reported."""

    def on_saga_outcome(self, outcome: SagaCompleted | SagaFailed | SagaQuarantined, /) -> None:
        """Hook: a saga ended, or was parked; committed before. Runs at least once unless the process dies just then.

        What it raises is reported and changes nothing.
        """

    def _joined(self) -> tuple[InitiatorSeat, InitiatorEngine]:
        engine = next((engine for engine in self.saga_engines if isinstance(engine, InitiatorEngine)), None)
        if self.saga_seat is None or engine is None:
            name = type(self).__name__
            raise NotAttached(f"{name} has not joined a SagaSystem: start it with system.start_actor()")
        return self.saga_seat, engine


def hears_outcomes(actor_class: type[SagaInitiator]) -> bool:
    """Whether a class overrides the hook of outcomes."""
    return actor_class.on_saga_outcome is not SagaInitiator.on_saga_outcome
