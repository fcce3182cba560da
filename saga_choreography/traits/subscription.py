"""Typed wiring: tokens that say what a step waits for, what it is given and what it gives.

The type parameters of a token are invariant on purpose: with a covariant output or a contravariant input a checker
joins a mismatch to `object` (or a union) and the mis-wiring passes in silence.
"""

from collections.abc import Iterator, Mapping
from functools import reduce
from operator import or_
from types import GenericAlias
from typing import Any, Generic, Literal, Protocol, cast, final, overload

from attrs import Factory, field, frozen
from typing_extensions import TypeVar

from saga_choreography.codec import payload_codec, storable_faults
from saga_choreography.errors import PayloadError
from saga_choreography.protocol.dependencies import satisfied_by
from saga_choreography.types import (
    SAGA_START,
    After,
    AllOf,
    AnyOf,
    DependencySpec,
    InDoubt,
    OnSagaStart,
    RetryPolicy,
    StepPlan,
)

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
In = TypeVar("In")
Out = TypeVar("Out")
Undo = TypeVar("Undo", default=None)
Out_co = TypeVar("Out_co", covariant=True)


def _given(values: Mapping[str, bytes], name: str) -> bytes:
    raw = values.get(name)
    if raw is None:
        given = ", ".join(map(repr, values)) or "nothing"
        raise PayloadError("what the step is given", f"input with {name!r} in it", f"its saga gives it {given} instead")
    return raw


@frozen
class AnySource:
    """What a step can wait for, without its type."""

    name: str

    def dependency(self) -> DependencySpec:
        """This source as plain data."""
        raise NotImplementedError

    def sagas(self) -> frozenset[str]:
        """Names of the saga tokens this source goes back to."""
        raise NotImplementedError

    def take(self, values: Mapping[str, bytes]) -> object:
        """Decode what this source gives, from encoded values by source name.

        Raises:
            PayloadError: a value is not of its class, or is not there: the saga began under another graph.
        """
        raise NotImplementedError


@frozen
class Source(AnySource, Generic[Out]):
    """What a step can wait for, and the class of the value it will be given."""

    gives: type[Out]


@final
@frozen
class Saga(Source[Out]):
    """The start of a saga type: `gives` is the class of its payload.

    A saga is a sequence of steps with an undo for each (Garcia-Molina and Salem, "Sagas", 1987); here it is a graph.
    """

    _words: str = field(
        init=False,
        eq=False,
        repr=False,
        default=Factory(lambda saga: f"payload of saga type {saga.name!r}", takes_self=True),
    )

    def dependency(self) -> DependencySpec:
        return OnSagaStart()

    def sagas(self) -> frozenset[str]:
        return frozenset({self.name})

    def take(self, values: Mapping[str, bytes]) -> object:
        return payload_codec(self.gives).decode(_given(values, SAGA_START), self._words)


@final
@frozen
class Join(Source[Out]):
    """Several sources as one."""

    mode: Literal["all", "any"]
    of: tuple[AnySource, ...]
    _sagas: frozenset[str] = field(
        init=False,
        eq=False,
        repr=False,
        default=Factory(lambda join: frozenset().union(*(source.sagas() for source in join.of)), takes_self=True),
    )

    def dependency(self) -> DependencySpec:
        parts = tuple(source.dependency() for source in self.of)
        return AllOf(parts) if self.mode == "all" else AnyOf(parts)

    def sagas(self) -> frozenset[str]:
        return self._sagas

    def take(self, values: Mapping[str, bytes]) -> object:
        if self.mode == "all":
            return tuple(source.take(values) for source in self.of)
        chosen = (source for source in self.of if satisfied_by(source.dependency(), values) is not None)
        return next(chosen, self.of[0]).take(values)


