"""The participant's engine on a store in memory, without threads: what one turn holds, in which order."""

from collections.abc import Callable, MutableMapping
from typing import TypeAlias

import pytest

from saga_choreography import (
    CompensationRequested,
    FailureCause,
    FailureKind,
    InMemoryDedupe,
    InMemoryJournal,
    ParticipantDedupeStore,
    ParticipantEvent,
    ParticipantJournal,
    ParticipantStats,
    PeerId,
    ResolutionRefused,
    Saga,
    SagaContext,
    SagaFailed,
    SagaId,
    SagaParticipant,
    SagaStarted,
    SagaStateEntry,
    Step,
    StepFailed,
    StepOutput,
    StepPending,
    StorePlace,
    UnknownSaga,
)
from saga_choreography.errors import TerminalCompensationError
from saga_choreography.events import SagaChoreographyEvent
from saga_choreography.helpers.participant import ParticipantEngine
from saga_choreography.helpers.signals import Events, Flush, SagaSignal, TimerFired
from saga_choreography.protocol.stimuli import Raised, StepRaised
from saga_choreography.protocol.workflow import link
from saga_choreography.state import Quarantined
from saga_choreography.storage import InMemoryEnvironment
from saga_choreography.types import SagaOrigin, SagaPlan, new_saga_id
from tests.helpers.alone import Alone

ERRAND = Saga("errand", bytes)
GO = Step[bytes, bytes, bytes]("go", bytes, after=ERRAND, undo=bytes)
LOOK = Step[bytes, bytes]("look", bytes, after=ERRAND, pure=True)

Script: TypeAlias = Callable[[SagaContext], StepOutput[bytes, bytes] | StepPending]


def done(_: SagaContext) -> StepOutput[bytes, bytes]:
    return StepOutput(b"out", b"undo")


def pending(_: SagaContext) -> StepPending:
    return StepPending(timeout_millis=500)


class Walker(SagaParticipant[bytes, bytes, bytes]):
    """Does what its script says."""

    step = GO

    def __init__(self, script: Script = done) -> None:
        self.script = script
        self.committed_before: list[int] = []
        self.calls: list[str] = []
        self.count_records: Callable[[SagaId], int] = lambda _: 0
        self.undo_fails = False

    def execute_step(self, context: SagaContext, step_input: bytes) -> StepOutput[bytes, bytes] | StepPending:
        self.calls.append("do")
        self.committed_before.append(self.count_records(context.saga_id))
        return self.script(context)

    def compensate_step(self, context: SagaContext, undo: bytes) -> None:
        assert undo == b"undo"
        self.calls.append("undo")
        if self.undo_fails:
            raise TerminalCompensationError("stuck")

    def on_saga_failed(self, context: SagaContext, reason: str) -> None:
        self.calls.append("hook")


class Memory:
    """The state trait on a store in memory."""

    def __init__(self, environment: InMemoryEnvironment) -> None:
        self.journal: InMemoryJournal[ParticipantEvent] = InMemoryJournal.participant(environment)
        self.dedupe = InMemoryDedupe(environment)
        self.states: dict[SagaId, SagaStateEntry] = {}
        self.stats = ParticipantStats()

    def open_saga_store(self, place: StorePlace) -> None:
        raise AssertionError("a store in memory is open already")

    @property
    def saga_states(self) -> MutableMapping[SagaId, SagaStateEntry]:
        return self.states

    @property
    def saga_journal(self) -> ParticipantJournal:
        return self.journal

    @property
    def saga_dedupe(self) -> ParticipantDedupeStore:
        return self.dedupe

    @property
    def saga_stats(self) -> ParticipantStats:
        return self.stats


class Bench:
    """An engine with everything it needs."""

    def __init__(self, walker: Walker | None = None, environment: InMemoryEnvironment | None = None) -> None:
        self.walker = walker or Walker()
        self.environment = environment or InMemoryEnvironment()
        self.state = Memory(self.environment)
        self.walker.count_records = lambda saga_id: len(self.state.journal.read(saga_id))
        self.around = Alone()
        self.engine = ParticipantEngine(self.walker, self.state, self.around)

    def turn(self, *signals: SagaSignal) -> None:
        for signal in signals:
            self.engine.receive(signal)
        self.engine.turn()

    def records(self, saga_id: SagaId) -> list[str]:
        return [type(record.event).__name__ for record in self.state.journal.read(saga_id)]


