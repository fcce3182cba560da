"""Where a package is to stand: how it is imported from there, and what ruff is told about that project."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final, final

from attrs import frozen

from saga_choreography.cli.faults import NameFault, PlaceFault
from saga_choreography.cli.scaffold.imports import Section, is_standard
from saga_choreography.cli.scaffold.layout import SHORTEST_WIDTH

_SETTINGS: Final = (".ruff.toml", "ruff.toml", "pyproject.toml")


@final
@frozen(kw_only=True)
class Place:
    """A package to be: its folder, its dotted name, the widest line, and where first-party modules are looked for."""

    folder: Path
    package: str
    width: int
    sources: tuple[Path, ...]

    def section_of(self, module: str) -> Section:
        """The block of imports a module belongs to."""
        top = module.partition(".")[0]
        if is_standard(top):
            return Section.STANDARD
        if top == self.package.partition(".")[0] or any(_holds(source, top) for source in self.sources):
            return Section.FIRST_PARTY
        return Section.THIRD_PARTY


def place_in(directory: Path, name: str) -> Place:
    """The place of a new package in a folder; it is imported by way of all packages around it.

    Raises:
        NameFault: a folder around it cannot be part of an import.
        PlaceFault: a module there has its name, or the project's settings cannot be read.
    """
    folder = Path(os.path.abspath(directory))
    for suffix in (".py", ".pyi"):
        if (folder / f"{name}{suffix}").exists():
            raise PlaceFault(f"{folder / name}{suffix} would be hidden by a package of that name; nothing was changed")
    root, parts = folder, [name]
    while (root / "__init__.py").exists():
        parts.insert(0, root.name)
        root = root.parent
    for part in parts:
        if not part.isidentifier():
            raise NameFault(f"{folder} has an __init__.py but cannot be imported: {part!r} is no identifier")
    project, settings = _project(root)
    return Place(
        folder=folder / name,
        package=".".join(parts),
        width=_width(settings),
        sources=tuple(project / source for source in _sources(settings)),
    )


def _holds(source: Path, top: str) -> bool:
    return (source / top).is_dir() or (source / f"{top}.py").exists()


def _project(root: Path) -> tuple[Path, Mapping[str, object]]:
    """The nearest folder with settings of ruff, and these."""
    for folder in (root, *root.parents):
        for name in _SETTINGS:
            file = folder / name
            if file.is_file():
                settings = _read(file)
                if name != "pyproject.toml":
                    return folder, settings
                if (found := _table(_table(settings, "tool"), "ruff")) is not None:
                    return folder, found
    return root, {}


def _read(file: Path) -> Mapping[str, object]:
    try:
        with file.open("rb") as stream:
            return tomllib.load(stream)
    except (OSError, ValueError) as error:
        raise PlaceFault(f"{file} cannot be read, so ruff could not read it either: {error}") from error


def _table(settings: Mapping[str, object] | None, name: str) -> Mapping[str, object] | None:
    found = None if settings is None else settings.get(name)
    return found if isinstance(found, dict) else None


def _width(settings: Mapping[str, object]) -> int:
    width = settings.get("line-length")
    return max(width, SHORTEST_WIDTH) if isinstance(width, int) else SHORTEST_WIDTH


def _sources(settings: Mapping[str, object]) -> list[str]:
    found = settings.get("src")
    return [str(source) for source in found] if isinstance(found, list) else [".", "src"]
