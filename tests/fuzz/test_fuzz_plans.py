"""A stored plan is a plan, or a `PayloadError`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saga_choreography.codec import decode_plan, encode_plan
from saga_choreography.codec.wire import pack, unpack
from saga_choreography.errors import PayloadError
from saga_choreography.types import (
    DEEPEST_DEPENDENCY,
    After,
    AllOf,
    AnyOf,
    DependencySpec,
    OnSagaStart,
    SagaPlan,
    StepPlan,
)
from tests.codec.strategies import PLANS
from tests.fuzz.budget import examples, is_soak
from tests.fuzz.conforming import conforms
from tests.fuzz.hostile_msgpack import HOSTILE, PLAIN, list_header, map_header, tower
from tests.fuzz.mutations import mutated
from tests.fuzz.refusals import must_name

SAMPLES = [
    SagaPlan(saga_type="order", steps=(StepPlan(step_name="pay", after=OnSagaStart()),)),
    SagaPlan(
        saga_type="trip",
        steps=(
            StepPlan(step_name="fly", after=OnSagaStart(), dependents=("stay",), tells_settled=("pack",)),
            StepPlan(step_name="pack", after=AnyOf((OnSagaStart(), After("fly"))), pure=True),
            StepPlan(step_name="stay", after=AllOf((After("fly"), AnyOf((After("pack"),)))), undo_after=("fly",)),
        ),
        overall_timeout_millis=30_000,
        stalled_timeout_millis=1_000,
    ),
]
DAMAGED = PLANS if is_soak() else st.sampled_from(SAMPLES)


def decoded_or_refused(packed: bytes) -> SagaPlan | None:
    """The plan, or None when it was refused; fails on everything else."""
    try:
        plan = decode_plan(packed)
    except PayloadError as error:
        must_name(error, "a stored plan is not a valid SagaPlan")
        return None
    assert conforms(plan.steps, tuple[StepPlan, ...])
    assert conforms((plan.overall_timeout_millis, plan.stalled_timeout_millis), tuple[int | None, int | None])
    assert decode_plan(encode_plan(plan)[1]) == plan
    return plan


@examples(40)
@given(plan=PLANS)
def test_every_plan_comes_back_and_is_always_the_same_bytes(plan: SagaPlan) -> None:
    digest, packed = encode_plan(plan)
    assert decoded_or_refused(packed) == plan
    assert encode_plan.__wrapped__(plan) == (digest, packed)


@examples(80)
@given(plan=DAMAGED, other=DAMAGED, data=st.data())
def test_a_damaged_plan_is_a_plan_or_refused(plan: SagaPlan, other: SagaPlan, data: st.DataObject) -> None:
    decoded_or_refused(data.draw(mutated(encode_plan(plan)[1], encode_plan(other)[1])))


@examples(80)
@given(raw=HOSTILE)
def test_any_other_bytes_are_refused(raw: bytes) -> None:
    assert decoded_or_refused(raw) is None


@examples(120)
@given(plan=DAMAGED, value=PLAIN, data=st.data())
def test_a_part_of_another_kind_is_refused_or_a_plan(plan: SagaPlan, value: object, data: st.DataObject) -> None:
    layout = unpack(encode_plan(plan)[1])
    assert isinstance(layout, dict)
    holder: dict[str, object] = layout
    inside: bool = data.draw(st.booleans())
    if plan.steps and inside:
        holder = data.draw(st.sampled_from(layout["steps"]))
    key = data.draw(st.sampled_from(sorted(holder)))
    inner = holder[key]
    if isinstance(inner, list) and inner and data.draw(st.booleans()):
        inner[data.draw(st.integers(0, len(inner) - 1))] = value
    elif data.draw(st.booleans()):
        holder[key] = value
    else:
        del holder[key]
    decoded_or_refused(pack(layout))


def nested(levels: int, kind: type[AllOf] | type[AnyOf] = AllOf) -> DependencySpec:
    spec: DependencySpec = After("first")
    for _ in range(levels):
        spec = kind((spec,))
    return spec


def plan_of(spec: DependencySpec) -> SagaPlan:
    return SagaPlan(saga_type="deep", steps=(StepPlan(step_name="last", after=spec),))


@pytest.mark.parametrize("kind", [AllOf, AnyOf])
def test_a_dependency_may_be_nested_and_not_too_deep(kind: type[AllOf] | type[AnyOf]) -> None:
    deepest = plan_of(nested(DEEPEST_DEPENDENCY, kind))
    assert decoded_or_refused(encode_plan(deepest)[1]) == deepest
    with pytest.raises(PayloadError, match=r"saga type 'deep'.*nested more than 50 levels"):
        encode_plan(plan_of(nested(DEEPEST_DEPENDENCY + 1, kind)))


@pytest.mark.parametrize("levels", [DEEPEST_DEPENDENCY + 1, 480, 1_000, 10_000])
def test_a_stored_dependency_that_is_nested_too_deep_is_refused(levels: int) -> None:
    _, packed = encode_plan(plan_of(After("first")))
    leaf = pack(["after", "first"])
    assert leaf in packed
    assert decoded_or_refused(packed.replace(leaf, b"\x92\xa3all" * levels + leaf)) is None


@pytest.mark.parametrize(
    "raw",
    [
        list_header(2**31),
        map_header(2**31),
        tower(10_000),
        tower(10_000, b"\x81\xa5steps"),
        map_header(1) + pack("steps") + list_header(2**32 - 1),
    ],
    ids=["list", "mapping", "tower", "tower of mappings", "steps"],
)
def test_a_plan_that_promises_too_much_is_refused(raw: bytes) -> None:
    assert decoded_or_refused(raw) is None
