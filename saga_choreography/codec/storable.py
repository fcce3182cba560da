"""Can values of a declared type be stored, and do they come back as what they were? Told from the type alone.

Asked when a workflow is built and when an actor is started, so that a class that cannot be stored is found with the
path of the field, before the first saga. Everything a type is made of is looked at: fields, elements, keys, members of
unions. What the converter would take but give back as something else is a fault too.
"""

import sys
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from dataclasses import InitVar
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from inspect import isclass
from io import IOBase
from pathlib import Path
from types import NoneType
from typing import IO, Any, Final, Literal, Never, NoReturn, Self, TypeVar, cast, final, get_args, get_origin
from uuid import UUID

from attrs import Factory, define
from typing_extensions import is_protocol

from saga_choreography.codec.forms import arms_of, class_of, fields_of, has_fields, is_named_tuple, unwrapped
from saga_choreography.codec.payloads import payload_codec, type_name
from saga_choreography.codec.unions import ITERABLES, MAPPINGS, OTHER_SCALARS, SCALARS, kinds_of, mixed_up
from saga_choreography.errors import PayloadError

_NO_TYPE: Final = "it has no type: annotate it"
_ANYTHING: Final = "nobody could tell what its values were: declare the class they have"
_EMPTY: Final = "it does not say what it holds: declare it like list[int] or dict[str, int]"
_FUNCTION: Final = "code is no data: store what it needs to be chosen or made again"
_PROTOCOL: Final = "a protocol says what a value can do, not what it is: declare a class"
_HANDLE: Final = "an open file does not outlive the program: store its path"
_VARIABLE: Final = "the type variable stands for nothing here: declare the class with its arguments"
_PLAIN: Final = "its fields are not known: make it an attrs class or a dataclass"
_STANDARD: Final = (
    "of the standard library only str, bytes, bool, int, float, Decimal, UUID, date, datetime, Path, enums, lists,"
    " tuples, sets and dicts can be"
)
_SUBCLASS: Final = "it would come back as a plain {}: declare that"
_NAMELESS: Final = "a generic NamedTuple comes back as a plain tuple: make it an attrs class"
_GIVEN: Final = "an InitVar is taken by the constructor and not kept, so it cannot be given again"
_KEYS: Final = "keys must be stored as text or bytes: use a list of pairs"
_LITERAL: Final = "the value {!r} would not come back"
_MEMBER: Final = "its member {} has the value {!r}, which does not come back: give it a number or a text"
_UNHASHABLE: Final = "what it is annotated with must be hashable"
_NO_CLASS: Final = "it is no class: declare one"
_OTHER_KIND: Final = "the installed cattrs gives it back as another collection: update cattrs, or declare list or dict"

_ANY: Final = (Any, object)
_NOTHING: Final = (None, NoneType)
_FUNCTIONS: Final = (Callable, cast("object", get_origin(Callable[[], None])))

_COLLECTIONS: Final = (list, set, frozenset, deque, dict, OrderedDict, defaultdict, Counter)
_BUILT_ON: Final = (datetime, date, Decimal, UUID, Path, list, tuple, dict, set, frozenset)

_storable: Final[set[object]] = set()
"""Declared types without faults. Those with faults are looked at again: what they name may exist by then."""


def storable_faults(declared: object, what: str) -> tuple[str, ...]:
    """Every reason why values of a declared type cannot be stored, one sentence each; `what` names the type's use."""
    if _is_hashable(declared) and declared in _storable:
        return ()
    inspection = _Inspection(what)
    name = type_name(declared)
    inspection.look(declared, name)
    if not inspection.faults:
        try:
            payload_codec(cast("type[object]", declared))
        except PayloadError as error:
            inspection.note(declared, name, error.why)
    if not inspection.faults:
        _storable.add(declared)
    return tuple(inspection.faults)


