"""Durable, choreographed sagas on Pykka thread actors. Import everything from here; see README.md."""

from saga_choreography.codec import (
    stored_as as stored_as,
)
from saga_choreography.codec import (
    versioned as versioned,
)
from saga_choreography.errors import (
    ActorStartError as ActorStartError,
)
from saga_choreography.errors import (
    AmbiguousCompensationError as AmbiguousCompensationError,
)
from saga_choreography.errors import (
    AmbiguousStepError as AmbiguousStepError,
)
from saga_choreography.errors import (
    CompensationError as CompensationError,
)
from saga_choreography.errors import (
    CompensationRequiredError as CompensationRequiredError,
)
from saga_choreography.errors import (
    IllegalTransition as IllegalTransition,
)
from saga_choreography.errors import (
    NoReply as NoReply,
)
from saga_choreography.errors import (
    NotAttached as NotAttached,
)
from saga_choreography.errors import (
    PayloadError as PayloadError,
)
from saga_choreography.errors import (
    ResolutionRefused as ResolutionRefused,
)
from saga_choreography.errors import (
    RetryableStepError as RetryableStepError,
)
from saga_choreography.errors import (
    SafeToRetryCompensationError as SafeToRetryCompensationError,
)
from saga_choreography.errors import (
    SagaBackpressure as SagaBackpressure,
)
from saga_choreography.errors import (
    SagaError as SagaError,
)
from saga_choreography.errors import (
    SagaIdConflict as SagaIdConflict,
)
from saga_choreography.errors import (
    StepError as StepError,
)
from saga_choreography.errors import (
    StoreDamaged as StoreDamaged,
)
from saga_choreography.errors import (
    StoreError as StoreError,
)
from saga_choreography.errors import (
    StoreFull as StoreFull,
)
from saga_choreography.errors import (
    StoreLocked as StoreLocked,
)
from saga_choreography.errors import (
    StoreMisused as StoreMisused,
)
from saga_choreography.errors import (
    StoreVersionError as StoreVersionError,
)
from saga_choreography.errors import (
    TerminalCompensationError as TerminalCompensationError,
)
from saga_choreography.errors import (
    TerminalStepError as TerminalStepError,
)
from saga_choreography.errors import (
    UnknownSaga as UnknownSaga,
)
from saga_choreography.errors import (
    WorkflowError as WorkflowError,
)
from saga_choreography.events import (
    AckStatus as AckStatus,
)
from saga_choreography.events import (
    CompensationCompleted as CompensationCompleted,
)
from saga_choreography.events import (
    CompensationFailed as CompensationFailed,
)
from saga_choreography.events import (
    CompensationRequested as CompensationRequested,
)
from saga_choreography.events import (
    CompensationStarted as CompensationStarted,
)
from saga_choreography.events import (
    ParticipantEvent as ParticipantEvent,
)
from saga_choreography.events import (
    QuarantinedStep as QuarantinedStep,
)
from saga_choreography.events import (
    SagaChoreographyEvent as SagaChoreographyEvent,
)
from saga_choreography.events import (
    SagaCompleted as SagaCompleted,
)
from saga_choreography.events import (
    SagaFailed as SagaFailed,
)
from saga_choreography.events import (
    SagaQuarantined as SagaQuarantined,
)
from saga_choreography.events import (
    SagaStarted as SagaStarted,
)
from saga_choreography.events import (
    StepAck as StepAck,
)
from saga_choreography.events import (
    StepCompleted as StepCompleted,
)
from saga_choreography.events import (
    StepFailed as StepFailed,
)
from saga_choreography.events import (
    StepStarted as StepStarted,
)
from saga_choreography.events import (
    TimestampedEvent as TimestampedEvent,
)
from saga_choreography.helpers.execution import (
    compensate_wrapper as compensate_wrapper,
)
from saga_choreography.helpers.execution import (
    execute_step_wrapper as execute_step_wrapper,
)
from saga_choreography.helpers.handler import (
    complete_pending as complete_pending,
)
from saga_choreography.helpers.handler import (
    fail_pending as fail_pending,
)
from saga_choreography.helpers.handler import (
    handle_saga_event as handle_saga_event,
)
from saga_choreography.helpers.handler import (
    recover_sagas as recover_sagas,
)
from saga_choreography.helpers.signals import (
    SagaEvent as SagaEvent,
)
from saga_choreography.helpers.upgrade import (
    check_upgrade as check_upgrade,
)
from saga_choreography.helpers.upgrade_findings import (
    UpgradeFault as UpgradeFault,
)
from saga_choreography.helpers.upgrade_findings import (
    UpgradeReport as UpgradeReport,
)
from saga_choreography.observability import (
    NoticeKind as NoticeKind,
)
from saga_choreography.observability import (
    ParticipantStats as ParticipantStats,
)
from saga_choreography.observability import (
    ParticipantStatsSnapshot as ParticipantStatsSnapshot,
)
from saga_choreography.observability import (
    SagaNotice as SagaNotice,
)
from saga_choreography.observability import (
    SagaObserver as SagaObserver,
)
from saga_choreography.runtime.actor import (
    SagaActor as SagaActor,
)
from saga_choreography.runtime.event_stream import (
    EventStream as EventStream,
)
from saga_choreography.runtime.handle import (
    SagaHandle as SagaHandle,
)
from saga_choreography.runtime.initiator import (
    SagaInitiator as SagaInitiator,
)
from saga_choreography.runtime.quarantine import (
    QuarantinedRecord as QuarantinedRecord,
)
from saga_choreography.runtime.system import (
    SagaSystem as SagaSystem,
)
from saga_choreography.state import (
    Compensated as Compensated,
)
from saga_choreography.state import (
    Compensating as Compensating,
)
from saga_choreography.state import (
    Completed as Completed,
)
from saga_choreography.state import (
    Executing as Executing,
)
from saga_choreography.state import (
    Failed as Failed,
)
from saga_choreography.state import (
    Idle as Idle,
)
from saga_choreography.state import (
    ParticipantState as ParticipantState,
)
from saga_choreography.state import (
    Quarantined as Quarantined,
)
from saga_choreography.state import (
    SagaStateEntry as SagaStateEntry,
)
from saga_choreography.state import (
    StepState as StepState,
)
from saga_choreography.state import (
    Triggered as Triggered,
)
from saga_choreography.storage import (
    Durability as Durability,
)
from saga_choreography.storage import (
    InMemoryDedupe as InMemoryDedupe,
)
from saga_choreography.storage import (
    InMemoryJournal as InMemoryJournal,
)
from saga_choreography.storage import (
    LmdbDedupe as LmdbDedupe,
)
from saga_choreography.storage import (
    LmdbJournal as LmdbJournal,
)
from saga_choreography.storage import (
    ParticipantDedupeStore as ParticipantDedupeStore,
)
from saga_choreography.storage import (
    ParticipantJournal as ParticipantJournal,
)
from saga_choreography.storage import (
    StorePlace as StorePlace,
)
from saga_choreography.traits.outcomes import (
    ProbeResult as ProbeResult,
)
from saga_choreography.traits.outcomes import (
    StepNotExecuted as StepNotExecuted,
)
from saga_choreography.traits.outcomes import (
    StepOutcomeUnknown as StepOutcomeUnknown,
)
from saga_choreography.traits.outcomes import (
    StepOutput as StepOutput,
)
from saga_choreography.traits.outcomes import (
    StepPending as StepPending,
)
from saga_choreography.traits.participant import (
    NothingToUndo as NothingToUndo,
)
from saga_choreography.traits.participant import (
    SagaParticipant as SagaParticipant,
)
from saga_choreography.traits.state_ext import (
    SagaStateExt as SagaStateExt,
)
from saga_choreography.traits.subscription import (
    Saga as Saga,
)
from saga_choreography.traits.subscription import (
    Step as Step,
)
from saga_choreography.traits.subscription import (
    all_of as all_of,
)
from saga_choreography.traits.subscription import (
    any_of as any_of,
)
from saga_choreography.traits.workflow import (
    SagaWorkflow as SagaWorkflow,
)
from saga_choreography.types import (
    DependencySpec as DependencySpec,
)
from saga_choreography.types import (
    FailureCause as FailureCause,
)
from saga_choreography.types import (
    FailureKind as FailureKind,
)
from saga_choreography.types import (
    IdempotencyKey as IdempotencyKey,
)
from saga_choreography.types import (
    InDoubt as InDoubt,
)
from saga_choreography.types import (
    PeerId as PeerId,
)
from saga_choreography.types import (
    RetryPolicy as RetryPolicy,
)
from saga_choreography.types import (
    SagaContext as SagaContext,
)
from saga_choreography.types import (
    SagaId as SagaId,
)

