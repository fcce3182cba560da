"""What the participant core asks its shell to do, once the records of the decision are committed."""

from typing import Final, TypeAlias, final

from attrs import frozen

from saga_choreography.events import ParticipantEvent, SagaChoreographyEvent, SagaOutcome, TimestampedEvent
from saga_choreography.protocol.memory import NOTHING_TOLD, Told
from saga_choreography.protocol.stimuli import TimerStimulus
from saga_choreography.state import SagaStateEntry


@final
@frozen
class Publish:
    """Tell a fact."""

    event: SagaChoreographyEvent


@final
@frozen
class AwaitRun:
    """The step is triggered: answer with RunGranted when there is room."""


@final
@frozen
class RunStep:
    """Call execute_step."""


@final
@frozen
class RunProbe:
    """Call probe_step."""


@final
@frozen
class RunCancel:
    """Call cancel_step."""


@final
@frozen
class RunCompensation:
    """Call compensate_step."""


@final
@frozen
class ResumePending:
    """Call resume_pending: the step is pending and the program was restarted."""


@final
@frozen
class ArmTimer:
    """Bring `stimulus` back at `at_millis` (Unix milliseconds)."""

    at_millis: int
    stimulus: TimerStimulus


@final
@frozen
class Forget:
    """The saga ended: call the hook, take the entry out of memory and off the live index."""

    outcome: SagaOutcome


@final
@frozen
class NotifyQuarantined:
    """Call the quarantine hook."""

    reason: str


@final
@frozen
class Refuse:
    """An operator's word does not fit; nothing was recorded."""

    why: str


@final
@frozen
class Anomaly:
    """Something arrived that a correct peer never sends; it was ignored."""

    what: str


AWAIT_RUN: Final = AwaitRun()
RUN_STEP: Final = RunStep()

Command: TypeAlias = (
    Publish
    | AwaitRun
    | RunStep
    | RunProbe
    | RunCancel
    | RunCompensation
    | ResumePending
    | ArmTimer
    | Forget
    | NotifyQuarantined
    | Refuse
    | Anomaly
)


@final
@frozen
class Decision:
    """The new entry, what is to be kept of what others told, the records that justify both, and what to do once they
    are committed."""

    entry: SagaStateEntry
    told: Told = NOTHING_TOLD
    records: tuple[TimestampedEvent[ParticipantEvent], ...] = ()
    commands: tuple[Command, ...] = ()
