"""The eight states of a step, one payload class each: frozen, nominal, with the data of that state only."""

from enum import Enum
from typing import TypeAlias, final

from attrs import frozen

from saga_choreography.types import StepInput


class ExecutionPhase(Enum):
    """Where an execution stands between two records."""

    RUNNING = "running"
    RETRYING = "retrying"
    """The last attempt failed; the next one is due at `retry_at_millis`."""
    PENDING = "pending"
    """The step returned StepPending; a later message finishes it."""
    IN_DOUBT = "in_doubt"
    """The outcome is unknown and is being settled."""


@final
@frozen(kw_only=True)
class Idle:
    """Known, not triggered."""


@final
@frozen(kw_only=True)
class Triggered:
    """Its dependencies are satisfied; not started."""

    triggered_at_millis: int
    input: StepInput


@final
@frozen(kw_only=True)
class Executing:
    """Started; its effect may exist from now on."""

    started_at_millis: int
    input: StepInput
    attempt: int
    phase: ExecutionPhase = ExecutionPhase.RUNNING
    doubtful: bool = False
    """An earlier attempt ended without anybody knowing whether its effect exists."""
    retry_at_millis: int | None = None
    pending_until_millis: int | None = None
    error: str | None = None


@final
@frozen(kw_only=True)
class Completed:
    """Its effect exists and can be undone with `undo`."""

    completed_at_millis: int
    output: bytes
    undo: bytes
    input: StepInput
    attempt: int


@final
@frozen(kw_only=True)
class Failed:
    """Ended without lasting effect."""

    failed_at_millis: int
    error: str


@final
@frozen(kw_only=True)
class Compensating:
    """Being undone."""

    started_at_millis: int
    output: bytes
    undo: bytes
    input: StepInput
    attempt: int
    phase: ExecutionPhase = ExecutionPhase.RUNNING
    retry_at_millis: int | None = None
    error: str | None = None


@final
@frozen(kw_only=True)
class Compensated:
    """Its effect is undone."""

    completed_at_millis: int


@final
@frozen(kw_only=True)
class Quarantined:
    """Parked for an operator, with all evidence. `undo` and `output` are None while the forward step is in doubt."""

    quarantined_at_millis: int
    reason: str
    input: StepInput
    output: bytes | None
    undo: bytes | None
    attempts: int
    error: str | None

    @property
    def while_compensating(self) -> bool:
        """True: the undo failed. False: the forward step is in doubt."""
        return self.undo is not None


StepState: TypeAlias = Idle | Triggered | Executing | Completed | Failed | Compensating | Compensated | Quarantined
"""Any of the eight; the legal moves between them stand in `saga_choreography.state.transitions`.

Times are Unix time in milliseconds; inputs, outputs and undo data are encoded.
"""
