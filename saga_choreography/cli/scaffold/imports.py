"""Imports of a written file: who is called what there, and the block at its top as ruff's import sorter leaves it."""

import builtins
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from enum import IntEnum
from typing import Final, TypeAlias, final

from attrs import frozen

from saga_choreography.cli.scaffold.layout import from_import

_BUILTINS: Final = frozenset(dir(builtins))
_Natural: TypeAlias = tuple[tuple[int, int], ...]


class Section(IntEnum):
    """The blocks that imports stand in, in this order."""

    STANDARD = 1
    THIRD_PARTY = 2
    FIRST_PARTY = 3


@final
@frozen
class Import:
    """`from module import name as local`; without a name: `import module`."""

    module: str
    name: str = ""
    local: str = ""


@final
class LocalNames:
    """Gives every imported thing a name that nothing else has in any of the written files."""

    def __init__(self, reserved: Mapping[str, str]) -> None:
        """`reserved`: names the templates use themselves, and the module each is imported from ("": made there)."""
        self._owner = {local: (module, local) for local, module in reserved.items()}

    def take(self, module: str, name: str) -> Import:
        """The import of `name` from `module`, under another name when its own is taken."""
        for local in self._candidates(module, name):
            if local not in _BUILTINS and self._owner.setdefault(local, (module, name)) == (module, name):
                return Import(module, name, local)
        raise AssertionError("the candidates never end")

    def _candidates(self, module: str, name: str) -> Iterable[str]:
        yield name
        prefix = module.rpartition(".")[2].strip("_").title().replace("_", "")
        # A constant stays one for whoever reads it, and for who sorts the imports.
        other = f"{prefix.upper()}_{name}" if name.isupper() else f"{prefix}{name}"
        yield other
        number = 2
        while True:
            yield f"{other}{number}"
            number += 1


def parse(spec: str) -> list[Import]:
    """`module` or `module:name,name` as a template writes it; nothing at all is no import."""
    if not spec:
        return []
    module, _, names = spec.partition(":")
    return [Import(module, name, name) for name in names.split(",")] if names else [Import(module)]


def import_block(imports: Iterable[Import], section_of: Callable[[str], Section], width: int) -> str:
    """All imports of a file, sorted and broken."""
    wanted = set(imports)
    blocks = []
    for section in Section:
        here = [one for one in wanted if section_of(one.module) is section]
        if here:
            blocks.append("\n".join([*_plain(here), *_from(here, width)]))
    return "\n\n".join(blocks)


def _plain(imports: Iterable[Import]) -> list[str]:
    modules = {one.module for one in imports if not one.name}
    return [f"import {module}" for module in sorted(modules, key=_module_key)]


def _from(imports: Iterable[Import], width: int) -> list[str]:
    """A statement a module, and one for each member that is renamed."""
    statements: dict[tuple[str, str], list[Import]] = {}
    for one in imports:
        if one.name:
            renamed = one.local if one.local != one.name else ""
            statements.setdefault((one.module, renamed), []).append(one)
    ordered = sorted((sorted(group, key=_member_key) for group in statements.values()), key=_statement_key)
    return [from_import(group[0].module, map(_member, group), width) for group in ordered]


def _member(one: Import) -> str:
    return one.name if one.local == one.name else f"{one.name} as {one.local}"


def _statement_key(group: list[Import]) -> tuple[object, ...]:
    return (*_module_key(group[0].module), *_member_key(group[0]))


def _module_key(module: str) -> tuple[_Natural, _Natural]:
    return _natural(module.lower()), _natural(module)


def _member_key(one: Import) -> tuple[int, _Natural, _Natural, _Natural]:
    """Constants, then classes, then the rest; each by name."""
    is_constant = len(one.name) > 1 and one.name.isupper()
    rank = 0 if is_constant else 1 if one.name[0].isupper() else 2
    return rank, _natural(one.name.lower()), _natural(one.name), _natural(one.local)


def _natural(text: str) -> _Natural:
    """`step10` comes after `step9`."""
    parts = (part for part in re.split(r"(\d+)", text) if part)
    return tuple(
        key
        for part in parts
        for key in ([(ord("0"), int(part))] if part.isdecimal() else [(ord(letter), 0) for letter in part])
    )


def is_standard(module: str) -> bool:
    """Whether a module belongs to the standard library."""
    return module.partition(".")[0] in sys.stdlib_module_names
