"""The two roles of an actor: an engine over a disk, made anew by every incarnation."""

from collections.abc import Callable, Iterator, MutableMapping
from typing import cast, final

from saga_choreography.events import InitiatorEvent, ParticipantEvent, ResolutionKind
from saga_choreography.helpers.admission import Admission
from saga_choreography.helpers.initiating import InitiatorEngine
from saga_choreography.helpers.participant import ParticipantEngine
from saga_choreography.helpers.ports import Surroundings
from saga_choreography.helpers.watch import SagaWatch, Verdict, Watches
from saga_choreography.observability import ParticipantStats
from saga_choreography.protocol.commands import Refuse
from saga_choreography.protocol.decide import decide
from saga_choreography.protocol.memory import NOTHING_TOLD
from saga_choreography.protocol.resolver_commands import SagaEntry
from saga_choreography.protocol.spec import ParticipantSpec
from saga_choreography.protocol.stimuli import OperatorResolved
from saga_choreography.state import Quarantined, SagaStateEntry, is_in
from saga_choreography.storage import StorePlace
from saga_choreography.storage.dedupe import ParticipantDedupeStore
from saga_choreography.storage.journal import ParticipantJournal
from saga_choreography.testing.simulation.disk import Disk
from saga_choreography.testing.simulation.subject import AnyParticipant
from saga_choreography.testing.simulation.violation import Violation
from saga_choreography.traits.participant import SagaParticipant
from saga_choreography.types import SagaId

ParticipantDisk = Disk[ParticipantEvent, SagaStateEntry]
_RESOLUTIONS = tuple(ResolutionKind)
InitiatorDisk = Disk[InitiatorEvent, SagaEntry]


@final
class _State:
    """The state trait over a simulated disk."""

    def __init__(self, disk: ParticipantDisk, marks: ParticipantDedupeStore) -> None:
        self.saga_states: MutableMapping[SagaId, SagaStateEntry] = {}
        self.saga_journal: ParticipantJournal = disk
        self.saga_dedupe = marks
        self.saga_stats = ParticipantStats()

    def open_saga_store(self, place: StorePlace) -> None:
        """It is open already."""


@final
class ParticipantRole:
    """Owns steps. `make(incarnation)` gives the participant as a fresh process would."""

    def __init__(
        self, disk: ParticipantDisk, marks: ParticipantDedupeStore, make: Callable[[int], AnyParticipant]
    ) -> None:
        self.disk = disk
        self._marks = marks
        self._make = make
        self._state = _State(disk, marks)
        self._retold_before = 0

    @property
    def states(self) -> MutableMapping[SagaId, SagaStateEntry]:
        """The entries in memory."""
        return self._state.saga_states

    def open(self, around: Surroundings, incarnation: int) -> ParticipantEngine[object, object, object]:
        """An engine as a fresh process makes it."""
        # Types are checked where a participant is written; an engine is indifferent to them.
        actor = cast("SagaParticipant[object, object, object]", self._make(incarnation))
        engine = ParticipantEngine(actor, self._state, around)
        # How `complete_pending` finds its machinery; a participant that is an actor has the attribute already.
        setattr(actor, "saga_engines", (engine,))  # noqa: B010  # declared by the state trait, not by the participant
        return engine

    def check_recovered(self) -> None:
        """I10: memory is what the journal says, for every live saga.

        Raises:
            Violation: it is not.
        """
        live = {saga_id: self.disk.last(saga_id) for saga_id in self.disk.live_sagas()}
        if live != self.states:
            both = {**live, **self.states}
            wrong = next(saga_id for saga_id in both if live.get(saga_id) != self.states.get(saga_id))
            raise Violation("I10", f"{self.disk.name} recovers what its journal does not say", wrong)

    def check_memory(self) -> None:
        """I10 for an actor at rest: nothing is staged, so memory is what the journal says.

        Raises:
            Violation: it is not.
        """
        for saga_id, entry in self.states.items():
            if entry.sequence and entry != self.disk.last(saga_id):
                raise Violation("I10", f"{self.disk.name} remembers what its journal does not say", saga_id)

    def check_refusals(self, now_millis: int) -> None:
        """I15: an operator's word on a step that is not quarantined is refused, and nothing changes.

        Raises:
            Violation: it is obeyed.
        """
        for entry in self.states.values():
            if is_in(entry, Quarantined):
                continue
            spec = ParticipantSpec(step_name=entry.step_name)
            kind = _RESOLUTIONS[(entry.sequence + now_millis) % len(_RESOLUTIONS)]
            word = OperatorResolved(resolution=kind, by="op", why="too late")
            decision = decide(entry, NOTHING_TOLD, word, spec, now_millis)
            is_refused = [type(command) for command in decision.commands] == [Refuse]
            if decision.entry is not entry or decision.records or not is_refused:
                what = f"{self.disk.name} obeys {kind.value} in {type(entry.state).__name__}"
                raise Violation("I15", what, entry.saga_id)

    def count_retold(self) -> int:
        """How many facts were told again because an actor (re)joined, so far."""
        return self._retold_before + self._state.saga_stats.snapshot().facts_retold

    def forget(self) -> None:
        """The actor is gone."""
        self._retold_before = self.count_retold()
        self._state = _State(self.disk, self._marks)

    def restart_process(self) -> None:
        """Nothing outlives an actor but its disk."""

    def remembered(self) -> Iterator[SagaId]:
        return iter(self.states)


@final
class InitiatorRole:
    """Starts sagas and finds their outcomes."""

    def __init__(self, disk: InitiatorDisk, on_verdict: Callable[[Verdict], None]) -> None:
        self.disk = disk
        self._on_verdict = on_verdict
        self._engine: InitiatorEngine | None = None
        self.admission: Admission = Admission("simulated", None)
        self.watches: Watches = Watches()
        self.handles: dict[SagaId, SagaWatch] = {}
        """Somebody holds a handle on each of these sagas, and waits."""

    def hold(self, saga_id: SagaId) -> None:
        """Hold a handle on a saga, as its client does."""
        self.handles[saga_id] = self.watches.of(saga_id)

    def open(self, around: Surroundings, _: int) -> InitiatorEngine:
        """An engine as a fresh process makes it."""
        self._engine = InitiatorEngine(
            self.disk,
            around,
            admission=self.admission,
            watches=self.watches,
            on_verdict=self._on_verdict,
        )
        return self._engine

    def entries(self) -> dict[SagaId, SagaEntry]:
        """The entries in memory."""
        return {} if self._engine is None else {entry.origin.saga_id: entry for entry in self._engine.live()}

    def check_recovered(self) -> None:
        """I10: memory is what the journal says, for every live saga.

        Raises:
            Violation: it is not.
        """
        live = {saga_id: self.disk.last(saga_id) for saga_id in self.disk.live_sagas()}
        if live != self.entries():
            raise Violation("I10", "the initiator recovers what its journal does not say", next(iter(live), None))

    def check_memory(self) -> None:
        """I10 for an actor at rest.

        Raises:
            Violation: memory is not what the journal says.
        """
        for saga_id, entry in self.entries().items():
            if entry != self.disk.last(saga_id):
                raise Violation("I10", "the initiator remembers what its journal does not say", saga_id)

    def forget(self) -> None:
        """The actor is gone."""
        self._engine = None

    def restart_process(self) -> None:
        """Places and handles live as long as the process."""
        self.admission, self.watches = Admission("simulated", None), Watches()
        self.handles.clear()

    def remembered(self) -> Iterator[SagaId]:
        return iter(self.entries())
