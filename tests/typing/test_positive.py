"""The positive files leave nothing out: every public name and member stands in one of them, so both checkers see it."""

import ast
from pathlib import Path
from typing import Final

import saga_choreography
from tests.typing.public_names import PACKAGE, classes, members

HERE: Final = Path(__file__).parent
MODULES: Final = [ast.parse(file.read_text(encoding="utf-8")) for file in sorted(HERE.glob("positive_*.py"))]
NODES: Final = [node for module in MODULES for node in ast.walk(module)]


def test_every_public_name_is_imported_from_the_facade_and_used() -> None:
    imported = {
        alias.name
        for node in NODES
        if isinstance(node, ast.ImportFrom) and node.module == PACKAGE
        for alias in node.names
    }
    used = {node.id for node in NODES if isinstance(node, ast.Name)}
    assert set(saga_choreography.__all__) - (imported & used) == set()


def test_every_public_method_and_property_is_used_or_implemented() -> None:
    used = {node.attr for node in NODES if isinstance(node, ast.Attribute)}
    implemented = {node.name for node in NODES if isinstance(node, ast.FunctionDef)}
    named = {keyword for node in NODES if isinstance(node, ast.MatchClass) for keyword in node.kwd_attrs}
    missing = {
        f"{name}.{member}"
        for name, owner in classes().items()
        for member, _ in members(owner)
        if member not in used | implemented | named
    }
    assert missing == set()


def test_no_positive_file_silences_a_checker() -> None:
    silenced = [
        f"{file.name}:{number}"
        for file in sorted(HERE.glob("positive_*.py"))
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if "ignore[" in line or "cast(" in line or "Any" in line.split()
    ]
    assert silenced == []
