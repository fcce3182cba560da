"""What `check_upgrade` says of sagas that an earlier program left, in each state, before each kind of change."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from saga_choreography import (
    AmbiguousStepError,
    Durability,
    InDoubt,
    RetryPolicy,
    SagaContext,
    SagaFailed,
    SagaId,
    SagaQuarantined,
    SagaSystem,
    SagaWorkflow,
    StepOutput,
    TerminalCompensationError,
    TerminalStepError,
    UpgradeFault,
    UpgradeReport,
    WorkflowError,
    check_upgrade,
    complete_pending,
)
from saga_choreography.errors import StoreDamaged, StoreError, StoreLocked
from saga_choreography.helpers.upgrade_plans import always_gives, plan_changes
from saga_choreography.protocol.dependencies import satisfied_by, sources
from saga_choreography.storage import INITIATOR, PARTICIPANT
from saga_choreography.storage.layout import SEQUENCE
from saga_choreography.types import After, AllOf, AnyOf, DependencySpec, OnSagaStart
from tests.cli.journeys import (
    BROKEN,
    CITIES,
    EVOLVED,
    OTHER,
    SAME,
    SECONDS,
    Bags,
    CountryTrip,
    RenamedBags,
    Seat,
    TripOfToday,
    left_waiting,
    today,
)
from tests.disk.media import contents
from tests.fuzz.lmdb_damage import DAMAGES, change_row
from tests.runtime.journey import (
    JOURNEY,
    CancelFlight,
    CarefulHost,
    Flight,
    Host,
    Packed,
    Packer,
    Pilot,
    Trip,
    World,
    running,
)
from tests.runtime.test_isolation import Watcher


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[SagaId]]:
    """Two sagas whose last step is pending."""
    path = tmp_path_factory.mktemp("waiting")
    return path, left_waiting(path)


@pytest.fixture(scope="module")
def half_way(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sagas whose second step is pending, so that the last one was not triggered."""
    path = tmp_path_factory.mktemp("half_way")
    left_waiting(path, "fly")
    return path


def shown(report: UpgradeReport) -> list[tuple[str | None, str]]:
    """Step and kind of the faults, each once."""
    return sorted({(fault.step_name, fault.what) for fault in report.faults}, key=str)


def fault_of(report: UpgradeReport, step_name: str | None, what: str) -> UpgradeFault:
    return next(fault for fault in report.faults if (fault.step_name, fault.what) == (step_name, what))


# ---------------------------------------------------------------- nothing in the way


def test_an_unchanged_program_resumes_everything(waiting: tuple[Path, list[SagaId]]) -> None:
    path, sagas = waiting
    before = contents(path)
    report = check_upgrade(path, [SAME])
    # A payload; input, output and undo data of two steps that are done; the input of one that is not.
    assert report == UpgradeReport(stores=4, sagas=len(sagas), values=8 * len(sagas), faults=(), notes=())
    assert contents(path) == before


def test_classes_that_evolved_as_they_should_resume_everything(waiting: tuple[Path, list[SagaId]]) -> None:
    report = check_upgrade(waiting[0], [EVOLVED, OTHER])
    assert report.faults == ()
    (note,) = report.notes
    assert (note.saga_type, note.sagas) == ("journey", len(CITIES))
    assert "step 'dine' is new and not part of them" in note.why


def test_a_directory_without_live_sagas_needs_no_workflow(tmp_path: Path) -> None:
    with running(tmp_path, World()) as system:
        system.start_saga(JOURNEY, Trip("Oslo")).wait_until_ended(SECONDS)
    assert check_upgrade(tmp_path, []) == UpgradeReport(stores=4, sagas=0, values=0, faults=(), notes=())


def test_changed_policies_and_timeouts_are_notes_that_say_what_changed(waiting: tuple[Path, list[SagaId]]) -> None:
    report = check_upgrade(waiting[0], [today(retry=RetryPolicy(max_attempts=9), overall=5_000)])
    assert report.faults == ()
    (note,) = report.notes
    assert "overall_timeout_millis was None and is 5000" in note.why
    assert "step 'fly': retry.max_attempts was 3 and is 9" in note.why
    assert "step 'pack'" not in note.why
    assert str(note).startswith("2 live saga(s) of type 'journey': they end under the plan they began with")


