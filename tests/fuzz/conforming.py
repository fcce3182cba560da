"""Whether a decoded value is what its declared type says, all the way down."""

from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Any, Literal, NewType, Union, get_args, get_origin, get_type_hints

from attrs import fields, has


def conforms(value: object, declared: object) -> bool:
    """True when `value` and all in it are exactly of the declared types: no bool for an int, no int for a str."""
    if isinstance(declared, NewType):
        return conforms(value, declared.__supertype__)
    if declared in (Any, object):
        return True
    if declared is None or declared is NoneType:
        return value is None
    origin, arguments = get_origin(declared), get_args(declared)
    if origin in (Union, UnionType):
        return any(conforms(value, one) for one in arguments)
    if origin is Literal:
        return value in arguments
    if origin is tuple:
        return isinstance(value, tuple) and _tuple_conforms(value, arguments)
    if origin in (list, set, frozenset):
        assert isinstance(origin, type)
        return type(value) is origin and all(conforms(one, arguments[0]) for one in _iterated(value))
    if origin is dict:
        return isinstance(value, Mapping) and all(
            conforms(key, arguments[0]) and conforms(one, arguments[1]) for key, one in value.items()
        )
    kind = origin or declared
    if not isinstance(kind, type) or type(value) is not kind:
        return False
    if has(kind):
        hints = get_type_hints(kind)
        return all(
            conforms(getattr(value, attribute.name), hints[attribute.name])
            for attribute in fields(kind)
            if attribute.init
        )
    return True


def _iterated(value: object) -> list[object]:
    return list(value) if isinstance(value, list | set | frozenset) else []


def _tuple_conforms(value: tuple[object, ...], arguments: tuple[object, ...]) -> bool:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return all(conforms(one, arguments[0]) for one in value)
    return len(value) == len(arguments) and all(map(conforms, value, arguments))
