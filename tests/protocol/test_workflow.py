"""Every fault of a graph is named; a graph without faults is linked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saga_choreography.protocol.dependencies import can_be_satisfied, satisfied_by, sources
from saga_choreography.protocol.workflow import graph_faults, link, plan_faults
from saga_choreography.types import SAGA_START, After, AllOf, AnyOf, DependencySpec, OnSagaStart, SagaPlan, StepPlan

START = OnSagaStart()


def step(name: str, after: DependencySpec = START, *, pure: bool = False) -> StepPlan:
    return StepPlan(step_name=name, after=after, pure=pure)


def faults(*steps: StepPlan, saga_type: str = "order") -> list[str]:
    return list(graph_faults(saga_type, steps))


def linked(*steps: StepPlan) -> dict[str, StepPlan]:
    return {each.step_name: each for each in link(steps)}


class TestFaults:
    """One sentence for every fault."""

    def test_a_sound_graph_has_none(self) -> None:
        assert faults(step("a"), step("b", After("a")), step("j", AllOf((After("a"), After("b"))))) == []

    def test_the_order_of_declaration_does_not_matter(self) -> None:
        assert faults(step("b", After("a")), step("a")) == []

    def test_no_steps(self) -> None:
        assert faults() == ["it has no steps"]

    def test_a_step_declared_twice(self) -> None:
        assert faults(step("a"), step("a")) == ["step 'a' is declared twice"]

    def test_a_source_that_is_no_step(self) -> None:
        assert faults(step("a"), step("b", After("ghost"))) == [
            "step 'b' waits for 'ghost', which is not a step of this workflow",
            "step 'b' is unreachable: it can never be triggered",
        ]

    def test_an_unknown_source_is_a_fault_even_where_another_would_do(self) -> None:
        assert faults(step("a"), step("b", AnyOf((After("a"), After("ghost"))))) == [
            "step 'b' waits for 'ghost', which is not a step of this workflow"
        ]

    def test_a_cycle_and_all_behind_it_is_unreachable(self) -> None:
        graph = (step("a"), step("b", After("c")), step("c", After("b")), step("d", After("c")))
        assert faults(*graph) == [f"step {name!r} is unreachable: it can never be triggered" for name in "bcd"]

    def test_a_step_that_waits_for_itself_is_unreachable(self) -> None:
        assert faults(step("a"), step("b", After("b"))) == ["step 'b' is unreachable: it can never be triggered"]

    def test_a_step_without_any_source_is_unreachable(self) -> None:
        for nothing in (AllOf(()), AnyOf(()), AllOf((AllOf(()),))):
            assert faults(step("a"), step("b", nothing)) == ["step 'b' is unreachable: it can never be triggered"]

    def test_a_join_of_nothing_is_never_satisfied(self) -> None:
        assert satisfied_by(AllOf(()), {"a": b"x"}) is None
        assert satisfied_by(AllOf((After("a"), AllOf(()))), {"a": b"x"}) is None
        assert satisfied_by(AnyOf(()), {"a": b"x"}) is None

    def test_the_start_of_the_saga_is_no_step_name(self) -> None:
        assert faults(step("a"), step("b", After(SAGA_START))) == ["step 'b' is unreachable: it can never be triggered"]

    @pytest.mark.parametrize("name", ["", "1a", "a b", "a/b", "@start", "é", "a" * 65, "a\n", "_a", "-a"])
    def test_a_bad_name(self, name: str) -> None:
        assert any("is not a name" in fault for fault in faults(step(name)))
        assert any("saga type" in fault for fault in faults(step("a"), saga_type=name))

    @pytest.mark.parametrize("name", ["a", "book_flight", "a-b.c_d9", "A" * 64])
    def test_a_good_name(self, name: str) -> None:
        assert faults(step(name), saga_type=name) == []

    def test_all_faults_are_listed_at_once(self) -> None:
        assert len(faults(step("a b"), step("c", After("x")), step("c", After("x")), saga_type="!")) == 6

    @pytest.mark.parametrize("millis", [0, -1])
    def test_a_timeout_must_be_positive(self, millis: int) -> None:
        plan = SagaPlan(saga_type="order", steps=(), overall_timeout_millis=millis, stalled_timeout_millis=millis)
        assert list(plan_faults(plan)) == [
            f"overall_timeout_millis is {millis}, it must be positive or None",
            f"stalled_timeout_millis is {millis}, it must be positive or None",
        ]

    @pytest.mark.parametrize("millis", [1, None])
    def test_a_positive_timeout_or_none_is_sound(self, millis: int | None) -> None:
        plan = SagaPlan(saga_type="order", steps=(), overall_timeout_millis=millis, stalled_timeout_millis=millis)
        assert list(plan_faults(plan)) == []


class TestLink:
    """Who depends on whom, who is undone after whom."""

    def test_a_line_is_undone_backwards(self) -> None:
        plan = linked(step("a"), step("b", After("a")), step("c", After("b")))
        assert [plan[name].dependents for name in "abc"] == [("b",), ("c",), ()]
        assert [plan[name].undo_after for name in "abc"] == [("b",), ("c",), ()]
        assert [plan[name].tells_settled for name in "abc"] == [(), ("a",), ("b",)]

    def test_branches_do_not_wait_for_each_other(self) -> None:
        plan = linked(step("a"), step("b", After("a")), step("c", After("a")))
        assert plan["a"].undo_after == ("b", "c")
        assert plan["b"].undo_after == plan["c"].undo_after == ()

    @pytest.mark.parametrize("join", [AllOf, AnyOf])
    def test_every_source_of_a_join_is_undone_after_it(self, join: type[AllOf] | type[AnyOf]) -> None:
        plan = linked(step("a"), step("b"), step("j", join((After("a"), After("b")))))
        assert plan["a"].undo_after == plan["b"].undo_after == ("j",)
        assert plan["j"].tells_settled == ("a", "b")

    def test_the_undo_looks_through_pure_steps(self) -> None:
        plan = linked(
            step("a"),
            step("p", After("a"), pure=True),
            step("q", After("p"), pure=True),
            step("c", After("q")),
            step("d", After("c")),
        )
        assert plan["a"].undo_after == ("p", "q", "c")
        assert plan["p"].undo_after == ("q", "c")
        assert plan["c"].undo_after == ("d",)
        assert plan["c"].tells_settled == ("a", "p", "q")
        assert plan["a"].dependents == ("p",)

    def test_a_step_named_twice_in_one_join_is_one_dependent(self) -> None:
        plan = linked(step("a"), step("j", AllOf((After("a"), AnyOf((After("a"), START))))))
        assert plan["a"].dependents == plan["a"].undo_after == ("j",)

    def test_a_ladder_of_many_pure_steps_is_linked_in_no_time(self) -> None:
        rungs: list[StepPlan] = [step("l0"), step("r0")]
        for number in range(1, 60):
            below = AllOf((After(f"l{number - 1}"), After(f"r{number - 1}")))
            rungs += (step(f"l{number}", below, pure=True), step(f"r{number}", below, pure=True))
        plan = linked(*rungs)
        assert len(plan["l0"].undo_after) == 118


@st.composite
def graphs(draw: st.DrawFn) -> tuple[StepPlan, ...]:
    """Sound graphs of up to eight steps: each waits for the start or for earlier ones."""
    steps: list[StepPlan] = []
    for number in range(draw(st.integers(1, 8))):
        leaves: st.SearchStrategy[DependencySpec] = st.just(START)
        if steps:
            leaves = st.one_of(leaves, st.sampled_from([After(each.step_name) for each in steps]))
        spec = st.one_of(
            leaves,
            st.builds(AllOf, st.lists(leaves, min_size=1, max_size=3).map(tuple)),
            st.builds(AnyOf, st.lists(leaves, min_size=1, max_size=3).map(tuple)),
        )
        steps.append(step(f"s{number}", draw(spec), pure=draw(st.booleans())))
    return tuple(draw(st.permutations(steps)))


@given(graphs())
def test_a_sound_graph_has_no_fault_and_its_links_mirror_each_other(steps: tuple[StepPlan, ...]) -> None:
    assert faults(*steps) == []
    plan = linked(*steps)
    assert tuple(plan) == tuple(each.step_name for each in steps)
    for name, each in plan.items():
        for dependent in each.dependents:
            assert name in sources(plan[dependent].after)
            assert dependent in each.undo_after
        for later in each.undo_after:
            assert name in plan[later].tells_settled
        for earlier in each.tells_settled:
            assert name in plan[earlier].undo_after
        assert name not in each.undo_after
        for dependent in each.undo_after:
            if plan[dependent].pure:
                assert set(plan[dependent].dependents) <= set(each.undo_after)


@given(graphs())
def test_linking_twice_is_linking_once(steps: tuple[StepPlan, ...]) -> None:
    assert link(link(steps)) == link(steps)


@given(graphs(), st.data())
def test_a_step_is_triggered_exactly_when_its_sources_allow(steps: tuple[StepPlan, ...], data: st.DataObject) -> None:
    after = data.draw(st.sampled_from(steps)).after
    names = [each.step_name for each in steps]
    happened = data.draw(st.sets(st.sampled_from(names)))
    arrived = {SAGA_START: b"start"} | {name: name.encode() for name in sorted(happened)}
    chosen = satisfied_by(after, arrived)
    assert (chosen is not None) == can_be_satisfied(after, happened)
    if chosen is not None:
        assert all(arrived[source] == value and source in set(sources(after)) for source, value in chosen)
