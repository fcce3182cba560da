"""One turn of the participant core: collects records and commands, and folds every record at once.

The only mutable thing in the core; it never leaves `decide`. Because the live state is made by `fold` from the very
records that are journaled, replaying the journal gives the live state by construction.
"""

from saga_choreography.events import ParticipantEvent, SagaChoreographyEvent, TimestampedEvent
from saga_choreography.protocol.commands import ArmTimer, Command, Decision, Publish
from saga_choreography.protocol.fold import fold
from saga_choreography.protocol.memory import StepMemory
from saga_choreography.protocol.spec import ParticipantSpec
from saga_choreography.protocol.stimuli import TimerStimulus
from saga_choreography.state import SagaStateEntry
from saga_choreography.types import StepPlan

_SPREAD_STEPS = 1024


class Turn:
    """State of one call of `decide`."""

    def __init__(self, memory: StepMemory, spec: ParticipantSpec, plan: StepPlan, now_millis: int) -> None:
        self.memory = memory
        self.spec = spec
        self.plan = plan
        self.now_millis = now_millis
        self.entry: SagaStateEntry = memory.entry
        """The entry as the records of this turn leave it; only `record` moves it on."""
        self._records: list[TimestampedEvent[ParticipantEvent]] = []
        self._commands: list[Command] = []

    def record(self, event: ParticipantEvent) -> None:
        """Journal an event; the entry moves on at once."""
        record = TimestampedEvent(self.entry.sequence + 1, self.now_millis, event)
        # A fresh entry has no record yet: its first one carries everything the entry knows.
        self.entry = fold(self.entry if self.entry.sequence else None, record)
        self._records.append(record)

    def do(self, command: Command) -> None:
        self._commands.append(command)

    def publish(self, event: SagaChoreographyEvent) -> None:
        self._commands.append(Publish(event))

    def arm(self, at_millis: int, stimulus: TimerStimulus) -> None:
        self._commands.append(ArmTimer(at_millis, stimulus))

    def delay_millis(self, attempt: int, *, compensating: bool = False) -> int:
        """Backoff after `attempt`, spread by saga and attempt rather than by chance, so that a replay repeats it."""
        policy = self.plan.compensation_retry if compensating else self.plan.retry
        spread = (self.entry.origin.saga_id.int + attempt * 389) % _SPREAD_STEPS / _SPREAD_STEPS
        return policy.delay_millis(attempt, spread)

    def decision(self) -> Decision:
        memory = self.memory if self.entry is self.memory.entry else self.memory.moved_to(self.entry)
        return Decision(memory, tuple(self._records), tuple(self._commands))
