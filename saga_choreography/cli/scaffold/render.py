"""Templates to text. An undefined name is an error, and nothing is written before everything is rendered."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Final, final

from jinja2 import Environment, PackageLoader, StrictUndefined

from saga_choreography.cli.scaffold.imports import Import, Section, import_block, parse
from saga_choreography.cli.scaffold.layout import TypeExpr, bracketed_names, docstring, type_alias

_ENDING: Final = ".jinja"


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("saga_choreography.cli"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # Python and Markdown, not HTML
    )


@final
class Layout:
    """What a template can call; everything knows how wide a line may be."""

    def __init__(self, width: int, section_of: Callable[[str], Section]) -> None:
        self._width = width
        self._section_of = section_of

    def imports(self, *wanted: str | Import | Iterable[Import]) -> str:
        """The import block of a file: each argument is `module`, `module:name,name`, or imports."""
        found: list[Import] = []
        for one in wanted:
            if isinstance(one, str):
                found += parse(one)
            elif isinstance(one, Import):
                found.append(one)
            else:
                found += one
        return import_block(found, self._section_of, self._width)

    def function(self, name: str, parameters: Sequence[str], returns: str, indent: int = 0) -> str:
        """The first line, or lines, of a function."""
        return bracketed_names(f"def {name}", parameters, f" -> {returns}:", self._width, indent)

    def heading(self, name: str, bases: Sequence[str]) -> str:
        """The first line, or lines, of a class."""
        return bracketed_names(f"class {name}", bases, ":", self._width)

    def alias(self, name: str, expr: TypeExpr) -> str:
        """A type alias at module level."""
        return type_alias(name, expr, self._width)

    def doc(self, text: str, indent: int = 0) -> str:
        """A docstring of one paragraph."""
        return docstring(text, self._width, indent)

    def call(self, start: str, arguments: Sequence[str], indent: int = 0) -> str:
        """A statement that ends with a call."""
        return bracketed_names(start, arguments, "", self._width, indent)


def render_tree(root: str, layout: Layout, facts: Mapping[str, object], names: Mapping[str, str]) -> dict[str, str]:
    """Every template below `root`, by the path of what it makes. `__key__` in a path is the name under that key."""
    environment = _environment()
    environment.globals["layout"] = layout
    templates = environment.list_templates(filter_func=partial(_is_below, root))
    return {
        _named(template.removeprefix(f"{root}/").removesuffix(_ENDING), names): environment.get_template(
            template
        ).render(facts)
        for template in templates
    }


def _is_below(root: str, template: str) -> bool:
    return template.startswith(f"{root}/") and template.endswith(_ENDING)


def _named(path: str, names: Mapping[str, str]) -> str:
    return re.sub(r"__([a-z]+)__(?=[./]|$)", lambda found: names.get(found[1], found[0]), path)