__all__ = [
    "AckStatus",
    "ActorStartError",
    "AmbiguousCompensationError",
    "AmbiguousStepError",
    "Compensated",
    "Compensating",
    "CompensationCompleted",
    "CompensationError",
    "CompensationFailed",
    "CompensationRequested",
    "CompensationRequiredError",
    "CompensationStarted",
    "Completed",
    "DependencySpec",
    "Durability",
    "EventStream",
    "Executing",
    "Failed",
    "FailureCause",
    "FailureKind",
    "IdempotencyKey",
    "Idle",
    "IllegalTransition",
    "InDoubt",
    "InMemoryDedupe",
    "InMemoryJournal",
    "LmdbDedupe",
    "LmdbJournal",
    "NoReply",
    "NotAttached",
    "NothingToUndo",
    "NoticeKind",
    "ParticipantDedupeStore",
    "ParticipantEvent",
    "ParticipantJournal",
    "ParticipantState",
    "ParticipantStats",
    "ParticipantStatsSnapshot",
    "PayloadError",
    "PeerId",
    "ProbeResult",
    "Quarantined",
    "QuarantinedRecord",
    "QuarantinedStep",
    "ResolutionRefused",
    "RetryPolicy",
    "RetryableStepError",
    "SafeToRetryCompensationError",
    "Saga",
    "SagaActor",
    "SagaBackpressure",
    "SagaChoreographyEvent",
    "SagaCompleted",
    "SagaContext",
    "SagaError",
    "SagaEvent",
    "SagaFailed",
    "SagaHandle",
    "SagaId",
    "SagaIdConflict",
    "SagaInitiator",
    "SagaNotice",
    "SagaObserver",
    "SagaParticipant",
    "SagaQuarantined",
    "SagaStarted",
    "SagaStateEntry",
    "SagaStateExt",
    "SagaSystem",
    "SagaWorkflow",
    "Step",
    "StepAck",
    "StepCompleted",
    "StepError",
    "StepFailed",
    "StepNotExecuted",
    "StepOutcomeUnknown",
    "StepOutput",
    "StepPending",
    "StepStarted",
    "StepState",
    "StoreDamaged",
    "StoreError",
    "StoreFull",
    "StoreLocked",
    "StoreMisused",
    "StorePlace",
    "StoreVersionError",
    "TerminalCompensationError",
    "TerminalStepError",
    "TimestampedEvent",
    "Triggered",
    "UnknownSaga",
    "UpgradeFault",
    "UpgradeReport",
    "WorkflowError",
    "all_of",
    "any_of",
    "check_upgrade",
    "compensate_wrapper",
    "complete_pending",
    "execute_step_wrapper",
    "fail_pending",
    "handle_saga_event",
    "recover_sagas",
    "stored_as",
    "versioned",
]
