"""No public signature says Any: what a checker cannot see, it cannot check."""

import inspect
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any, get_args, get_overloads, get_type_hints

from attrs import fields, has

from tests.typing.public_names import PACKAGE, classes, function_of, functions, members


def holds_any(hint: object) -> bool:
    """Whether a hint is or has Any in it, at any depth."""
    if isinstance(hint, list | tuple):  # the parameters of a Callable
        return any(holds_any(part) for part in hint)
    return hint is Any or any(holds_any(part) for part in get_args(hint))


def vague(function: Callable[..., object]) -> Iterator[str]:
    """What a function leaves open. Of an overloaded one the overloads are the signature."""
    for signature in get_overloads(function) or [function]:
        hints = get_type_hints(signature)
        for name in [*inspect.signature(signature).parameters, "return"]:
            if name not in hints and name not in {"self", "cls"}:
                yield f"{signature.__qualname__}: {name} has no type"
        for name, hint in hints.items():
            if holds_any(hint):
                yield f"{signature.__qualname__}: {name} is {hint}"


def made_by(owner: type) -> Iterator[FunctionType]:
    """The constructor of a class, where it was written by hand."""
    for base in owner.__mro__:
        init = vars(base).get("__init__")
        if isinstance(init, FunctionType) and base.__module__.startswith(PACKAGE):
            is_written = init.__module__.startswith(PACKAGE) and not has(base)
            return iter([init] if is_written else [])
    return iter([])


def test_no_public_function_takes_or_gives_any() -> None:
    assert [line for function in functions().values() for line in vague(function)] == []


def test_no_public_method_or_property_takes_or_gives_any() -> None:
    found = {
        function
        for owner in classes().values()
        for function in [*made_by(owner), *(function_of(member) for _, member in members(owner))]
    }
    assert sorted(line for function in found for line in vague(function)) == []


def test_no_field_of_a_public_record_is_any() -> None:
    vague_fields = [
        f"{name}.{field.name}"
        for name, owner in classes().items()
        if has(owner)
        for field in fields(owner)
        if holds_any(get_type_hints(owner)[field.name])
    ]
    assert vague_fields == []


def test_any_is_found_wherever_it_hides() -> None:
    def hiding(one: "dict[str, tuple[Any, ...]]", other) -> "Callable[[Any], None]":  # type: ignore[no-untyped-def]
        raise NotImplementedError

    assert len(list(vague(hiding))) == 3