def an_origin(step: Step[bytes, bytes, bytes] | Step[bytes, bytes, None] = GO) -> SagaOrigin:
    plan = SagaPlan(saga_type="errand", steps=link([step.plan()]))
    return SagaOrigin(saga_id=new_saga_id(), initiator=PeerId("i"), started_at_millis=1, plan=plan)


def started(origin: SagaOrigin) -> SagaChoreographyEvent:
    return SagaStarted(origin=origin, at_millis=1, payload=b"in")


def fence(origin: SagaOrigin) -> SagaChoreographyEvent:
    return CompensationRequested(origin=origin, at_millis=2, cause=CAUSE)


CAUSE = FailureCause(kind=FailureKind.CANCELLED, reason="enough")


def test_the_start_of_an_attempt_is_committed_before_it_runs_and_its_result_before_it_is_told() -> None:
    bench, origin = Bench(), an_origin()
    bench.turn(started(origin))
    assert bench.walker.committed_before == [2], "triggered and started, in one commit"
    assert bench.records(origin.saga_id) == ["StepTriggered", "StepExecutionStarted", "StepExecutionCompleted"]
    assert bench.around.names() == ["StepStarted", "StepCompleted"]
    assert bench.state.stats.snapshot().commits == 2


def test_a_pure_step_skips_the_commit_before_it_runs() -> None:
    class Looker(Walker):
        step = LOOK  # type: ignore[assignment]  # the same walker, another token

    walker, origin = Looker(lambda _: StepOutput(b"seen", None)), an_origin(LOOK)  # type: ignore[arg-type]
    bench = Bench(walker)
    bench.turn(started(origin))
    assert walker.committed_before == [0]
    assert bench.state.stats.snapshot().commits == 1
    assert bench.around.names() == ["StepStarted", "StepCompleted"]


def test_what_arrived_together_shares_its_commits() -> None:
    bench = Bench()
    for _ in range(30):
        bench.turn(started(an_origin()))  # the engine learns that these steps are fast
    before = bench.state.stats.snapshot().commits
    bench.turn(Events(tuple(started(an_origin()) for _ in range(50))))
    assert bench.state.stats.snapshot().commits - before == 2
    assert bench.state.stats.snapshot().completed == 80


def test_of_unknown_code_only_one_attempt_is_started_at_a_time() -> None:
    bench = Bench()
    origins = [an_origin() for _ in range(3)]
    bench.turn(Events(tuple(started(origin) for origin in origins)))
    assert bench.walker.calls == ["do"]
    assert bench.around.wanted_turns == 1, "the others get a turn of their own"
    assert bench.records(origins[2].saga_id) == ["StepTriggered"]


def test_a_fence_that_arrives_while_a_step_waits_for_its_turn_stops_it() -> None:
    bench = Bench()
    first, second = an_origin(), an_origin()
    bench.turn(Events((started(first), started(second))))
    bench.turn(fence(second))
    for _ in range(3):
        bench.turn(Flush())
    assert bench.walker.calls == ["do"]
    assert bench.records(second.saga_id) == ["StepTriggered", "FenceRecorded"]


def test_a_fence_that_arrives_with_the_trigger_is_seen_first_whatever_their_order() -> None:
    bench, origin = Bench(), an_origin()
    bench.turn(Events((started(origin), fence(origin))))
    assert bench.walker.calls == []
    assert bench.records(origin.saga_id) == ["FenceRecorded"]


def test_while_there_is_room_a_step_runs_in_the_turn_that_triggers_it() -> None:
    bench, origin = Bench(), an_origin()
    bench.turn(Events((started(origin),)))
    assert bench.records(origin.saga_id) == ["StepTriggered", "StepExecutionStarted", "StepExecutionCompleted"]
    assert bench.walker.committed_before == [2]


def test_a_step_that_is_triggered_while_others_wait_runs_behind_them() -> None:
    bench, first, second, third = Bench(), an_origin(), an_origin(), an_origin()
    bench.turn(Events((started(first), started(second))))  # unknown code: room for one
    bench.turn(Events((started(third),)))
    ran = [origin for origin in (first, second, third) if "StepExecutionStarted" in bench.records(origin.saga_id)]
    assert ran[:2] == [first, second]


