"""One turn of the participant core: collects records and commands, and folds every record at once.

The only mutable thing in the core; it never leaves `decide`. Because the live state is made by `fold` from the very
records that are journaled, replaying the journal gives the live state by construction.
"""

from saga_choreography.events import ParticipantEvent, SagaChoreographyEvent, TimestampedEvent
from saga_choreography.protocol.commands import ArmTimer, Command, Decision, Publish
from saga_choreography.protocol.fold import fold
from saga_choreography.protocol.memory import Told
from saga_choreography.protocol.spec import ParticipantSpec
from saga_choreography.protocol.stimuli import TimerStimulus
from saga_choreography.state import SagaStateEntry
from saga_choreography.types import StepPlan

_SPREAD_STEPS = 1024


class Turn:
    """State of one call of `decide`."""

    __slots__ = ("_commands", "_records", "entry", "may_run", "now_millis", "plan", "spec", "told")

    def __init__(
        self,
        entry: SagaStateEntry,
        told: Told,
        spec: ParticipantSpec,
        plan: StepPlan,
        now_millis: int,
        *,
        may_run: bool,
    ) -> None:
        self.entry: SagaStateEntry = entry
        """The entry as the records of this turn leave it; only `record` moves it on."""
        self.told: Told = told
        self.spec: ParticipantSpec = spec
        self.plan: StepPlan = plan
        self.now_millis: int = now_millis
        self.may_run: bool = may_run
        self._records: list[TimestampedEvent[ParticipantEvent]] = []
        self._commands: list[Command] = []

    def record(self, event: ParticipantEvent) -> None:
        """Journal an event; the entry moves on at once."""
        entry = self.entry
        record = TimestampedEvent(entry.sequence + 1, self.now_millis, event)
        self.entry = fold(entry, record)
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
        return Decision(self.entry, self.told, tuple(self._records), tuple(self._commands))
