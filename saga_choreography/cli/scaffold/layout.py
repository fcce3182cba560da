"""Python source broken the way `ruff format` breaks it, so that what is written needs no formatter.

Three shapes are tried, as ruff does: all on one line; what is inside the brackets on a line of its own; one item a line
with a comma after the last. Only what depends on names and types comes through here; the rest of a template is short.
The limits: lines of 88 columns at least, and no name so long that it does not fit a line by itself.
"""

from collections.abc import Iterable, Sequence
from textwrap import wrap
from typing import Final, TypeAlias, assert_never, final

from attrs import frozen

SHORTEST_WIDTH: Final = 88
"""Columns that the templates need, the default of ruff; a narrower setting is not followed."""
STEP: Final = 4
"""Columns of one level of indentation."""


@final
@frozen
class Atom:
    """What cannot be broken."""

    text: str


@final
@frozen
class Subscript:
    """`head[items]`, or a list when there is no head."""

    head: str
    items: tuple["TypeExpr", ...]


@final
@frozen
class Either:
    """`items[0] | items[1]`."""

    items: tuple["TypeExpr", ...]


TypeExpr: TypeAlias = Atom | Subscript | Either


def flat(expr: TypeExpr) -> str:
    """A type on one line."""
    match expr:
        case Atom(text):
            return text
        case Subscript(head, items):
            return f"{head}[{', '.join(flat(item) for item in items)}]"
        case Either(items):
            return " | ".join(flat(item) for item in items)
        case _:
            assert_never(expr)


def _spread(expr: TypeExpr, indent: int, used: int, tail: int, width: int) -> str:
    """A type inside brackets: `used` columns are taken before it and `tail` after it on its last line."""
    line = flat(expr)
    if used + len(line) + tail <= width:
        return line
    match expr:
        case Atom():
            return line
        case Subscript(head, items):
            return f"{head}{_bracketed(items, indent, width)}"
        case Either(items):
            pad = " " * indent
            tails = [0] * (len(items) - 1) + [tail]
            used_by = [indent] + [indent + len("| ")] * (len(items) - 1)
            parts = [
                _spread(item, indent, before, after, width)
                for item, before, after in zip(items, used_by, tails, strict=True)
            ]
            return f"\n{pad}| ".join(parts)
        case _:
            assert_never(expr)


def _bracketed(items: Sequence[TypeExpr], indent: int, width: int) -> str:
    inner = indent + STEP
    pad = " " * inner
    line = ", ".join(flat(item) for item in items)
    if inner + len(line) <= width:
        return f"[\n{pad}{line}\n{' ' * indent}]"
    if len(items) == 1:
        return f"[\n{pad}{_spread(items[0], inner, inner, 0, width)}\n{' ' * indent}]"
    lines = "".join(f"{pad}{_spread(item, inner, inner, 1, width)},\n" for item in items)
    return f"[\n{lines}{' ' * indent}]"


def type_alias(name: str, expr: TypeExpr, width: int) -> str:
    """`name: TypeAlias = expr`, at module level."""
    start = f"{name}: TypeAlias = "
    if len(start) + len(flat(expr)) <= width:
        return start + flat(expr)
    match expr:
        case Atom(text):
            # Ruff puts parentheses around what fits between them, and leaves alone what does not.
            return f"{start}(\n    {text}\n)" if STEP + len(text) <= width else start + text
        case Subscript(head, items):
            return f"{start}{head}{_bracketed(items, 0, width)}"
        case Either():
            return f"{start}(\n    {_spread(expr, STEP, STEP, 0, width)}\n)"
        case _:
            assert_never(expr)


def bracketed_names(start: str, names: Sequence[str], end: str, width: int, indent: int = 0) -> str:
    """`start(names)end`: a class header, the parameters of a function, or a call."""
    pad = " " * indent
    line = ", ".join(names)
    if indent + len(start) + len(line) + len(end) + 2 <= width:
        return f"{pad}{start}({line}){end}"
    inner = f"{pad}    "
    if len(inner) + len(line) <= width:
        return f"{pad}{start}(\n{inner}{line}\n{pad}){end}"
    lines = "".join(f"{inner}{name},\n" for name in names)
    return f"{pad}{start}(\n{lines}{pad}){end}"


def from_import(module: str, members: Iterable[str], width: int) -> str:
    """`from module import members`; ruff knows no middle shape here."""
    names = list(members)
    line = f"from {module} import {', '.join(names)}"
    # Ruff's import sorter leaves a single member where it is, unless it is renamed.
    if len(line) <= width:
        return line
    return f"from {module} import (\n" + "".join(f"    {name},\n" for name in names) + ")"


def docstring(text: str, width: int, indent: int = 0) -> str:
    """A docstring of one paragraph; the closing quotes stand alone when it needs more than one line."""
    pad = " " * indent
    line = f'{pad}"""{text}"""'
    if len(line) <= width:
        return line
    # Ruff pulls the closing quotes up to a single line, however long: there are always two.
    room = width - indent - (len('"""') if len(pad) + 3 + len(text) > width else len('""""""'))
    first, *others = wrap(text, room, break_long_words=False, break_on_hyphens=False)
    rest = wrap(" ".join(others), width - indent, break_long_words=False, break_on_hyphens=False)
    return "\n".join([f'{pad}"""{first}', *(f"{pad}{one}" for one in rest), f'{pad}"""'])
