"""The façade: what a user imports, and what the import costs."""

import subprocess
import sys

import saga_choreography

PROMISED = [
    "SagaId",
    "SagaContext",
    "PeerId",
    "IdempotencyKey",
    "ParticipantState",
    "SagaStateEntry",
    "Idle",
    "Triggered",
    "Executing",
    "Completed",
    "Failed",
    "Compensating",
    "Compensated",
    "Quarantined",
    "StepState",
    "IllegalTransition",
    "SagaChoreographyEvent",
    "SagaStarted",
    "StepStarted",
    "StepCompleted",
    "StepFailed",
    "StepAck",
    "CompensationRequested",
    "CompensationStarted",
    "CompensationCompleted",
    "CompensationFailed",
    "SagaCompleted",
    "SagaFailed",
    "SagaQuarantined",
    "ParticipantEvent",
    "TimestampedEvent",
    "StepOutput",
    "StepPending",
    "StepError",
    "TerminalStepError",
    "CompensationRequiredError",
    "RetryableStepError",
    "AmbiguousStepError",
    "CompensationError",
    "SafeToRetryCompensationError",
    "AmbiguousCompensationError",
    "TerminalCompensationError",
    "SagaParticipant",
    "SagaStateExt",
    "SagaActor",
    "InDoubt",
    "RetryPolicy",
    "DependencySpec",
    "Saga",
    "Step",
    "all_of",
    "any_of",
    "SagaWorkflow",
    "ParticipantJournal",
    "ParticipantDedupeStore",
    "InMemoryJournal",
    "InMemoryDedupe",
    "LmdbJournal",
    "LmdbDedupe",
    "Durability",
    "ParticipantStats",
    "ParticipantStatsSnapshot",
    "SagaObserver",
    "handle_saga_event",
    "execute_step_wrapper",
    "compensate_wrapper",
    "recover_sagas",
    "EventStream",
    "SagaSystem",
    "SagaHandle",
    "SagaInitiator",
    "SagaIdConflict",
    "SagaBackpressure",
    "StoreLocked",
    "StoreFull",
    "WorkflowError",
]


def test_every_promised_name_is_there() -> None:
    missing = [name for name in PROMISED if not hasattr(saga_choreography, name)]
    assert missing == []


def test_all_lists_every_export_once_and_nothing_else() -> None:
    public = {
        name
        for name, value in vars(saga_choreography).items()
        if not name.startswith("_") and type(value).__name__ != "module"
    }
    assert sorted(public) == sorted(saga_choreography.__all__)
    assert len(set(saga_choreography.__all__)) == len(saga_choreography.__all__)


def test_the_import_pulls_in_no_extra() -> None:
    program = "import sys, saga_choreography; print(sorted(sys.modules))"
    printed = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    for extra in ("rich", "websockets", "pytest", "hypothesis", "deribit_example"):
        assert f"'{extra}'" not in printed
