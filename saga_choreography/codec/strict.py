"""The converter of payloads: a value comes back as what it was, or not at all.

Left to itself cattrs makes 1 of 1.9, "5" of 5, a list of a text's letters and an instance full of defaults of any text.
Here a stored value of another kind is refused, and so is a field that holds another kind when it is encoded.
"""

from collections.abc import Callable, MutableSequence, MutableSet, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import wraps
from types import NoneType
from typing import Any, Final, NoReturn, TypeAlias, TypeVar, cast, final, get_args, get_origin
from uuid import UUID

from cattrs import Converter
from cattrs.errors import IterableValidationError, IterableValidationNote
from cattrs.gen import override as rename
from cattrs.preconf.msgpack import configure_converter
from typing_extensions import override

from saga_choreography.codec.evolution import Layout, is_evolved_union, refuse_union
from saga_choreography.codec.wire import pack

T = TypeVar("T")

_In: TypeAlias = Callable[[object, object], object]
_Out: TypeAlias = Callable[[object], object]

_SETS: Final[dict[object, type]] = {
    set: set,
    MutableSet: set,
    frozenset: frozenset,
    AbstractSet: frozenset,
}
_ITERABLES: Final[dict[object, type]] = {
    **_SETS,
    list: list,
    MutableSequence: list,
    tuple: tuple,
    Sequence: tuple,
}
_EXACT: Final[tuple[tuple[type, tuple[type, ...]], ...]] = (
    (str, (str,)),
    (bool, (bool,)),
    (int, (int, bool)),
    (float, (float, int, bool)),
    (bytes, (bytes,)),
)
"""Kinds that are stored as they are, and the kinds that are equal to a value of them."""
_BUFFERS: Final = (bytes, bytearray, memoryview)


def _refuse(raw: object, expected: str) -> NoReturn:
    raise ValueError(f"{type(raw).__name__} where {expected} is expected")


def _exact_in(kind: type, stored: tuple[type, ...]) -> _In:
    def structure(raw: object, declared: object) -> object:
        if type(raw) not in stored:
            _refuse(raw, kind.__name__)
        if type(raw) is declared:
            return raw
        # An enum of this kind, or an integer where a float is declared.
        made: object = declared(raw) if isinstance(declared, type) else kind(raw)
        return made

    return structure


def _exact_out(kind: type, allowed: tuple[type, ...]) -> _Out:
    def unstructure(value: object) -> object:
        if not isinstance(value, allowed):
            _refuse(value, kind.__name__)
        return value

    return unstructure


def _decimal(raw: object, _: object) -> Decimal:
    if not isinstance(raw, str | int | float) or isinstance(raw, bool):
        _refuse(raw, "a decimal number")
    try:
        return Decimal(str(raw))
    except InvalidOperation as error:
        raise ValueError(f"{raw!r:.80} is not a decimal number") from error


def _uuid(raw: object, _: object) -> UUID:
    if isinstance(raw, bytes):
        return UUID(bytes=raw)
    if isinstance(raw, str):
        return UUID(raw)
    return _refuse(raw, "a UUID")


def _date(raw: object, _: object) -> date:
    return date.fromisoformat(raw) if isinstance(raw, str) else _refuse(raw, "a date")


def _datetime(raw: object, _: object) -> datetime:
    return datetime.fromisoformat(raw) if isinstance(raw, str) else _refuse(raw, "a date and time")


def _none(raw: object, _: object) -> None:
    if raw is not None:
        _refuse(raw, "nothing")


def _origin(declared: object) -> object:
    return get_origin(declared) or declared


def _is_iterable(declared: object) -> bool:
    origin = _origin(declared)
    return isinstance(origin, type) and origin in _ITERABLES


def _is_set(declared: object) -> bool:
    origin = _origin(declared)
    return isinstance(origin, type) and origin in _SETS


def _is_fixed(declared: object) -> bool:
    """`tuple[X, Y]`, and `tuple[()]`."""
    if get_origin(declared) is not tuple:
        return False
    arguments = get_args(declared)
    return len(arguments) != 2 or arguments[1] is not Ellipsis


