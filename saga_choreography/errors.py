"""Every error of the library, and whose fault it is.

SagaError
|-- StepError                            raised BY a participant's execute_step
|   |-- TerminalStepError                no lasting effect, and no retry will help
|   |-- CompensationRequiredError        no lasting effect; the saga must be undone
|   |-- RetryableStepError               no lasting effect; try again (same key)
|   `-- AmbiguousStepError               the effect may or may not have happened
|-- CompensationError                    raised BY a participant's compensate_step
|   |-- SafeToRetryCompensationError     try again (same key)
|   |-- AmbiguousCompensationError       may or may not be undone: an operator must look
|   `-- TerminalCompensationError        cannot be undone: an operator must look
|-- WorkflowError                        the declared graph is wrong; lists every fault
|-- IllegalTransition                    a state machine was asked for a move that does not exist
|-- SagaIdConflict                       this saga id is taken by another payload
|-- SagaBackpressure                     too many sagas in flight
|-- UnknownSaga                          no such saga here
|-- NotAttached                          the actor has not joined a SagaSystem
|-- ActorStartError                      an actor did not become ready
|-- NoReply                              an actor did not answer in time; asking again is safe
|-- ResolutionRefused                    an operator's word does not fit the step's state
|-- PayloadError                         a payload cannot be encoded or decoded
`-- StoreError                           the store; acknowledged data is intact unless it says otherwise
    |-- StoreLocked                      another process owns this directory
    |-- StoreFull                        disk or map limit reached; the actor pauses
    |-- StoreVersionError                written by another version, or by another actor
    |-- StoreDamaged                     the medium changed under us; evidence is left as it is
    `-- StoreMisused                     used from another thread or process, or out of sequence

Errors an operator meets carry `exit_code` (sysexits.h numbers).
"""

from collections.abc import Iterable
from typing import ClassVar
from uuid import UUID


class SagaError(Exception):
    """Base of all errors of this library."""

    exit_code: ClassVar[int] = 70


class StepError(SagaError):
    """Raised by `execute_step` to say how a step failed. The first argument is the reason."""


class TerminalStepError(StepError):
    """The step failed, left no lasting effect, and no retry will help."""


class CompensationRequiredError(StepError):
    """The step failed and left no lasting effect; what other steps did must be undone."""


class RetryableStepError(StepError):
    """The step failed and left no lasting effect; it may be tried again under the same key."""


class AmbiguousStepError(StepError):
    """Nobody knows whether the step had its effect: it is settled by probe, retry or quarantine."""


class CompensationError(SagaError):
    """Raised by `compensate_step` to say how the undo failed. The first argument is the reason."""


class SafeToRetryCompensationError(CompensationError):
    """The undo failed and may be tried again under the same key."""


class AmbiguousCompensationError(CompensationError):
    """Nobody knows whether the effect was undone: the step is quarantined."""


class TerminalCompensationError(CompensationError):
    """The effect cannot be undone by this program: the step is quarantined."""


class WorkflowError(SagaError):
    """A workflow is wired wrongly; `faults` lists every fault found, one sentence each."""

    exit_code = 65

    def __init__(self, saga_type: str, faults: Iterable[str]) -> None:
        self.saga_type = saga_type
        self.faults: tuple[str, ...] = tuple(faults)
        super().__init__(saga_type, self.faults)

    def __str__(self) -> str:
        lines = "".join(f"\n  - {fault}" for fault in self.faults)
        return f"workflow {self.saga_type!r} cannot run, {len(self.faults)} fault(s):{lines}"


class IllegalTransition(SagaError):
    """A state was asked for a move that the table does not have; nothing was changed."""

    def __init__(self, source: str, target: str, legal: Iterable[str]) -> None:
        self.source = source
        self.target = target
        self.legal: tuple[str, ...] = tuple(sorted(legal))
        super().__init__(source, target, self.legal)

    def __str__(self) -> str:
        legal = ", ".join(self.legal) or "nothing (terminal)"
        return f"cannot go from {self.source} to {self.target}; legal: {legal}"


class SagaIdConflict(SagaError):
    """This saga id was used before with another payload or saga type, or its records are already pruned."""

    exit_code = 65

    def __init__(self, saga_id: UUID, why: str) -> None:
        self.saga_id = saga_id
        self.why = why
        super().__init__(saga_id, why)

    def __str__(self) -> str:
        return f"saga {self.saga_id} was started before: {self.why}; use a fresh saga id for a new saga"


class SagaBackpressure(SagaError):
    """`max_in_flight` sagas are live; nothing was started."""

    exit_code = 75

    def __init__(self, initiator: str, limit: int, waited_millis: int) -> None:
        self.initiator = initiator
        self.limit = limit
        self.waited_millis = waited_millis
        super().__init__(initiator, limit, waited_millis)

    def __str__(self) -> str:
        return (
            f"initiator {self.initiator!r} has {self.limit} sagas in flight, none ended within {self.waited_millis} ms;"
            " nothing was started: try again later or raise max_in_flight"
        )


class UnknownSaga(SagaError):
    """No record of this saga here: never started, started elsewhere, or pruned after the retention time."""

    exit_code = 65

    def __init__(self, saga_id: UUID, where: str) -> None:
        self.saga_id = saga_id
        self.where = where
        super().__init__(saga_id, where)

    def __str__(self) -> str:
        return f"{self.where} knows no saga {self.saga_id}: check id and data directory (old records are pruned)"


class ResolutionRefused(SagaError):
    """An operator's resolution does not fit; nothing was changed."""

    exit_code = 65

    def __init__(self, saga_id: UUID, step_name: str, why: str) -> None:
        self.saga_id = saga_id
        self.step_name = step_name
        self.why = why
        super().__init__(saga_id, step_name, why)

    def __str__(self) -> str:
        return f"step {self.step_name!r} of saga {self.saga_id} was not resolved: {self.why}"


class NotAttached(SagaError):
    """The actor has not joined a `SagaSystem` (yet): start it with `system.start_actor()`."""


class ActorStartError(SagaError):
    """An actor did not become ready."""


class NoReply(SagaError):
    """An actor did not answer in time; what it was asked may or may not have happened. Asking again is safe."""

    exit_code = 75


class PayloadError(SagaError):
    """A payload, output or undo value does not fit its declared type, or bytes do not decode to it."""

    exit_code = 65

    def __init__(self, what: str, expected: str, why: str) -> None:
        self.what = what
        self.expected = expected
        self.why = why
        super().__init__(what, expected, why)

    def __str__(self) -> str:
        return f"{self.what} is not a valid {self.expected}: {self.why}"


class StoreError(SagaError):
    """Something is wrong with a store; `store` names it, `remedy` says what to do."""

    exit_code = 74

    def __init__(self, store: str, why: str, remedy: str) -> None:
        self.store = store
        self.why = why
        self.remedy = remedy
        super().__init__(store, why, remedy)

    def __str__(self) -> str:
        return f"store {self.store}: {self.why}; {self.remedy}"


class StoreLocked(StoreError):
    """Another process (or another system of this process) owns this data directory."""

    exit_code = 75


class StoreFull(StoreError):
    """The disk or the map limit is reached. The actor pauses and retries; nothing acknowledged is lost."""

    exit_code = 75


class StoreVersionError(StoreError):
    """The store was written by another format version or belongs to another actor; it was not touched."""

    exit_code = 78


class StoreDamaged(StoreError):
    """Bytes in the store are not what was written. Nothing was changed, so the evidence is intact."""


class StoreMisused(StoreError):
    """The store was used from a foreign thread or process, or a record was appended out of sequence."""
