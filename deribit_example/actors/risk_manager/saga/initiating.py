"""The risk manager's saga role: it starts order sagas and hears how they end."""

from deribit_example.actors.risk_manager.business import RiskBook, RiskLimits, hold, release
from deribit_example.saga.types import OrderIntent
from saga_choreography import SagaCompleted, SagaFailed, SagaInitiator, SagaQuarantined, SagaWorkflow


class RiskManagerInitiating(SagaInitiator):
    """Keeps a hold for every live saga: taken at its start, freed on its outcome, rebuilt after a restart."""

    workflow: SagaWorkflow[OrderIntent]
    limits: RiskLimits
    book: RiskBook

    def on_sagas_recovered(self) -> None:
        """What was in flight before the restart is held again."""
        for saga_id, intent in self.live_sagas(self.workflow):
            self.book = hold(self.book, saga_id, intent)

    def on_saga_outcome(self, outcome: SagaCompleted | SagaFailed | SagaQuarantined) -> None:
        """Free the hold; a quarantined saga keeps it, for its order may still be open."""
        if isinstance(outcome, SagaQuarantined):
            return
        failed = isinstance(outcome, SagaFailed)
        self.book = release(self.book, outcome.saga_id, self.limits, outcome.at_millis, failed=failed)
