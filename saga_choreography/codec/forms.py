"""Declared types, taken apart: what stands behind an alias, and which fields a record class has with which types."""

from collections.abc import Iterator, Mapping
from dataclasses import InitVar, is_dataclass
from operator import getitem
from types import UnionType
from typing import (
    Annotated,
    Any,
    Final,
    Generic,
    NewType,
    NotRequired,
    Protocol,
    Required,
    TypeAlias,
    TypeGuard,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

import attrs
from typing_extensions import ReadOnly

Bindings: TypeAlias = Mapping[object, object]
"""What the type variables of a generic class stand for."""

_WRAPPERS: Final = frozenset({Annotated, Final, NotRequired, ReadOnly, Required})


def unwrapped(declared: object) -> object:
    """The type behind Annotated, NewType, type aliases and the marks of a TypedDict's fields."""
    while True:
        if get_origin(declared) in _WRAPPERS:
            declared = get_args(declared)[0]
        elif isinstance(declared, NewType):
            declared = declared.__supertype__
        elif type(declared).__name__ == "TypeAliasType":  # there are two classes of this name
            declared = cast("Any", declared).__value__
        elif type(get_origin(declared)).__name__ == "TypeAliasType":
            alias: Any = get_origin(declared)
            arguments = dict(zip(alias.__type_params__, get_args(declared), strict=False))
            declared = bound(alias.__value__, arguments)
        else:
            return declared


def arms_of(declared: object) -> tuple[object, ...]:
    """The members of a union, unions inside it dissolved; any other type alone."""
    bare = unwrapped(declared)
    if get_origin(bare) not in (Union, UnionType):
        return (declared,)
    return tuple(dict.fromkeys(arm for part in get_args(bare) for arm in arms_of(part)))


def class_of(declared: object) -> object:
    """The class of a type with or without arguments: `list` of `list[int]`."""
    return get_origin(declared) or declared


def is_record(declared: object) -> bool:
    """Whether a type is an attrs class or a dataclass."""
    origin = class_of(declared)
    return isinstance(origin, type) and (attrs.has(origin) or is_dataclass(origin))


def is_named_tuple(declared: object) -> TypeGuard[type[tuple[object, ...]]]:
    """Whether a type is a NamedTuple."""
    return isinstance(declared, type) and issubclass(declared, tuple) and hasattr(declared, "_fields")


def has_fields(declared: object) -> bool:
    """Whether values of a type are made of named fields."""
    return is_record(declared) or is_typeddict(class_of(declared)) or is_named_tuple(class_of(declared))


def fields_of(declared: object) -> Iterator[tuple[str, object]]:
    """Name and type of each stored field of a class with fields; None for a field without a type.

    Fields that the constructor does not take are not stored.

    Raises:
        NameError, AttributeError, TypeError: an annotation is written as text that means nothing where it stands.
    """
    origin = cast("type", class_of(declared))
    hints = get_type_hints(origin, include_extras=True)
    bindings = bindings_of(declared)
    for name, unresolved in _stored_fields(origin, hints):
        yield name, bound(hints.get(name, unresolved), bindings)


def _stored_fields(origin: type, hints: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    if attrs.has(origin):
        for attribute in attrs.fields(origin):
            if attribute.init:
                yield attribute.name, attribute.type
    elif is_dataclass(origin):
        kept = origin.__dataclass_fields__
        for name, hint in hints.items():
            if (name in kept and kept[name].init) or isinstance(hint, InitVar):
                yield name, hint
    else:
        yield from hints.items()


def bindings_of(declared: object) -> Bindings:
    """What the type variables of a class and of its bases stand for in `declared`."""
    origin = class_of(declared)
    own: dict[object, object] = dict(zip(getattr(origin, "__parameters__", ()), get_args(declared), strict=False))
    inherited: dict[object, object] = {}
    for base in getattr(origin, "__orig_bases__", ()):
        if class_of(base) not in (Generic, Protocol):
            inherited.update(bindings_of(bound(base, own)))
    return {**inherited, **own}


def bound(declared: object, bindings: Bindings) -> object:
    """A type with its variables replaced by what they stand for; an unknown one stays."""
    if isinstance(declared, TypeVar):
        return bindings.get(declared, declared)
    parameters = getattr(declared, "__parameters__", ())
    if isinstance(declared, type) or not parameters or not hasattr(declared, "__getitem__"):
        return declared
    filled: object = getitem(
        cast("Any", declared), tuple(bindings.get(parameter, parameter) for parameter in parameters)
    )
    return filled