@final
class StrictConverter(Converter):
    """Refuses what is of another kind. `detailed` errors name the field, and of a list only the first wrong element."""

    def __init__(self, *, detailed: bool) -> None:
        super().__init__(detailed_validation=detailed)
        configure_converter(self)
        for kind, equals in _EXACT:
            self.register_structure_hook(kind, _exact_in(kind, equals))
            self.register_unstructure_hook(kind, _exact_out(kind, _BUFFERS if kind is bytes else equals))
        self.register_unstructure_hook(Decimal, str)
        self.register_structure_hook(Decimal, _decimal)
        self.register_unstructure_hook(UUID, lambda value: value.bytes)
        self.register_structure_hook(UUID, _uuid)
        self.register_structure_hook(NoneType, _none)
        self.register_unstructure_hook(date, date.isoformat)
        self.register_structure_hook(date, _date)
        self.register_unstructure_hook(datetime, datetime.isoformat)
        self.register_structure_hook(datetime, _datetime)
        self.register_structure_hook_factory(_is_iterable, self._iterable_in)
        self.register_structure_hook_factory(_is_fixed, self._fixed_in)
        self.register_unstructure_hook_factory(_is_set, self._set_out)
        self.register_structure_hook_factory(is_evolved_union, refuse_union)

    @override
    def gen_structure_attrs_fromdict(self, cl: type[T]) -> Callable[[object, object], T]:
        """An instance of an attrs class or dataclass is made of what a version of it stored, and of nothing else."""
        make = cast("Callable[[object, object], T]", super().gen_structure_attrs_fromdict(cl))
        layout = Layout(get_origin(cl) or cl)

        @wraps(make)  # with the attributes that cattrs looks at
        def structure(raw: object, declared: object) -> T:
            if type(raw) is not dict:
                layout.read(raw)  # for its error, when it is of a newer version
                _refuse(raw, "a mapping")
            return make(raw, declared)

        if layout.is_plain:
            return structure

        @wraps(make)
        def structure_evolved(raw: object, declared: object) -> T:
            fields = layout.read(raw)
            if type(fields) is not dict:
                _refuse(raw, "a mapping")
            return make(fields, declared)

        names = {name: rename(rename=stored) for name, stored in layout.written.items()}
        structure_evolved.__dict__.update(overrides=names)  # the members of a union are told apart by these
        return structure_evolved

    @override
    def gen_unstructure_attrs_fromdict(self, cl: type[T]) -> Callable[[T], dict[str, Any]]:
        fields_of = super().gen_unstructure_attrs_fromdict(cl)
        layout = Layout(get_origin(cl) or cl)
        if layout.is_plain:
            return fields_of
        # A list with the version in front, for all but the first one: whoever calls this packs whatever it is given.
        return cast("Callable[[T], dict[str, Any]]", lambda value: layout.store(fields_of(value)))

    @override
    def gen_structure_typeddict(self, cl: object) -> Callable[[object, object], dict[Any, Any]]:
        make = cast("Callable[[object, object], dict[Any, Any]]", super().gen_structure_typeddict(cl))

        def structure(raw: object, declared: object) -> dict[Any, Any]:
            if type(raw) is not dict:
                _refuse(raw, "a mapping")
            return make(raw, declared)

        return structure

    def _hook(self, declared: object) -> _In:
        try:
            return cast("_In", self.get_structure_hook(declared))
        except RecursionError:
            return cast("_In", self.structure)  # a class that holds itself: looked up when it is met

    def _iterable_in(self, declared: object) -> _In:
        build = _ITERABLES[_origin(declared)]
        arguments = get_args(declared)
        element: object = arguments[0] if arguments else Any
        hook = self._hook(element)

        def structure(raw: object, _: object) -> object:
            if type(raw) is not list:
                _refuse(raw, "a list")
            return build([hook(one, element) for one in raw])

        def explain(raw: object, _: object) -> object:
            if type(raw) is not list:
                _refuse(raw, "a list")
            return build([_explained(declared, hook, element, at, one) for at, one in enumerate(raw)])

        return explain if self.detailed_validation else structure

    def _fixed_in(self, declared: object) -> _In:
        elements = get_args(declared)
        hooks = [self._hook(element) for element in elements]
        detailed = self.detailed_validation

        def structure(raw: object, _: object) -> object:
            if type(raw) is not list:
                _refuse(raw, "a list")
            if len(raw) != len(elements):
                raise ValueError(f"{len(raw)} values where {len(elements)} are expected")
            parts = enumerate(zip(hooks, elements, raw, strict=True))
            if detailed:
                return tuple(_explained(declared, hook, element, at, one) for at, (hook, element, one) in parts)
            return tuple(hook(one, element) for _, (hook, element, one) in parts)

        return structure

    def _set_out(self, declared: object) -> _Out:
        arguments = get_args(declared)
        hook = cast("_Out", self.get_unstructure_hook(arguments[0] if arguments else Any))

        def unstructure(value: object) -> object:
            if not isinstance(value, AbstractSet):
                _refuse(value, "a set")
            return sorted((hook(one) for one in value), key=pack)  # equal sets are equal bytes

        return unstructure


def _explained(declared: object, hook: _In, element: object, at: int, raw: object) -> object:
    try:
        return hook(raw, element)
    except RecursionError:
        raise
    except Exception as error:
        error.add_note(IterableValidationNote(f"element {at} of {declared}", at, element))
        # pyright takes the constructor of the class above it, which has no third argument.
        raise IterableValidationError("of a list", [error], cast("type", declared)) from error  # pyright: ignore[reportCallIssue]
