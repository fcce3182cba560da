"""Lines are broken, and imports sorted, as ruff does it; tests/cli/test_new_checkers.py asks ruff itself."""

import pytest

from saga_choreography.cli.scaffold.imports import Import, LocalNames, Section, import_block
from saga_choreography.cli.scaffold.layout import (
    Atom,
    Either,
    Subscript,
    TypeExpr,
    bracketed_names,
    docstring,
    flat,
    type_alias,
)

PAIR = Subscript("tuple", (Atom("Alpha"), Atom("Beta")))
CHOICE = Either((PAIR, Atom("None")))


def test_a_type_is_written_on_one_line_where_it_fits() -> None:
    assert type_alias("X", CHOICE, 43) == "X: TypeAlias = tuple[Alpha, Beta] | None"


@pytest.mark.parametrize(
    ("expr", "width", "lines"),
    [
        (PAIR, 30, ["X: TypeAlias = tuple[", "    Alpha, Beta", "]"]),
        (PAIR, 14, ["X: TypeAlias = tuple[", "    Alpha,", "    Beta,", "]"]),
        (CHOICE, 30, ["X: TypeAlias = (", "    tuple[Alpha, Beta] | None", ")"]),
        (CHOICE, 24, ["X: TypeAlias = (", "    tuple[Alpha, Beta]", "    | None", ")"]),
        (Subscript("list", (CHOICE,)), 30, ["X: TypeAlias = list[", "    tuple[Alpha, Beta] | None", "]"]),
        (Atom("Gamma"), 18, ["X: TypeAlias = (", "    Gamma", ")"]),
    ],
)
def test_a_type_that_is_too_long_is_broken(expr: TypeExpr, width: int, lines: list[str]) -> None:
    assert type_alias("X", expr, width).splitlines() == lines


def test_a_broken_type_says_the_same_as_a_flat_one() -> None:
    def words(text: str) -> str:
        return text.replace(" ", "").replace("\n", "").replace(",]", "]").replace("(", "").replace(")", "")

    expr = Subscript("dict", (Atom("str"), Either((PAIR, Subscript("list", (CHOICE,)))), PAIR))
    for width in range(10, 120):
        assert words(type_alias("X", expr, width)) == words(f"X: TypeAlias = {flat(expr)}")


def test_names_in_brackets_have_three_shapes() -> None:
    assert bracketed_names("class A", ["B", "C"], ":", 14) == "class A(B, C):"
    assert bracketed_names("class A", ["B", "C"], ":", 13) == "class A(\n    B, C\n):"
    assert bracketed_names("class A", ["B", "C"], ":", 7) == "class A(\n    B,\n    C,\n):"


def test_a_docstring_ends_on_its_line_or_on_one_of_its_own() -> None:
    assert docstring("One two.", 14) == '"""One two."""'
    assert docstring("One two.", 13) == '"""One\ntwo.\n"""'


def sections(module: str) -> Section:
    return {"os": Section.STANDARD, "typing": Section.STANDARD, "own": Section.FIRST_PARTY}.get(
        module.partition(".")[0], Section.THIRD_PARTY
    )


def test_imports_stand_in_their_sections_in_the_order_of_ruff() -> None:
    wanted = [
        Import("own.b10", "thing", "thing"),
        Import("own.b9", "thing2", "thing2"),
        Import("own.b9", "CONSTANT", "CONSTANT"),
        Import("own.b9", "Class", "Class"),
        Import("own.b9", "Class", "Class"),
        Import("own.b9", "Clash", "B9Clash"),
        Import("pykka"),
        Import("attrs", "frozen", "frozen"),
        Import("typing", "final", "final"),
        Import("os"),
    ]
    assert import_block(wanted, sections, 88).splitlines() == [
        "import os",
        "from typing import final",
        "",
        "import pykka",
        "from attrs import frozen",
        "",
        "from own.b9 import CONSTANT, Class, thing2",
        "from own.b9 import Clash as B9Clash",
        "from own.b10 import thing",
    ]


def test_an_import_that_is_too_long_has_a_line_a_name() -> None:
    wanted = [Import("own", name, name) for name in ("alpha", "beta")]
    assert import_block(wanted, sections, 20) == "from own import (\n    alpha,\n    beta,\n)"


def test_two_things_of_one_name_are_called_differently() -> None:
    names = LocalNames({"taken": "", "UUID": "uuid"})
    assert names.take("uuid", "UUID").local == "UUID"
    assert names.take("shop.ids", "UUID").local == "IDS_UUID"
    assert names.take("shop.a", "Parcel").local == "Parcel"
    assert names.take("shop.b_c", "Parcel").local == "BCParcel"
    assert names.take("mall.b_c", "Parcel").local == "BCParcel2"
    assert names.take("shop.a", "Parcel").local == "Parcel"
    assert names.take("shop.a", "list").local == "Alist"
    assert names.take("shop.a", "taken").local == "Ataken"
