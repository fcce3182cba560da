"""Types as source: a type that a token holds at run time is spelled as a checker is to read it, with its imports.

A class is imported from where it is defined; from the nearest package that exports it, when that is public and the
module is not (the standard library moves its classes about behind such packages).
"""

import sys
import typing
from collections.abc import Iterable
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, NewType, Union, get_args, get_origin

from attrs import frozen
from typing_extensions import TypeAliasType

from saga_choreography.cli.faults import TargetFault
from saga_choreography.cli.scaffold.imports import Import, LocalNames
from saga_choreography.cli.scaffold.layout import Atom, Either, Subscript, TypeExpr, flat

_ALIASES: Final = (TypeAliasType, getattr(typing, "TypeAliasType", TypeAliasType))
"""`type X = ...` of the language, and of typing_extensions."""
_ARITY: Final[dict[object, int]] = {list: 1, set: 1, frozenset: 1, dict: 2}


@frozen
class Spelled:
    """A type as source, and the imports it needs."""

    expr: TypeExpr
    imports: frozenset[Import]

    @property
    def text(self) -> str:
        """On one line."""
        return flat(self.expr)


class Speller:
    """Spells the types of one package; everything has one name in all its files."""

    def __init__(self, names: LocalNames) -> None:
        self._names = names
        self._imports: set[Import] = set()

    def spell(self, declared: object, what: str) -> Spelled:
        """A type as source; `what` names it in errors.

        Raises:
            TargetFault: another file cannot name it.
        """
        self._imports = set()
        try:
            expr = self._expr(declared)
        except _Nameless as problem:
            raise TargetFault(f"{what} cannot be written into another file: {problem}") from None
        return Spelled(expr, frozenset(self._imports))

    def _expr(self, declared: object) -> TypeExpr:
        if declared is None or declared is NoneType:
            return Atom("None")
        if declared is Ellipsis:
            return Atom("...")
        if declared is Any:
            return Atom(self._import("typing", "Any"))
        if isinstance(declared, list):
            return Subscript("", self._exprs(declared))
        if isinstance(declared, (NewType, *_ALIASES)):
            return Atom(self._named(declared, str(declared.__module__), str(getattr(declared, "__name__", ""))))
        origin = get_origin(declared)
        if origin in (Union, UnionType):
            return Either(self._exprs(get_args(declared)))
        if origin is Annotated:
            return self._expr(get_args(declared)[0])
        if origin is Literal:
            return Subscript(self._import("typing", "Literal"), tuple(map(self._value, get_args(declared))))
        if origin is not None:
            arguments = get_args(declared)
            # `tuple[()]` has no arguments, and is not `tuple`.
            items = self._exprs(arguments) if arguments else (Atom("()"),)
            return Subscript(self._class(origin), items)
        if isinstance(declared, type):
            return self._bare(declared)
        raise _Nameless(f"{declared!r} is no class, and no generic of classes")

    def _exprs(self, declared: Iterable[object]) -> tuple[TypeExpr, ...]:
        return tuple(self._expr(one) for one in declared)

    def _bare(self, declared: type) -> TypeExpr:
        """A class; what a generic one was not told is Any, and strict checkers want to hear so."""
        name = self._class(declared)
        if declared is tuple:
            return Subscript(name, (self._expr(Any), Atom("...")))
        missing = _ARITY.get(declared, len(getattr(declared, "__parameters__", ())))
        return Subscript(name, (self._expr(Any),) * missing) if missing else Atom(name)

    def _value(self, value: object) -> TypeExpr:
        """One value of a Literal."""
        if isinstance(value, Enum):
            return Atom(f"{self._class(type(value))}.{value.name}")
        return Atom(literal(value))

    def _class(self, declared: object) -> str:
        if not isinstance(declared, type):
            raise _Nameless(f"{declared!r} is no class")
        return self._named(declared, declared.__module__, declared.__qualname__)

    def _named(self, thing: object, module: str, qualified: str) -> str:
        """How a thing that stands at module level, or within a class that does, is called here."""
        if module == "builtins":
            return qualified
        outermost, _, rest = qualified.partition(".")
        home, found = _home(module, outermost)
        for part in rest.split(".") if rest else ():
            found = getattr(found, part, None)
        if found is not thing:
            raise _Nameless(f"{module}.{qualified} is not to be found there; define it at module level")
        if home == "__main__":
            raise _Nameless(f"{qualified} is defined in a program that is run, not in a module that can be imported")
        name = self._import(home, outermost)
        return f"{name}.{rest}" if rest else name

    def _import(self, module: str, name: str) -> str:
        one = self._names.take(module, name)
        self._imports.add(one)
        return one.local


class _Nameless(Exception):
    """A type that another file cannot name; the first argument says why."""


def literal(value: object) -> str:
    """A plain value as ruff writes it: in double quotes, unless that takes more escapes."""
    text = repr(value)
    if isinstance(value, str | bytes) and '"' not in text:
        start = text.index("'")
        return f'{text[:start]}"{text[start + 1 : -1]}"'
    return text


def _home(module: str, name: str) -> tuple[str, object]:
    """The module to import a name from, and what stands there."""
    found: object = getattr(sys.modules.get(module), name, None)
    if found is None:
        return module, None
    parts = module.split(".")
    packages = [".".join(parts[:end]) for end in range(1, len(parts))]
    for package in packages:
        exported = name in getattr(sys.modules.get(package), "__all__", ())
        if exported and getattr(sys.modules.get(package), name, None) is found:
            return package, found
    for package in reversed(packages):
        hidden = any(part.startswith("_") for part in module.split(".")[package.count(".") + 1 :])
        public = not any(part.startswith("_") for part in package.split("."))
        if hidden and public and getattr(sys.modules.get(package), name, None) is found:
            return package, found
    return module, found