# ---------------------------------------------------------------- values


def test_a_payload_that_cannot_be_read_is_told_with_saga_field_store_and_remedy(
    waiting: tuple[Path, list[SagaId]],
) -> None:
    path, sagas = waiting
    report = check_upgrade(path, [today(trip=CountryTrip)])
    # The inputs of steps that are done hold it too, and are not read any more.
    assert shown(report) == [(None, "payload")]
    assert {fault.saga_id for fault in report.faults} == set(sagas)
    fault = report.faults[0]
    assert fault.saga_type == "journey"
    assert fault.store == str(path / "actors" / "system-initiator" / "0")
    assert "required field missing @ $.country" in fault.why
    assert "CountryTrip" in fault.why
    assert "give new fields a default" in fault.remedy
    text = str(fault)
    for part in (str(fault.saga_id), "'journey'", fault.why, fault.remedy, fault.store):
        assert part in text
    assert sorted(note.why.partition(" is not read")[0] for note in report.notes) == [
        "the stored input of step 'fly'",
        "the stored input of step 'pack'",
    ]


@pytest.mark.parametrize(
    ("workflow", "expected"),
    [
        (today(packed=Bags), [("pack", "output")]),
        (today(flight=Seat), [("fly", "output"), ("stay", "input")]),
        (today(cancel=Seat), [("fly", "undo data")]),
        (today(flight=TripOfToday), [("fly", "output"), ("stay", "input")]),
        (BROKEN, [("fly", "undo data"), (None, "payload")]),
        (today(packed=RenamedBags), []),
    ],
)
def test_what_will_be_read_again_and_cannot_be_is_a_fault(
    waiting: tuple[Path, list[SagaId]], workflow: SagaWorkflow[Any], expected: list[tuple[str | None, str]]
) -> None:
    assert shown(check_upgrade(waiting[0], [workflow])) == expected


def refuse(_: SagaContext) -> None:
    raise TerminalStepError("fully booked")


def not_undone(_: SagaContext) -> None:
    raise TerminalCompensationError("no refund")


def who_knows(_: SagaContext) -> None:
    raise AmbiguousStepError("the line went dead")


def quarantined(path: Path, world: World, host: type[Host] = Host) -> None:
    with running(path, world, host=host) as system:
        workflow = JOURNEY if host is Host else evolve(JOURNEY, steps=(*JOURNEY.steps[:2], CarefulHost.step))
        verdict = system.start_saga(workflow, Trip("Oslo")).result(SECONDS)
        assert isinstance(verdict, SagaQuarantined)


def test_a_step_whose_undo_is_quarantined_needs_its_undo_data_and_nothing_else(tmp_path: Path) -> None:
    quarantined(tmp_path, World(on={"stay": refuse, "undo fly": not_undone}))
    assert shown(check_upgrade(tmp_path, [today(cancel=Seat)])) == [("fly", "undo data")]
    report = check_upgrade(tmp_path, [today(trip=CountryTrip, flight=Seat)])
    assert report.faults == ()
    assert sorted(note.why.partition(" is not read")[0] for note in report.notes) == [
        "the stored input of step 'fly'",
        "the stored input of step 'pack'",
        "the stored output of step 'fly'",
        "the stored payload",
    ]


def test_a_step_in_doubt_that_is_quarantined_needs_its_input(tmp_path: Path) -> None:
    quarantined(tmp_path, World(on={"stay": who_knows}), CarefulHost)
    assert check_upgrade(tmp_path, [today()]).faults == ()
    assert shown(check_upgrade(tmp_path, [today(flight=Seat)])) == [("fly", "output"), ("stay", "input")]
    (note,) = check_upgrade(tmp_path, [today()]).notes
    assert f"in_doubt was {InDoubt.QUARANTINE.value!r} and is {InDoubt.RETRY.value!r}" in note.why


# ---------------------------------------------------------------- plans


def test_a_step_that_is_gone_is_a_fault_once_for_each_saga(waiting: tuple[Path, list[SagaId]]) -> None:
    report = check_upgrade(waiting[0], [today(stay=False)])
    assert shown(report) == [("stay", "plan")]
    assert len(report.faults) == len(CITIES)
    assert "no workflow given declares this step" in report.faults[0].why
    assert "keep it declared" in report.faults[0].remedy


