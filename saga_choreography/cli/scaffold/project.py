"""A project to begin with: it runs, and there is nothing in it that has to be written first.

Its two participants have the parts that `new participant` writes, with a business each. Only its name varies, so the
templates are plain files but for their imports.
"""

from importlib.metadata import version
from pathlib import Path
from typing import Final

from saga_choreography.cli.scaffold.imports import Section, is_standard
from saga_choreography.cli.scaffold.names import in_words
from saga_choreography.cli.scaffold.participant import common_facts
from saga_choreography.cli.scaffold.render import Layout, render_tree

WIDTH: Final = 100
"""Columns of a line in a new project; its pyproject.toml says so."""
_ACTORS: Final = {"warehouse": "reserve_stock", "cashier": "charge_card"}
"""The participants and their steps."""


def project_files(name: str) -> dict[str, str]:
    """The files of a project, by their paths in its folder."""

    def section_of(module: str) -> Section:
        top = module.partition(".")[0]
        if is_standard(top):
            return Section.STANDARD
        return Section.FIRST_PARTY if top == name else Section.THIRD_PARTY

    layout = Layout(WIDTH, section_of)
    facts: dict[str, object] = {
        "name": name,
        "words": in_words(name).capitalize(),
        "version": version("saga_choreography"),
        "width": WIDTH,
    }
    files = render_tree("project", layout, facts, {"name": name})
    for actor, step in _ACTORS.items():
        own: dict[str, object] = {
            **common_facts(actor, f"{name}.actors.{actor}", step),
            "project": name,
            "outside": {"name": "ledger", "class": "Ledger", "module": f"{name}.ledger"},
        }
        for root in ("actor", f"project_actors/{actor}"):
            for path, text in render_tree(root, layout, own, {}).items():
                files[str(Path(name, "actors", actor, path))] = text
    return files
