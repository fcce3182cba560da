"""Plans as bytes. A plan is stored once per store under its digest; records only name the digest."""

import hashlib
from functools import lru_cache
from typing import Final, Protocol

from saga_choreography.codec.reasons import reason_of
from saga_choreography.codec.wire import pack, unpack
from saga_choreography.errors import PayloadError
from saga_choreography.types import (
    DEEPEST_DEPENDENCY,
    After,
    AllOf,
    AnyOf,
    DependencySpec,
    InDoubt,
    OnSagaStart,
    RetryPolicy,
    SagaPlan,
    StepPlan,
)

DIGEST_BYTES: Final = 16


class PlanTable(Protocol):
    """Where a store keeps its plans."""

    def save_plan(self, digest: bytes, plan: bytes) -> None: ...

    def load_plan(self, digest: bytes) -> bytes | None: ...


def _deeper(levels: int) -> int:
    if not levels:
        raise ValueError(f"a dependency is nested more than {DEEPEST_DEPENDENCY} levels deep")
    return levels - 1


def _spec_out(spec: DependencySpec, levels: int = DEEPEST_DEPENDENCY) -> list[object]:
    match spec:
        case OnSagaStart():
            return ["start"]
        case After(step_name):
            return ["after", step_name]
        case AllOf(of):
            return ["all", *(_spec_out(part, _deeper(levels)) for part in of)]
        case AnyOf(of):
            return ["any", *(_spec_out(part, _deeper(levels)) for part in of)]


def _spec_in(raw: object, levels: int = DEEPEST_DEPENDENCY) -> DependencySpec:
    match raw:
        case ["start"]:
            return OnSagaStart()
        case ["after", str(step_name)]:
            return After(step_name)
        case ["all", *parts]:
            return AllOf(tuple([_spec_in(part, _deeper(levels)) for part in parts]))
        case ["any", *parts]:
            return AnyOf(tuple([_spec_in(part, _deeper(levels)) for part in parts]))
        case _:
            raise ValueError(f"unknown dependency {raw!r:.80}")


def _policy_out(policy: RetryPolicy) -> list[object]:
    return [
        policy.max_attempts,
        policy.initial_delay_millis,
        policy.max_delay_millis,
        float(policy.backoff_multiplier),
        float(policy.jitter),
    ]


def _policy_in(raw: list[object]) -> RetryPolicy:
    match raw:
        case [
            int(attempts),
            int(initial),
            int(longest),
            int() | float() as multiplier,
            int() | float() as jitter,
            *_,
        ] if not any(isinstance(number, bool) for number in raw[:5]):
            return RetryPolicy(
                max_attempts=attempts,
                initial_delay_millis=initial,
                max_delay_millis=longest,
                backoff_multiplier=float(multiplier),
                jitter=float(jitter),
            )
        case _:
            raise ValueError(f"unknown retry policy {raw!r:.80}")


def _step_out(step: StepPlan) -> dict[str, object]:
    return {
        "name": step.step_name,
        "after": _spec_out(step.after),
        "dependents": list(step.dependents),
        "undo_after": list(step.undo_after),
        "tells_settled": list(step.tells_settled),
        "retry": _policy_out(step.retry),
        "compensation_retry": _policy_out(step.compensation_retry),
        "in_doubt": step.in_doubt.value,
        "in_doubt_attempts": step.in_doubt_attempts,
        "pure": step.pure,
    }


def step_names(raw: list[object]) -> tuple[str, ...]:
    """The names in a list.

    Raises:
        ValueError: it holds something else.
    """
    names = tuple(name for name in raw if isinstance(name, str))
    if len(names) != len(raw):
        raise ValueError(f"step names expected, got {raw!r:.80}")
    return names


def _step_in(raw: object) -> StepPlan:
    match raw:
        case {
            "name": str(name),
            "after": after,
            "retry": list(retry),
            "compensation_retry": list(compensation_retry),
            "in_doubt": str(in_doubt),
            "in_doubt_attempts": int(in_doubt_attempts),
            "pure": bool(pure),
            "dependents": list(dependents),
            "undo_after": list(undo_after),
            "tells_settled": list(tells_settled),
        } if not isinstance(in_doubt_attempts, bool):
            return StepPlan(
                step_name=name,
                after=_spec_in(after),
                dependents=step_names(dependents),
                undo_after=step_names(undo_after),
                tells_settled=step_names(tells_settled),
                retry=_policy_in(retry),
                compensation_retry=_policy_in(compensation_retry),
                in_doubt=InDoubt(in_doubt),
                in_doubt_attempts=in_doubt_attempts,
                pure=pure,
            )
        case _:
            raise ValueError(f"unknown step plan {raw!r:.80}")


@lru_cache(maxsize=1024)
def encode_plan(plan: SagaPlan) -> tuple[bytes, bytes]:
    """(digest, bytes) of a plan; equal plans have equal digests.

    Raises:
        PayloadError: it holds a number that is too large, or nests its dependencies too deep.
    """
    try:
        packed = pack(
            {
                "saga_type": plan.saga_type,
                "overall_timeout_millis": plan.overall_timeout_millis,
                "stalled_timeout_millis": plan.stalled_timeout_millis,
                "steps": [_step_out(step) for step in plan.steps],
            }
        )
    except (ValueError, OverflowError) as error:
        raise PayloadError(f"the plan of saga type {plan.saga_type!r}", "SagaPlan", reason_of(error)) from error
    return hashlib.blake2b(packed, digest_size=DIGEST_BYTES).digest(), packed


@lru_cache(maxsize=1024)
def decode_plan(packed: bytes) -> SagaPlan:
    """The plan of its bytes; equal bytes give the same object, so live sagas share it.

    Raises:
        PayloadError: the bytes are no plan.
    """
    try:
        match unpack(packed):
            case {
                "saga_type": str(saga_type),
                "overall_timeout_millis": int() | None as overall,
                "stalled_timeout_millis": int() | None as stalled,
                "steps": list(steps),
            } if not isinstance(overall, bool) and not isinstance(stalled, bool):
                return SagaPlan(
                    saga_type=saga_type,
                    steps=tuple(map(_step_in, steps)),
                    overall_timeout_millis=overall,
                    stalled_timeout_millis=stalled,
                )
            case other:
                raise ValueError(f"unknown layout {other!r:.80}")
    except Exception as error:
        raise PayloadError("a stored plan", "SagaPlan", reason_of(error)) from error