def test_a_saga_type_that_is_gone_is_a_fault_once_for_each_saga(waiting: tuple[Path, list[SagaId]]) -> None:
    path, sagas = waiting
    for workflows in ([], [OTHER]):
        report = check_upgrade(path, workflows)
        assert shown(report) == [(None, "plan")]
        assert {fault.saga_id for fault in report.faults} == set(sagas)
        assert len(report.faults) == len(sagas)


def test_a_step_to_come_that_takes_what_its_saga_will_not_give_is_a_fault(half_way: Path) -> None:
    report = check_upgrade(half_way, [today(stay_after="both")])
    assert shown(report) == [("stay", "plan")]
    assert "waits for 'fly'; today's step takes all_of('pack', 'fly')" in report.faults[0].why
    assert shown(check_upgrade(half_way, [today(stay_after="start")])) == [("stay", "plan")]


def test_a_step_to_come_that_takes_what_it_will_be_given_in_another_way_is_a_note(half_way: Path) -> None:
    report = check_upgrade(half_way, [today(stay_after="either")])
    assert report.faults == ()
    (note,) = report.notes
    assert "step 'stay': it waited for 'fly' and waits for any_of('pack', 'fly')" in note.why


def test_a_step_that_was_triggered_already_is_judged_by_the_input_it_has(waiting: tuple[Path, list[SagaId]]) -> None:
    report = check_upgrade(waiting[0], [today(stay_after="both")])
    assert shown(report) == [("stay", "input")]
    assert "its saga gives it 'fly' instead" in report.faults[0].why
    assert check_upgrade(waiting[0], [today(stay_after="either")]).faults == ()


class ArrivedPilot(Pilot):
    """Its flight has landed while the program was down."""

    def resume_pending(self, context: SagaContext, step_input: tuple[Trip, Packed]) -> None:
        complete_pending(self, context.saga_id, StepOutput(Flight("1A"), CancelFlight("1A")))


class ChangedHost(Host):
    step = today(stay_after="both").steps[2]  # type: ignore[assignment]  # a token whose types are not known


# Classes of a later program, under the names they had in the earlier one.
ArrivedPilot.__name__, ChangedHost.__name__ = "Pilot", "Host"


def test_a_saga_that_meets_a_changed_graph_fails_and_is_undone_and_its_actors_live_on(tmp_path: Path) -> None:
    """What the check warns of: it costs the saga, and nothing else."""
    sagas = left_waiting(tmp_path, "fly")
    assert shown(check_upgrade(tmp_path, [today(stay_after="both")])) == [("stay", "plan")]
    world, watcher = World(), Watcher()
    with SagaSystem(tmp_path, durability=Durability.PROCESS, observers=(watcher,)) as system:
        for actor in (Packer, ChangedHost, ArrivedPilot):
            system.start_actor(actor, world)
        for saga_id in sagas:
            outcome = system.handle(saga_id).result(SECONDS)
            assert isinstance(outcome, SagaFailed)
            assert "its saga gives it 'fly' instead" in str(outcome.cause)
        assert sorted(world.undone_steps()) == ["fly", "fly", "pack", "pack"]
    assert watcher.notices == []


def test_two_different_workflows_of_one_saga_type_are_refused(waiting: tuple[Path, list[SagaId]]) -> None:
    assert check_upgrade(waiting[0], [SAME, SAME]).faults == ()
    with pytest.raises(WorkflowError, match="two different workflows of this saga type"):
        check_upgrade(waiting[0], [SAME, BROKEN])


# ---------------------------------------------------------------- stores


@pytest.mark.parametrize(
    ("damage", "remedy"), [("a flipped bit", "restore it from a backup"), ("a newer format", "use the version that")]
)
@pytest.mark.parametrize(("actor", "table"), [("Host", PARTICIPANT.records), ("system-initiator", INITIATOR.records)])
def test_records_that_cannot_be_read_are_a_fault_of_their_saga(
    waiting: tuple[Path, list[SagaId]], tmp_path: Path, damage: str, remedy: str, actor: str, table: str
) -> None:
    path, (damaged, _) = copied(waiting, tmp_path)
    store = path / "actors" / actor / "0"
    change_row(store, table, damaged.bytes + SEQUENCE.pack(1), lambda value: DAMAGES[damage](damaged, value))
    before = contents(path)
    report = check_upgrade(path, [SAME])
    (fault,) = report.faults
    assert (fault.saga_id, fault.store, fault.what) == (damaged, str(store), "records")
    assert fault.saga_type is fault.step_name is None
    assert remedy in fault.remedy
    assert report.sagas == len(CITIES)
    assert contents(path) == before


