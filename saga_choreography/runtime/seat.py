"""An initiator's place in its system: admission, the start gate, and handles on its sagas."""

import threading
import time
from typing import Final, final

from typing_extensions import TypeVar

from saga_choreography.errors import SagaBackpressure, SagaError
from saga_choreography.helpers.admission import Admission
from saga_choreography.helpers.watch import Watches
from saga_choreography.runtime.gate import StartGate
from saga_choreography.runtime.handle import SagaHandle
from saga_choreography.runtime.registry import Registry
from saga_choreography.traits.workflow import SagaWorkflow
from saga_choreography.types import PeerId, SagaId

P = TypeVar("P")

_LOOK_SECONDS: Final = 0.25


@final
class Seat:
    """Outlives the incarnations of its actor."""

    def __init__(self, peer_id: PeerId, gate: StartGate, registry: Registry, max_in_flight: int | None) -> None:
        self.admission: Admission = Admission(peer_id, max_in_flight)
        self.watches: Watches = Watches()
        self._gate = gate
        self._registry = registry

    def check(self, workflow: SagaWorkflow[P]) -> None:
        self._gate.check(workflow)

    def enter(self, saga_id: SagaId, timeout: float, stopping: threading.Event) -> None:
        """Take a place for a saga, waiting at most `timeout` seconds, and no longer than the system runs.

        Raises:
            SagaBackpressure: no place came free.
            SagaError: the system stops.
        """
        deadline = time.monotonic() + timeout
        while True:
            left = max(0.0, deadline - time.monotonic())
            try:
                self.admission.enter(saga_id, min(left, _LOOK_SECONDS))
            except SagaBackpressure as full:
                if stopping.is_set():
                    raise SagaError("the SagaSystem is stopping; nothing was started") from full
                if left <= _LOOK_SECONDS:
                    raise SagaBackpressure(full.initiator, full.limit, int(timeout * 1000)) from None
            else:
                return

    def handle(self, saga_id: SagaId) -> SagaHandle:
        return SagaHandle(saga_id, self.watches.of(saga_id), self._registry)
