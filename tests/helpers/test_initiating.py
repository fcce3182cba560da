"""The initiator's engine on a store in memory, without threads: what one turn may hold."""

from concurrent.futures import Future

import pytest
from attrs import evolve, frozen

from saga_choreography import NoticeKind, PeerId, SagaCompleted, SagaError, SagaIdConflict, StepCompleted, versioned
from saga_choreography.codec import payload_codec
from saga_choreography.events import InitiatorEvent, OutcomeKind, SagaChoreographyEvent
from saga_choreography.helpers.admission import Admission
from saga_choreography.helpers.fault_points import FaultPoint
from saga_choreography.helpers.initiating import InitiatorEngine, replay_saga, start_digest
from saga_choreography.helpers.peer import Directed
from saga_choreography.helpers.signals import CancelRequest, Events, SagaSignal, StartRequest
from saga_choreography.helpers.watch import Verdict, Watches
from saga_choreography.storage import InMemoryEnvironment, InMemoryJournal
from saga_choreography.types import OnSagaStart, SagaId, SagaOrigin, SagaPlan, StepPlan, new_saga_id
from tests.helpers.alone import Alone, Died

PLAN = SagaPlan(saga_type="errand", steps=(StepPlan(step_name="go", after=OnSagaStart()),))
ME = PeerId("me")


class Desk:
    """An initiator's engine with what it needs."""

    def __init__(self, environment: InMemoryEnvironment | None = None, before: "Desk | None" = None) -> None:
        """`before`: the same seat, of which another incarnation has died."""
        self.around = Alone()
        self.journal: InMemoryJournal[InitiatorEvent] = InMemoryJournal.initiator(environment or InMemoryEnvironment())
        self.verdicts: list[Verdict] = []
        self.admission: Admission = Admission(ME, None) if before is None else before.admission
        self.watches: Watches = Watches() if before is None else before.watches
        self.engine = InitiatorEngine(
            self.journal,
            self.around,
            admission=self.admission,
            watches=self.watches,
            on_verdict=self.verdicts.append,
        )

    def turn(self, *signals: SagaSignal) -> None:
        for signal in signals:
            self.engine.receive(signal)
        self.engine.turn()

    def start(self, saga_id: SagaId, payload: bytes = b"p") -> "Future[None]":
        reply: Future[None] = Future()
        self.admission.enter(saga_id, 0)
        self.turn(StartRequest(saga_id, PLAN, payload, reply))
        return reply


def completed(saga_id: SagaId, sequence: int = 3) -> SagaChoreographyEvent:
    origin = SagaOrigin(saga_id=saga_id, initiator=ME, started_at_millis=1, plan=PLAN)
    return StepCompleted(origin=origin, at_millis=2, step_name="go", sequence=sequence, output=b"")


def test_a_fact_told_twice_in_one_turn_decides_once() -> None:
    desk, saga_id = Desk(), new_saga_id()
    desk.start(saga_id).result(0)
    desk.turn(Events((completed(saga_id), completed(saga_id))))
    entry = replay_saga(desk.journal, saga_id)
    assert entry is not None
    assert entry.outcome is OutcomeKind.COMPLETED
    assert len(desk.verdicts) == 1
    assert list(desk.engine.live()) == []
    assert desk.admission.in_flight == 0


def test_a_late_fact_of_an_ended_saga_is_answered_to_its_teller_alone() -> None:
    desk, saga_id = Desk(), new_saga_id()
    desk.start(saga_id).result(0)
    desk.turn(Events((completed(saga_id),)))
    desk.around.told.clear()
    desk.turn(Events((completed(saga_id, 4),)))
    (answer,) = desk.around.told
    assert isinstance(answer, Directed)
    assert answer.step_name == "go"
    assert isinstance(answer.event, SagaCompleted)


def test_a_fact_of_a_saga_nobody_started_here_is_reported() -> None:
    desk = Desk()
    desk.turn(Events((completed(new_saga_id()),)))
    assert desk.around.notices == [NoticeKind.UNKNOWN_SAGA]


def test_a_start_and_its_repeat_in_one_turn_are_one_saga() -> None:
    desk, saga_id = Desk(), new_saga_id()
    replies: list[Future[None]] = [Future(), Future(), Future()]
    desk.admission.enter(saga_id, 0)
    desk.turn(
        StartRequest(saga_id, PLAN, b"p", replies[0]),
        StartRequest(saga_id, PLAN, b"p", replies[1]),
        StartRequest(saga_id, PLAN, b"other", replies[2]),
    )
    assert replies[0].result(0) is replies[1].result(0) is None
    with pytest.raises(SagaIdConflict):
        replies[2].result(0)
    assert len(desk.journal.read(saga_id)) == 1
    assert desk.admission.in_flight == 1


@frozen
class Errand:
    shop: str


@versioned(2, {1: lambda old: {"where": old["shop"], "by_bike": False}})
@frozen
class ErrandOfToday:
    where: str
    by_bike: bool


def asked_again(desk: Desk, saga_id: SagaId, errand: ErrandOfToday, plan: SagaPlan = PLAN) -> "Future[None]":
    codec = payload_codec(ErrandOfToday)
    reply: Future[None] = Future()
    desk.turn(StartRequest(saga_id, plan, codec.encode(errand, "payload"), reply, 0, codec.renewed))
    return reply