def test_records_that_cannot_follow_each_other_are_a_fault_too(
    waiting: tuple[Path, list[SagaId]], tmp_path: Path
) -> None:
    path, (damaged, _) = copied(waiting, tmp_path)
    damage = DAMAGES["the tag of another record"]
    key = damaged.bytes + SEQUENCE.pack(1)
    change_row(path / "actors" / "Host" / "0", PARTICIPANT.records, key, lambda value: damage(damaged, value))
    assert shown(check_upgrade(path, [SAME])) == [(None, "records")]


def cut(store: Path) -> None:
    os.truncate(store / "data.mdb", 10)


def lose(store: Path) -> None:
    shutil.rmtree(store)


@pytest.mark.parametrize("damage", [cut, lose])
def test_a_store_that_cannot_be_read_is_an_error_that_names_it(
    waiting: tuple[Path, list[SagaId]], tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    path, _ = copied(waiting, tmp_path)
    damage(path / "actors" / "Host" / "0")
    with pytest.raises(StoreError, match=str(path / "actors" / "Host" / "0")):
        check_upgrade(path, [SAME])


def test_a_directory_that_is_not_there_is_an_error_and_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(StoreDamaged, match="check the path"):
        check_upgrade(tmp_path / "state", [SAME])
    assert list(tmp_path.iterdir()) == []


def test_in_the_process_of_the_system_itself_it_is_refused_and_leaves_it_in_peace(tmp_path: Path) -> None:
    with running(tmp_path, World()) as system:
        with pytest.raises(StoreLocked):
            check_upgrade(tmp_path, [SAME])
        system.start_saga(JOURNEY, Trip("Oslo")).wait_until_ended(SECONDS)


def copied(waiting: tuple[Path, list[SagaId]], target: Path) -> tuple[Path, list[SagaId]]:
    return shutil.copytree(waiting[0], target / "state"), waiting[1]


# ---------------------------------------------------------------- dependencies

NAMES = st.sampled_from("abc")
SPECS: st.SearchStrategy[DependencySpec] = st.recursive(
    st.just(OnSagaStart()) | st.builds(After, NAMES),
    lambda part: (
        st.builds(AllOf, st.lists(part, min_size=1, max_size=3).map(tuple))
        | st.builds(AnyOf, st.lists(part, min_size=1, max_size=3).map(tuple))
    ),
    max_leaves=6,
)


@given(SPECS, SPECS, st.permutations(["@start", "a", "b", "c"]))
def test_what_always_gives_another_dependency_its_input_does_so_in_every_order(
    begun: DependencySpec, now: DependencySpec, order: list[str]
) -> None:
    arrived: dict[str, bytes] = {}
    for source in order:
        arrived[source] = b""
        given = satisfied_by(begun, arrived)
        if given is not None and always_gives(begun, now):
            assert satisfied_by(now, dict(given)) is not None


@given(SPECS)
def test_a_dependency_gives_its_own_input_and_that_of_any_part_with_more_choice(spec: DependencySpec) -> None:
    assert always_gives(spec, spec)
    assert always_gives(spec, AnyOf((After("elsewhere"), spec)))
    assert always_gives(AllOf((spec, After("elsewhere"))), spec)
    assert not always_gives(spec, After("elsewhere"))
    assert not always_gives(spec, AllOf((spec, After("elsewhere"))))
    assert always_gives(spec, AnyOf(tuple(dict.fromkeys(map(leaf, sources(spec))))))


def leaf(source: str) -> DependencySpec:
    return OnSagaStart() if source == "@start" else After(source)


def test_equal_plans_have_no_changes_and_a_step_that_is_gone_is_none() -> None:
    assert list(plan_changes(JOURNEY.plan, JOURNEY.plan)) == []
    assert list(plan_changes(JOURNEY.plan, today(stay=False).plan)) == []
