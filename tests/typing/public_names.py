"""What the façade offers a user: its names and the public members of its classes, and where each is documented."""

import ast
import inspect
import sys
from collections.abc import Iterator
from itertools import pairwise
from types import FunctionType
from typing import Final

import saga_choreography

PACKAGE: Final = saga_choreography.__name__


def classes() -> dict[str, type]:
    """The classes of the façade, by name."""
    return {name: value for name, value in _public() if isinstance(value, type)}


def functions() -> dict[str, FunctionType]:
    """The functions of the façade, by name."""
    return {name: value for name, value in _public() if isinstance(value, FunctionType)}


def others() -> list[str]:
    """The names that are neither: unions, NewTypes and generic aliases."""
    return [name for name, value in _public() if not isinstance(value, type | FunctionType)]


def members(owner: type) -> Iterator[tuple[str, object]]:
    """Public methods and properties of a class and of its bases in this library, each as it is declared."""
    seen: set[str] = set()
    for base in owner.__mro__:
        if base.__module__.partition(".")[0] == PACKAGE:
            for name, value in vars(base).items():
                is_method = isinstance(value, FunctionType | property | classmethod | staticmethod)
                if is_method and not name.startswith("_") and name not in seen:
                    yield name, value
                seen.add(name)


def function_of(member: object) -> FunctionType:
    """The function behind a method or a property."""
    match member:
        case FunctionType():
            return member
        case property(fget=FunctionType() as getter):
            return getter
        case classmethod(__func__=FunctionType() as function) | staticmethod(__func__=FunctionType() as function):
            return function
        case _:
            raise TypeError(f"{member!r} is no method")


def text_below(name: str) -> str | None:
    """The string below the assignment of a public name: the place for the documentation of what is no class."""
    module = PACKAGE
    while True:
        body = ast.parse(inspect.getsource(sys.modules[module])).body
        origins = {alias.name: node.module for node in body if isinstance(node, ast.ImportFrom) for alias in node.names}
        origin = origins.get(name)
        if origin is None:
            return _text_below(name, body)
        module = origin


def _public() -> Iterator[tuple[str, object]]:
    for name in saga_choreography.__all__:
        yield name, getattr(saga_choreography, name)


def _text_below(name: str, body: list[ast.stmt]) -> str | None:
    for statement, below in pairwise(body):
        match statement, below:
            case (
                ast.Assign(targets=[ast.Name(id=assigned)]) | ast.AnnAssign(target=ast.Name(id=assigned)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ) if assigned == name:
                return text
            case _:
                pass
    return None
