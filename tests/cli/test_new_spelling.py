"""Types are spelled as a checker reads them, and imported from where they may be."""

import enum
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, NewType, Optional, TypeVar
from uuid import UUID

import pytest
from attrs import frozen

from saga_choreography import SagaId
from saga_choreography.cli.faults import TargetFault
from saga_choreography.cli.scaffold.imports import LocalNames
from saga_choreography.cli.scaffold.spelling import Speller

T = TypeVar("T")
Cents = NewType("Cents", int)
HERE = __name__


class Size(enum.Enum):
    SMALL = "small"


@frozen
class Box(Generic[T]):
    content: T

    @frozen
    class Lid:
        text: str


def spelled(declared: object) -> tuple[str, set[str]]:
    found = Speller(LocalNames({"taken": ""})).spell(declared, "the type")
    return found.text, {f"{one.module}:{one.name}" for one in found.imports}


@pytest.mark.parametrize(
    ("declared", "text", "imports"),
    [
        (bytes, "bytes", set()),
        (None, "None", set()),
        (type(None), "None", set()),
        (object, "object", set()),
        (Any, "Any", {"typing:Any"}),
        (list[int], "list[int]", set()),
        (list, "list[Any]", {"typing:Any"}),
        (dict, "dict[Any, Any]", {"typing:Any"}),
        (tuple, "tuple[Any, ...]", {"typing:Any"}),
        (tuple[()], "tuple[()]", set()),
        (tuple[int, ...], "tuple[int, ...]", set()),
        (dict[str, Box[int]], "dict[str, Box[int]]", {f"{HERE}:Box"}),
        (Box, "Box[Any]", {f"{HERE}:Box", "typing:Any"}),
        (Box.Lid, "Box.Lid", {f"{HERE}:Box"}),
        (tuple[Decimal, UUID], "tuple[Decimal, UUID]", {"decimal:Decimal", "uuid:UUID"}),
        (Path, "Path", {"pathlib:Path"}),
        (datetime | None, "datetime | None", {"datetime:datetime"}),
        (Optional[int], "int | None", set()),  # noqa: UP045 - the old spelling is what is tested
        (Sequence[int], "Sequence[int]", {"collections.abc:Sequence"}),
        (Annotated[int, "cents"], "int", set()),
        (Literal["a", 'say "b"', 3], 'Literal["a", \'say "b"\', 3]', {"typing:Literal"}),
        (Literal[Size.SMALL], "Literal[Size.SMALL]", {"typing:Literal", f"{HERE}:Size"}),
        (Cents, "Cents", {f"{HERE}:Cents"}),
        (SagaId, "SagaId", {"saga_choreography:SagaId"}),
    ],
    ids=str,
)
def test_a_type_is_spelled_with_its_imports(declared: object, text: str, imports: set[str]) -> None:
    assert spelled(declared) == (text, imports)


def test_a_type_that_cannot_be_imported_is_refused_with_the_reason() -> None:
    @frozen
    class Hidden:
        text: str

    with pytest.raises(TargetFault, match=r"the type cannot be written into another file: .*module level"):
        spelled(list[Hidden])


@pytest.mark.parametrize("declared", ["Box", T, list["Box"], 3])  # type: ignore[type-arg]
def test_what_is_no_type_is_refused(declared: object) -> None:
    with pytest.raises(TargetFault, match="is no class"):
        spelled(declared)


def test_a_type_of_a_program_that_is_run_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    made = type("Made", (), {"__module__": "__main__"})
    monkeypatch.setattr("__main__.Made", made, raising=False)
    with pytest.raises(TargetFault, match="a program that is run"):
        spelled(made)