def test_the_same_start_after_its_payload_class_has_changed_is_the_same_saga() -> None:
    desk, saga_id = Desk(), new_saga_id()
    desk.start(saga_id, payload_codec(Errand).encode(Errand("baker"), "payload")).result(0)
    asked_again(desk, saga_id, ErrandOfToday("baker", False)).result(0)
    assert len(desk.journal.read(saga_id)) == 1


@pytest.mark.parametrize("errand", [ErrandOfToday("butcher", False), ErrandOfToday("baker", True)])
def test_another_payload_after_the_class_has_changed_is_a_conflict(errand: ErrandOfToday) -> None:
    desk, saga_id = Desk(), new_saga_id()
    desk.start(saga_id, payload_codec(Errand).encode(Errand("baker"), "payload")).result(0)
    with pytest.raises(SagaIdConflict):
        asked_again(desk, saga_id, errand).result(0)


def test_a_stored_payload_that_today_s_class_cannot_read_is_a_conflict() -> None:
    desk, saga_id = Desk(), new_saga_id()
    desk.start(saga_id, b"no errand").result(0)
    with pytest.raises(SagaIdConflict):
        asked_again(desk, saga_id, ErrandOfToday("baker", False)).result(0)


def test_the_same_payload_of_another_saga_type_is_a_conflict_also_when_its_class_has_changed() -> None:
    desk, saga_id = Desk(), new_saga_id()
    desk.start(saga_id, payload_codec(Errand).encode(Errand("baker"), "payload")).result(0)
    with pytest.raises(SagaIdConflict):
        asked_again(desk, saga_id, ErrandOfToday("baker", False), evolve(PLAN, saga_type="delivery")).result(0)


def test_nothing_is_told_or_answered_before_the_commit() -> None:
    desk, saga_id = Desk(), new_saga_id()
    reply: Future[None] = Future()
    desk.engine.receive(StartRequest(saga_id, PLAN, b"p", reply))
    assert desk.around.told == []
    assert not reply.done()
    desk.engine.turn()
    assert reply.done()
    assert len(desk.around.told) == 1


def test_recovery_twice_equals_recovery_once() -> None:
    environment, saga_id = InMemoryEnvironment(), new_saga_id()
    first = Desk(environment)
    first.start(saga_id).result(0)
    environment.crash()
    again = Desk(environment)
    assert again.engine.recover() == again.engine.recover() == [saga_id]
    assert again.admission.in_flight == 1
    assert list(again.engine.live()) == list(first.engine.live())


def test_a_cancel_of_an_ended_saga_changes_nothing() -> None:
    desk, saga_id = Desk(), new_saga_id()
    desk.start(saga_id).result(0)
    desk.turn(Events((completed(saga_id),)))
    reply: Future[None] = Future()
    desk.turn(CancelRequest(saga_id, "too late", reply))
    assert reply.result(0) is None
    entry = replay_saga(desk.journal, saga_id)
    assert entry is not None
    assert entry.outcome is OutcomeKind.COMPLETED


def test_an_initiator_that_dies_behind_the_commit_of_an_outcome_keeps_no_place_and_no_secret() -> None:
    environment, saga_id = InMemoryEnvironment(), new_saga_id()
    first = Desk(environment)
    handle = first.watches.of(saga_id)
    first.start(saga_id).result(0)
    first.around.dies_at = FaultPoint.AFTER_COMMIT
    with pytest.raises(Died):
        first.turn(Events((completed(saga_id),)))
    told_by_the_first = handle.verdict
    environment.crash()
    successor = Desk(environment, before=first)
    assert successor.engine.recover() == []
    successor.engine.join()
    assert told_by_the_first is None
    assert isinstance(handle.verdict, SagaCompleted)
    assert successor.admission.in_flight == 0


def test_the_place_of_a_start_that_is_still_under_way_is_kept_by_a_successor() -> None:
    first = Desk()
    first.admission.enter(new_saga_id(), 0)
    successor = Desk(before=first)
    successor.engine.recover()
    successor.engine.join()
    assert successor.admission.in_flight == 1


def test_who_asks_for_an_ended_saga_again_hears_how_it_ended() -> None:
    environment, saga_id = InMemoryEnvironment(), new_saga_id()
    first = Desk(environment)
    first.start(saga_id).result(0)
    first.turn(Events((completed(saga_id),)))
    environment.crash()
    next_run = Desk(environment)
    handle = next_run.watches.of(saga_id)
    next_run.engine.recover()
    next_run.start(saga_id).result(0)
    assert isinstance(handle.verdict, SagaCompleted)


def test_a_request_that_the_other_engine_of_the_actor_has_refused_is_left_alone() -> None:
    desk, saga_id = Desk(), new_saga_id()
    reply: Future[None] = Future()
    reply.set_exception(SagaError("the SagaSystem is stopping; nothing was done"))
    desk.around.is_stopping = True
    desk.engine.receive(StartRequest(saga_id, PLAN, b"p", reply))
    assert desk.journal.read(saga_id) == ()


@pytest.mark.parametrize("name", ["errand", "e" * 64, "e" * 65, "e" * 1000])
def test_a_start_is_told_from_another_whatever_the_length_of_the_saga_type(name: str) -> None:
    plan, other = (
        SagaPlan(saga_type=text, steps=(StepPlan(step_name="go", after=OnSagaStart()),)) for text in (name, name + "x")
    )
    assert len({start_digest(plan, b"p"), start_digest(other, b"p"), start_digest(plan, b"q")}) == 3
    assert start_digest(plan, b"p") == start_digest(plan, b"p")
