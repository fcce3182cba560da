"""What an initiator journals of the sagas it started."""

from typing import TypeAlias, final

from attrs import frozen

from saga_choreography.events.choreography import QuarantinedStep
from saga_choreography.events.participant import OutcomeKind
from saga_choreography.types import FailureCause, SagaOrigin


@final
@frozen(kw_only=True)
class SagaAccepted:
    """The saga exists from here on. `digest` identifies saga type and payload (16 bytes)."""

    origin: SagaOrigin
    payload: bytes
    digest: bytes


@final
@frozen(kw_only=True)
class FenceRaised:
    """The decision to undo; the first one is final."""

    cause: FailureCause


@final
@frozen(kw_only=True)
class SagaParked:
    """Nothing can move until an operator resolves `steps`."""

    steps: tuple[QuarantinedStep, ...]


@final
@frozen(kw_only=True)
class SagaUnparked:
    """A parked step was resolved; the saga goes on."""


@final
@frozen(kw_only=True)
class SagaResolved:
    """The one outcome."""

    outcome: OutcomeKind


InitiatorEvent: TypeAlias = SagaAccepted | FenceRaised | SagaParked | SagaUnparked | SagaResolved
