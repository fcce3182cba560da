"""Unions: a stored value must say by itself which member of the union it is.

msgpack keeps apart text, bytes, whole numbers, floats, truth values, nothing, lists and mappings. Two members that are
stored as the same kind are mixed up, unless each value says by its content what it is.
"""

from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Mapping, MutableMapping, MutableSequence, MutableSet, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import reduce
from operator import or_
from pathlib import Path
from types import NoneType
from typing import Final, Literal, TypeAlias, cast, get_args, get_origin, is_typeddict
from uuid import UUID

from saga_choreography.codec.forms import arms_of, class_of, is_named_tuple, is_record, unwrapped
from saga_choreography.codec.payloads import payload_codec, type_name
from saga_choreography.codec.wire import pack
from saga_choreography.errors import PayloadError

SCALARS: Final = (str, bytes, bool, int, float)
"""Kinds that are stored as they are; bool before int, for it is one."""
OTHER_SCALARS: Final[Mapping[object, type]] = {Decimal: str, UUID: bytes, date: str, datetime: str, Path: str}
"""Classes that are stored as text or bytes."""
ITERABLES: Final = frozenset({list, tuple, set, frozenset, deque, Sequence, MutableSequence, AbstractSet, MutableSet})
MAPPINGS: Final = frozenset({dict, Mapping, MutableMapping, OrderedDict, defaultdict, Counter})

_TOO_MANY: Final = (
    "beside text, bytes, numbers and None a union may have one more type, or attrs classes and dataclasses of which all"
    " but one have a required field, or a Literal field, of their own"
)

_Values: TypeAlias = tuple[tuple[object, object], ...]
"""Values of a member of a union, each with what is stored for it."""


def kinds_of(declared: object) -> frozenset[type]:
    """The kinds of msgpack values that values of a type are stored as; empty for a type that is not known here."""
    return reduce(or_, (_kinds(unwrapped(arm)) for arm in arms_of(declared)), frozenset())


def _kinds(bare: object) -> frozenset[type]:
    origin = class_of(bare)
    if (listed := _listed(bare)) is not None:
        return frozenset(type(stored) for _, stored in listed)
    if bare is None or bare is NoneType:
        return frozenset({NoneType})
    if bare in OTHER_SCALARS:
        return frozenset({OTHER_SCALARS[bare]})
    if origin in MAPPINGS or is_record(bare) or is_typeddict(origin):
        return frozenset({dict})
    if origin in ITERABLES or is_named_tuple(origin):
        return frozenset({list})
    if isinstance(bare, type):
        return frozenset([kind for kind in SCALARS if issubclass(bare, kind)][:1])
    return frozenset()


def _listed(bare: object) -> _Values | None:
    """The values of a Literal or an enum; None for a type with more values than can be listed."""
    if get_origin(bare) is Literal:
        return tuple((value, value.value if isinstance(value, Enum) else value) for value in get_args(bare))
    if isinstance(bare, type) and issubclass(bare, Enum):
        return tuple((member, member.value) for member in bare)
    return None


def mixed_up(declared: object) -> str | None:
    """Why values of a union do not come back as the member they were; None when they do (or it is no union)."""
    arms = tuple(arm for arm in arms_of(declared) if unwrapped(arm) not in (None, NoneType))
    for number, one in enumerate(arms):
        for other in arms[:number]:
            if _alike(unwrapped(other), unwrapped(one)):
                return f"{type_name(other)} and {type_name(one)} are stored alike, so they cannot be told apart"
    others = [arm for arm in arms if (bare := unwrapped(arm)) not in SCALARS and get_origin(bare) is not Literal]
    if len(others) > 1 and not all(map(is_record, others)):
        return _TOO_MANY
    if len(arms) > 1:
        try:
            payload_codec(_union(arms))
        except PayloadError as error:
            return f"{_TOO_MANY} ({error.why})"
    return None


def _union(arms: tuple[object, ...]) -> type[object]:
    return cast("type[object]", reduce(or_, cast("tuple[type, ...]", arms)))


def _alike(one: object, other: object) -> bool:
    """Whether some value of one member is read back as the other."""
    if is_record(one) and is_record(other):
        return False  # told apart by their fields; where that fails the converter says so
    listed, listed_too = _listed(one), _listed(other)
    if listed is not None and listed_too is not None:
        return any(
            type(stored) is type(stored_too) and stored == stored_too and value is not value_too
            for value, stored in listed
            for value_too, stored_too in listed_too
            if not (type(value) is type(value_too) and value == value_too)
        )
    if listed is not None:
        return any(_reads_otherwise(value, stored, other) for value, stored in listed)
    if listed_too is not None:
        return any(_reads_otherwise(value, stored, one) for value, stored in listed_too)
    return bool(_kinds(one) & _kinds(other))


def _reads_otherwise(value: object, stored: object, other: object) -> bool:
    """Whether what is stored for `value` is also a value of `other`, and another one."""
    if other in SCALARS:
        return type(stored) is other and value is not stored
    try:
        read = payload_codec(_union((other,))).decode(pack(stored), "")
    except PayloadError:
        return False
    return not (type(read) is type(value) and read == value)
