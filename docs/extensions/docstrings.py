"""Docstrings as the site needs them, changed before Napoleon reads their sections."""

import re
from collections.abc import Callable
from typing import Final, Protocol

_SECTION: Final = re.compile(r"^(Raises|Args|Returns|Yields):$")
_MADE_ANEW: Final = re.compile(r"= NOTHING\b")
_FUNCTION: Final = re.compile(r"= <function ([\w.]+)[^>]*>")
_SEVERAL: Final = re.compile(r"^(?P<indent> +)(?P<names>\w+(?:, \w+)+): (?P<reason>.*)$")


class Application(Protocol):
    """As much of Sphinx as is used here."""

    def connect(self, event: str, callback: Callable[..., object], priority: int = 500) -> int:
        """Have `callback` called on `event`; a lower priority is called earlier."""
        ...


def one_line_an_error(lines: list[str]) -> list[str]:
    """`A, B: why` under `Raises:` becomes `A: why` and `B: why`, since each name is to be a link."""
    result: list[str] = []
    in_raises = False
    for line in lines:
        if section := _SECTION.match(line.strip()):
            in_raises = section.group(1) == "Raises"
        several = _SEVERAL.match(line) if in_raises else None
        if several is None:
            result.append(line)
        else:
            names = several.group("names").split(", ")
            result += [f"{several.group('indent')}{name}: {several.group('reason')}" for name in names]
    return result


def no_type_in_prose(lines: list[str]) -> list[str]:
    """What stands before a colon in the first line about an attribute is prose, which Napoleon would take for a type.

    So the first line becomes an empty comment.
    """
    return ["..", "", *lines]


def _process(app: object, what: str, name: str, target: object, options: object, lines: list[str]) -> None:
    is_value = what in ("attribute", "data", "property")
    lines[:] = no_type_in_prose(lines) if is_value else one_line_an_error(lines)


def readable_defaults(signature: str) -> str:
    """attrs calls a default that is made anew for each instance NOTHING, which reads as if there were none; a function
    as a default is shown by its name."""
    return _FUNCTION.sub(r"= \1", _MADE_ANEW.sub("= ...", signature))


def _process_signature(
    app: object, what: str, name: str, target: object, options: object, signature: str | None, returns: str | None
) -> tuple[str, str | None] | None:
    return None if signature is None else (readable_defaults(signature), returns)


def setup(app: Application) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", _process, priority=100)  # before Napoleon reads the sections
    app.connect("autodoc-process-signature", _process_signature)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
