"""Plans are stored as data, once, under their digest."""

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from saga_choreography.codec import decode_plan, encode_plan
from saga_choreography.codec.wire import pack, unpack
from saga_choreography.errors import PayloadError
from saga_choreography.types import After, InDoubt, OnSagaStart, RetryPolicy, SagaPlan, StepPlan

PLAN = SagaPlan(saga_type="order", steps=(StepPlan(step_name="pay", after=OnSagaStart()),))


@settings(deadline=None)
@given(st.data())
def test_any_plan_comes_back_as_it_was(any_plan: st.SearchStrategy[SagaPlan], data: st.DataObject) -> None:
    plan = data.draw(any_plan)
    digest, packed = encode_plan(plan)
    assert decode_plan(packed) == plan
    assert len(digest) == 16
    assert encode_plan(decode_plan(packed)) == (digest, packed)


def test_equal_bytes_give_one_shared_plan() -> None:
    _, packed = encode_plan(PLAN)
    assert decode_plan(packed) is decode_plan(bytes(bytearray(packed)))


@pytest.mark.parametrize(
    "other",
    [
        evolve(PLAN, saga_type="orders"),
        evolve(PLAN, overall_timeout_millis=1),
        evolve(PLAN, stalled_timeout_millis=1),
        evolve(PLAN, steps=()),
        evolve(PLAN, steps=(evolve(PLAN.steps[0], pure=True),)),
        evolve(PLAN, steps=(evolve(PLAN.steps[0], in_doubt=InDoubt.QUARANTINE),)),
        evolve(PLAN, steps=(evolve(PLAN.steps[0], after=After("pay")),)),
        evolve(PLAN, steps=(evolve(PLAN.steps[0], retry=RetryPolicy(max_attempts=9)),)),
        evolve(PLAN, steps=(evolve(PLAN.steps[0], undo_after=("pay",)),)),
    ],
    ids=range(9),
)
def test_plans_that_differ_have_digests_that_differ(other: SagaPlan) -> None:
    assert encode_plan(other)[0] != encode_plan(PLAN)[0]


def layout() -> dict[str, object]:
    unpacked = unpack(encode_plan(PLAN)[1])
    assert isinstance(unpacked, dict)
    return unpacked


def test_fields_of_a_later_version_are_ignored() -> None:
    later = layout()
    later["quorum"] = 3
    assert decode_plan(pack(later)) == PLAN


@pytest.mark.parametrize("missing", ["saga_type", "steps", "overall_timeout_millis", "stalled_timeout_millis"])
def test_a_plan_without_a_field_is_refused(missing: str) -> None:
    broken = layout()
    del broken[missing]
    with pytest.raises(PayloadError):
        decode_plan(pack(broken))


@given(st.binary(max_size=50))
def test_bytes_that_are_no_plan_are_refused(raw: bytes) -> None:
    with pytest.raises(PayloadError):
        decode_plan(raw)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("after", ["somehow"]),
        ("after", []),
        ("retry", [1]),
        ("retry", [0, 1, 1, 1.0, 0.0]),
        ("in_doubt", "guess"),
        ("dependents", [1]),
        ("pure", 1),
    ],
)
def test_a_step_that_does_not_fit_is_refused(field: str, value: object) -> None:
    broken = layout()
    steps = broken["steps"]
    assert isinstance(steps, list)
    steps[0][field] = value
    with pytest.raises(PayloadError):
        decode_plan(pack(broken))