def test_a_duplicate_is_counted_and_changes_nothing() -> None:
    bench, origin = Bench(), an_origin()
    bench.turn(started(origin))
    bench.turn(started(origin), started(origin))
    assert bench.walker.calls == ["do"]
    assert bench.state.stats.snapshot().duplicates == 2


def test_a_late_duplicate_of_an_ended_and_pruned_saga_runs_nothing() -> None:
    bench, origin = Bench(), an_origin()
    bench.turn(started(origin))
    bench.turn(fence(origin))
    bench.turn(Flush())
    bench.turn(SagaFailed(origin=origin, at_millis=3, cause=CAUSE))
    assert bench.walker.calls == ["do", "undo", "hook"]
    assert bench.state.journal.prune(before_millis=10_000, limit=10) == 1
    bench.turn(started(origin), fence(origin))
    assert bench.walker.calls == ["do", "undo", "hook"]
    assert origin.saga_id not in bench.state.states


def test_every_counter_of_a_failed_saga_is_right() -> None:
    bench, origin = Bench(), an_origin()
    bench.turn(started(origin))
    bench.turn(fence(origin))
    bench.turn(SagaFailed(origin=origin, at_millis=3, cause=CAUSE))
    stats = bench.state.stats.snapshot()
    assert (stats.triggered, stats.attempts_started, stats.completed, stats.fences) == (1, 1, 1, 1)
    assert (stats.undo_attempts_started, stats.compensated, stats.ended, stats.failed) == (1, 1, 1, 0)


def test_recovery_twice_equals_recovery_once_and_nothing_recorded_changes() -> None:
    bench, origin = Bench(Walker(pending)), an_origin()
    bench.turn(started(origin))
    before = bench.state.journal.read(origin.saga_id)
    bench.environment.crash()
    again = Bench(Walker(pending), bench.environment)
    assert again.engine.recover() == again.engine.recover() == [origin.saga_id]
    assert again.state.states == bench.state.states
    assert again.state.journal.read(origin.saga_id) == before


def test_a_pending_step_reported_from_within_a_turn_is_heard_in_the_next_one() -> None:
    walker, origin = Walker(), an_origin()
    bench = Bench(walker)

    def report_at_once(context: SagaContext) -> StepPending:
        bench.engine.finish_pending(context.saga_id, StepRaised(Raised.NO_EFFECT, "refused"))
        return StepPending()

    walker.script = report_at_once
    bench.turn(started(origin))
    assert bench.around.names() == ["StepStarted"]
    bench.turn()
    assert isinstance(bench.around.told[-1], StepFailed)


def test_a_pending_timeout_is_armed_after_the_commit() -> None:
    bench, origin = Bench(Walker(pending)), an_origin()
    bench.turn(started(origin))
    ((at_millis, signal),) = bench.around.armed
    assert at_millis == 1_500
    assert isinstance(signal, TimerFired)


def test_the_end_of_a_step_nobody_knows_is_refused() -> None:
    with pytest.raises(UnknownSaga):
        Bench().engine.finish_pending(new_saga_id(), StepRaised(Raised.NO_EFFECT, "?"))


def test_the_end_of_a_quarantined_step_is_for_an_operator_to_say() -> None:
    walker, origin = Walker(), an_origin()
    walker.undo_fails = True
    bench = Bench(walker)
    bench.turn(started(origin))
    bench.turn(fence(origin))
    assert isinstance(bench.state.states[origin.saga_id].state, Quarantined)
    with pytest.raises(ResolutionRefused, match=r"SagaSystem\.resolve"):
        bench.engine.finish_pending(origin.saga_id, StepRaised(Raised.NO_EFFECT, "?"))


def test_a_stopping_engine_journals_facts_and_begins_nothing() -> None:
    bench, origin = Bench(), an_origin()
    bench.around.is_stopping = True
    bench.engine.receive(Events((started(origin),)))
    assert bench.records(origin.saga_id) == ["StepTriggered"]
    assert bench.walker.calls == []