@final
@define
class _Inspection:
    """A walk through one declared type. A class is looked at once, so one that holds itself ends too."""

    what: str
    faults: list[str] = Factory(list)
    _seen: set[object] = Factory(set)
    _open: set[object] = Factory(set)
    """Types on the way from the root to here: an alias may stand for a type that holds it."""

    def note(self, declared: object, path: str, why: str) -> None:
        """One more fault, if it is news."""
        name = type_name(declared)
        where = "" if path == name else f"{path}: "
        fault = f"{self.what}: {where}{name} cannot be stored: {why}"
        if fault not in self.faults:
            self.faults.append(fault)

    def look(self, declared: object, path: str) -> None:
        """Note every fault of a type at `path`."""
        if not _is_hashable(declared):
            self.note(declared, path, _UNHASHABLE)
            return
        if declared in self._open:
            return
        self._open.add(declared)
        arms = arms_of(declared)
        if len(arms) == 1:
            self._look_at_one(arms[0], path)
        else:
            self._look_at_union(declared, arms, path)
        self._open.discard(declared)

    def _look_at_union(self, declared: object, arms: tuple[object, ...], path: str) -> None:
        before = len(self.faults)
        for arm in arms:
            self._look_at_one(arm, path)
        why = mixed_up(declared) if len(self.faults) == before else None
        if why is not None:
            self.note(declared, path, why)

    def _look_at_one(self, declared: object, path: str) -> None:
        bare = unwrapped(declared)
        origin = class_of(bare)
        if origin in MAPPINGS:
            self._look_at_mapping(bare, path)
        elif origin in ITERABLES:
            self._look_at_elements(bare, path)
        elif has_fields(bare):
            self._look_at_fields(bare, path)
        elif get_origin(bare) is Literal:
            for value in get_args(bare):
                if not _comes_back(bare, value):
                    self.note(bare, path, _LITERAL.format(value))
        elif isinstance(bare, type) and issubclass(bare, Enum):
            self._look_at_members(bare, path)
        elif (why := _fault_of_leaf(bare)) is not None:
            self.note(declared, path, why)

    def _look_at_mapping(self, bare: object, path: str) -> None:
        arguments = get_args(bare)
        if not arguments:
            self.note(bare, path, _EMPTY)
            return
        key = arguments[0]
        before = len(self.faults)
        self.look(key, f"{path}.keys()")
        if len(self.faults) == before and not kinds_of(key) <= {str, bytes}:
            self.note(bare, path, _KEYS)
        for value in arguments[1:]:
            self.look(value, f"{path}.values()")
        if len(self.faults) == before:
            self._look_at_kind(bare, path)

    def _look_at_elements(self, bare: object, path: str) -> None:
        arguments = get_args(bare)
        if class_of(bare) is not tuple or arguments[1:] == (Ellipsis,):
            elements = [(element, f"{path}[]") for element in arguments[:1]]
        else:
            elements = [(element, f"{path}[{at}]") for at, element in enumerate(arguments)]
        if not elements and get_origin(bare) is None:
            self.note(bare, path, _EMPTY)
        before = len(self.faults)
        for element, where in elements:
            self.look(element, where)
        if len(self.faults) == before:
            self._look_at_kind(bare, path)

    def _look_at_kind(self, bare: object, path: str) -> None:
        """Older converters give back some collections as others; an empty one shows it."""
        kind = next((each for each in _COLLECTIONS if each is class_of(bare)), None)
        if kind is not None and not _comes_back(bare, kind()):
            self.note(bare, path, _OTHER_KIND)

    def _look_at_fields(self, bare: object, path: str) -> None:
        if bare in self._seen:
            return
        self._seen.add(bare)
        if is_named_tuple(get_origin(bare)):
            self.note(bare, path, _NAMELESS)
            return
        try:
            fields = tuple(fields_of(bare))
        except (NameError, AttributeError, TypeError) as error:
            self.note(bare, path, f"an annotation of it means nothing where it stands: {error}")
            return
        for name, declared in fields:
            where = f"{path}.{name}"
            if declared is None:
                self.note(name, where, _NO_TYPE)
            elif isinstance(declared, InitVar):
                self.note(declared.type, where, _GIVEN)
            else:
                self.look(declared, where)

    def _look_at_members(self, kind: type[Enum], path: str) -> None:
        for member in kind:
            if not _comes_back(kind, member):
                self.note(kind, path, _MEMBER.format(member.name, member.value))
                return


def _is_hashable(declared: object) -> bool:
    try:
        hash(declared)
    except TypeError:
        return False
    return True


def _comes_back(declared: object, value: object) -> bool:
    try:
        codec = payload_codec(cast("type[object]", declared))
        back = codec.decode(codec.encode(value, ""), "")
    except PayloadError:
        return False
    return type(back) is type(value) and back == value


def _fault_of_leaf(bare: object) -> str | None:
    """What is wrong with a type that has no parts; None when it can be stored."""
    if bare in _ANY:
        return _ANYTHING
    if bare in _NOTHING or bare in SCALARS or bare in OTHER_SCALARS or bare is Self:
        return None
    origin = class_of(bare)
    if origin in _FUNCTIONS:
        return _FUNCTION
    if isinstance(bare, TypeVar):
        return _VARIABLE
    if bare in (NoReturn, Never):
        return "there are no values of it"
    return _fault_of_class(origin) if isclass(origin) else _NO_CLASS


def _fault_of_class(origin: type) -> str | None:
    if is_protocol(origin):
        return _PROTOCOL
    if issubclass(origin, IOBase | IO):
        return _HANDLE
    if issubclass(origin, SCALARS):
        return None
    if origin.__module__.partition(".")[0] in sys.stdlib_module_names:
        return _STANDARD
    known = next((known for known in _BUILT_ON if issubclass(origin, known)), None)
    return _PLAIN if known is None else _SUBCLASS.format(known.__name__)
