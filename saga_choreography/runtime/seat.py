"""An initiator's place in its system: admission, the start gate, and handles on its sagas."""

from typing import final

from typing_extensions import TypeVar

from saga_choreography.helpers.admission import Admission
from saga_choreography.helpers.watch import Watches
from saga_choreography.runtime.gate import StartGate
from saga_choreography.runtime.handle import SagaHandle
from saga_choreography.runtime.registry import Registry
from saga_choreography.traits.workflow import SagaWorkflow
from saga_choreography.types import PeerId, SagaId

P = TypeVar("P")


@final
class Seat:
    """Outlives the incarnations of its actor."""

    def __init__(self, peer_id: PeerId, gate: StartGate, registry: Registry, max_in_flight: int | None) -> None:
        self.admission = Admission(peer_id, max_in_flight)
        self.watches = Watches()
        self._gate = gate
        self._registry = registry

    def check(self, workflow: SagaWorkflow[P]) -> None:
        self._gate.check(workflow)

    def handle(self, saga_id: SagaId) -> SagaHandle:
        return SagaHandle(saga_id, self.watches.of(saga_id), self._registry)