@final
@frozen
class Step(Source[Out], Generic[In, Out, Undo]):
    """A step: `Step[In, Out, Undo](name, OutClass, after=source of In, undo=UndoClass)`.

    `undo=None`: the undo needs no data (it still exists). `pure=True`: the step changes nothing outside, so it skips a
    commit and has nothing to undo. Delays of the policies are in milliseconds.
    """

    after: Source[In] = field(kw_only=True)
    undo: type[Undo] | None = field(default=None, kw_only=True)
    retry: RetryPolicy = field(factory=RetryPolicy, kw_only=True)
    compensation_retry: RetryPolicy = field(factory=lambda: RetryPolicy(max_attempts=5), kw_only=True)
    in_doubt: InDoubt = field(default=InDoubt.RETRY, kw_only=True)
    in_doubt_attempts: int = field(default=5, kw_only=True)
    pure: bool = field(default=False, kw_only=True)
    _sagas: frozenset[str] = field(
        init=False, eq=False, repr=False, default=Factory(lambda step: step.after.sagas(), takes_self=True)
    )

    _words: str = field(
        init=False, eq=False, repr=False, default=Factory(lambda step: f"output of step {step.name!r}", takes_self=True)
    )

    def dependency(self) -> DependencySpec:
        return After(self.name)

    def sagas(self) -> frozenset[str]:
        return self._sagas

    def take(self, values: Mapping[str, bytes]) -> object:
        return payload_codec(self.gives).decode(_given(values, self.name), self._words)

    def plan(self) -> StepPlan:
        """This step as plain data, not linked to others yet."""
        return StepPlan(
            step_name=self.name,
            after=self.after.dependency(),
            retry=self.retry,
            compensation_retry=self.compensation_retry,
            in_doubt=self.in_doubt,
            in_doubt_attempts=self.in_doubt_attempts,
            pure=self.pure,
        )

    def undo_class(self) -> type:
        """The class of the undo data (NoneType when the undo needs none)."""
        return type(None) if self.undo is None else self.undo


class StepToken(Protocol):
    """Any `Step`, whatever its types."""

    @property
    def name(self) -> str: ...

    @property
    def gives(self) -> type: ...

    def sagas(self) -> frozenset[str]: ...

    def plan(self) -> StepPlan: ...

    def undo_class(self) -> type: ...


def step_storage_faults(step: StepToken) -> Iterator[str]:
    """Why the output or the undo data of a step cannot be stored, one sentence each."""
    yield from storable_faults(step.gives, f"output of step {step.name!r}")
    yield from storable_faults(step.undo_class(), f"undo data of step {step.name!r}")


@overload
def all_of(a: Source[A], b: Source[B], /) -> Join[tuple[A, B]]: ...
@overload
def all_of(a: Source[A], b: Source[B], c: Source[C], /) -> Join[tuple[A, B, C]]: ...
@overload
def all_of(a: Source[A], b: Source[B], c: Source[C], d: Source[D], /) -> Join[tuple[A, B, C, D]]: ...
def all_of(*sources: Source[Any]) -> Join[Any]:
    """Wait for all sources; the step is given a tuple of their values in this order."""
    gives = cast("type[Any]", GenericAlias(tuple, tuple(source.gives for source in sources)))
    return Join(f"all_of({', '.join(source.name for source in sources)})", gives, "all", sources)


class Gives(Protocol[Out_co]):
    """Any source, read covariantly.

    `any_of` takes its sources as this: inside `Step[A | B](..., after=any_of(a, b))` a checker solves for the type the
    step asks for, and would not accept an invariant `Source[A]` as a source of `A | B`.
    """

    @property
    def name(self) -> str: ...

    @property
    def gives(self) -> type[Out_co]: ...

    def dependency(self) -> DependencySpec: ...

    def sagas(self) -> frozenset[str]: ...

    def take(self, values: Mapping[str, bytes]) -> object: ...


@overload
def any_of(a: Gives[A], b: Gives[B], /) -> Join[A | B]: ...
@overload
def any_of(a: Gives[A], b: Gives[B], c: Gives[C], /) -> Join[A | B | C]: ...
@overload
def any_of(a: Gives[A], b: Gives[B], c: Gives[C], d: Gives[D], /) -> Join[A | B | C | D]: ...
def any_of(*sources: Any) -> Join[Any]:
    """Wait for the first of the sources; the step is given that one's value and runs once."""
    union = reduce(or_, (source.gives for source in sources))
    return Join(f"any_of({', '.join(source.name for source in sources)})", union, "any", sources)
