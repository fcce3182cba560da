"""Payload classes that change while values of their former selves are stored.

What needs nothing of this: a reader ignores fields it does not know, and gives a missing field its default.

A field that is renamed says what it is stored as: `limit: Decimal = field(metadata=stored_as("price"))` goes on under
its old name, so programs before the renaming read what is written after it. `stored_as("limit", formerly=("price",))`
writes the new name and reads both; the new one wins.

Any other change is a new version of the class:

    def with_currency(order: dict[str, object]) -> dict[str, object]:
        return {**order, "currency": "EUR"}

    @versioned(2, {1: with_currency})
    @frozen
    class Order: ...

A class is version 1 until it says otherwise. An upcaster takes a stored value of version n (a mapping of stored names
to plain data: numbers, texts, bytes, lists, mappings) to version n + 1, and is never given anything else; chains of
them are applied. They stand at the class, so whoever can read the class has them all, whatever was imported when.
Links may be dropped at the old end, when no such value is stored any more. A value of a version that a program cannot
read is refused with `PayloadError`, never guessed at.

How it is stored: version 1 as a mapping of fields, which is what a class without versions is stored as; any other as
the list [version, mapping]. This holds for classes inside other payloads too. Classes that share a union are told
apart by the names of their fields, so none of them may have versions or former names: let the class around the union
have the version. Values of `bytes` have no fields and no version.

A class may say so once; what is wrong with what it says is an error when the class is made, or when it is declared.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final, Literal, TypeAlias, TypeVar, cast, final, get_origin
from weakref import WeakKeyDictionary

import attrs
from attrs import frozen

from saga_choreography.codec.forms import arms_of, class_of, is_record, unwrapped

T = TypeVar("T")

Upcaster: TypeAlias = Callable[[dict[str, object]], Mapping[str, object]]
"""From the plain data of one version to that of the next. May change the mapping it is given."""

_NAME: Final = "saga_choreography.stored_as"
FIRST_VERSION: Final = 1


class VersionFault(ValueError):
    """A stored value is of a version that this program cannot read."""


@final
@frozen
class _StoredName:
    name: str
    formerly: tuple[str, ...]


@final
@frozen
class _History:
    version: int
    upcasters: Mapping[int, Upcaster]


_NO_HISTORY: Final = _History(FIRST_VERSION, MappingProxyType({}))
_histories: Final[WeakKeyDictionary[type, _History]] = WeakKeyDictionary()
"""Of classes that said so, by the class itself: it is written where the class is made, and nowhere else."""


def stored_as(name: str, *, formerly: Iterable[str] = ()) -> Mapping[str, object]:
    """Metadata of a field of an attrs class or dataclass: stored under `name`, also read under its former names.

    Raises:
        ValueError: an empty name, or one that is given twice.
    """
    names = (name, *((formerly,) if isinstance(formerly, str) else formerly))
    if not all(names) or len(set(names)) != len(names):
        raise ValueError(f"a field is stored under one name and read under others, got {names!r}")
    return MappingProxyType({_NAME: _StoredName(name, names[1:])})


def versioned(version: int, upcasters: Mapping[int, Upcaster]) -> Callable[[type[T]], type[T]]:
    """Class decorator, above `@frozen` or `@dataclass`: the class is version `version` of itself.

    `upcasters[n]` turns what was stored by version n into what version n + 1 would have stored. The oldest one says
    what can still be read; `{}`: nothing of an earlier version is stored any more.

    Raises:
        ValueError: a link of the chain is missing, or leads nowhere; or the class has a version already.
        TypeError: the class has no fields of its own.
    """
    if version <= FIRST_VERSION:
        raise ValueError(f"version {version}: a class without `versioned` is version 1, the next one is 2")
    oldest = min(upcasters, default=version)
    if oldest < FIRST_VERSION or set(upcasters) != set(range(oldest, version)):
        given = ", ".join(map(str, sorted(upcasters)))
        raise ValueError(
            f"version {version} needs an upcaster from every version between its oldest and {version - 1};"
            f" there are upcasters from: {given}"
        )
    history = _History(version, MappingProxyType(dict(upcasters)))

    def note(cls: type[T]) -> type[T]:
        name = cls.__qualname__
        if not {"__attrs_attrs__", "__dataclass_fields__"} & cls.__dict__.keys():
            raise TypeError(f"{name} has no fields of its own: put @versioned above @frozen (or @dataclass)")
        if cls in _histories:
            raise ValueError(f"{name} says twice which version it is: use @versioned once")
        _histories[cls] = history
        return cls

    return note


@final
class Layout:
    """How values of one class are stored: under which names, and in which version."""

    def __init__(self, cls: type) -> None:
        self._class_name = cls.__qualname__
        self._history = _histories.get(cls, _NO_HISTORY)
        self._names = _stored_names(cls)
        self._is_renamed = any(names != (name,) for name, names in self._names.items())

    @property
    def is_plain(self) -> bool:
        """Whether fields are stored as they are called, in the first version."""
        return not self._is_renamed and self._history.version == FIRST_VERSION

    @property
    def written(self) -> Mapping[str, str]:
        """The name each field is stored under."""
        return {name: stored[0] for name, stored in self._names.items()}

    def store(self, fields: Mapping[str, object]) -> object:
        """What is stored of fields by attribute name."""
        stored = {self._names[name][0]: value for name, value in fields.items()} if self._is_renamed else fields
        version = self._history.version
        return stored if version == FIRST_VERSION else [version, stored]

    def read(self, raw: object) -> object:
        """Fields by attribute name; what is no value of any version is returned as it is.

        Raises:
            VersionFault: the version is one that cannot be read.
        """
        version, data = version_of(raw)
        if data is None:
            return raw
        current = self._upcast(version, data)
        if not self._is_renamed:
            return current
        found = {name: [key for key in names if key in current] for name, names in self._names.items()}
        return {name: current[keys[0]] for name, keys in found.items() if keys}

    def _upcast(self, version: int, data: dict[str, object]) -> dict[str, object]:
        newest, upcasters = self._history.version, self._history.upcasters
        if version > newest:
            why = f"this program has version {newest}: run the program that wrote it, or a newer one"
            raise VersionFault(f"it is version {version} of {self._class_name}, {why}")
        oldest = min(upcasters, default=newest)
        if version < oldest:
            why = f"the oldest this program reads is {oldest}: bring back the upcaster from version {version}"
            raise VersionFault(f"it is version {version} of {self._class_name}, {why}")
        for link in range(version, newest):
            try:
                data = dict(upcasters[link](data))
            except Exception as error:
                why = f"{type(error).__name__}: {error}"
                raise VersionFault(f"the upcaster of {self._class_name} from version {link} failed: {why}") from error
        return data


def version_of(raw: object) -> tuple[int, dict[str, object] | None]:
    """Version and data of a stored value; no data when it is not the value of a class."""
    if type(raw) is dict:
        return FIRST_VERSION, cast("dict[str, object]", raw)
    if type(raw) is list and len(raw) == 2:
        version, data = raw
        if type(version) is int and version > FIRST_VERSION and type(data) is dict:
            return version, cast("dict[str, object]", data)
    return FIRST_VERSION, None


def is_evolved_union(declared: object) -> bool:
    """Whether a union has several classes with fields, and one that a reader could not tell from the others."""
    classes = _classes_of(declared)
    return len(classes) > 1 and any(map(_is_ambiguous, classes))


def refuse_union(declared: object) -> Callable[[object, object], object]:
    """
    Raises:
        ValueError: always, with the classes that cannot be told apart.
    """
    names = ", ".join(cls.__qualname__ for cls in _classes_of(declared) if _is_ambiguous(cls))
    raise ValueError(
        f"in {declared}, {names} cannot be told from the others: classes of a union may have neither versions nor"
        " former names; put the union into a class that has the version"
    )


def _classes_of(union: object) -> list[type]:
    return [cast("type", class_of(bare)) for arm in arms_of(union) if is_record(bare := unwrapped(arm))]


def _is_ambiguous(cls: type) -> bool:
    if cls in _histories:
        return True
    # cattrs tells classes apart by stored names, but for fields of a Literal type.
    return any(
        stored.formerly or isinstance(declared, str) or get_origin(declared) is Literal
        for _, declared, metadata in _fields_of(cls)
        if isinstance(stored := metadata.get(_NAME), _StoredName)
    )


def _fields_of(cls: type) -> list[tuple[str, object, Mapping[str, object]]]:
    """Name, declared type and metadata of each field."""
    if attrs.has(cls):
        return [(one.name, one.type, one.metadata) for one in attrs.fields(cls)]
    if dataclasses.is_dataclass(cls):
        return [(one.name, one.type, one.metadata) for one in dataclasses.fields(cls)]
    return []


def _stored_names(cls: type) -> dict[str, tuple[str, ...]]:
    """The names each field is read under; the first one is the one it is written under."""
    names: dict[str, tuple[str, ...]] = {}
    taken: dict[str, str] = {}
    for name, _, metadata in _fields_of(cls):
        stored = metadata.get(_NAME)
        names[name] = (stored.name, *stored.formerly) if isinstance(stored, _StoredName) else (name,)
        for key in names[name]:
            other = taken.setdefault(key, name)
            if other != name:
                raise ValueError(f"fields {other!r} and {name!r} of {cls.__qualname__} are both stored as {key!r}")
    return names
