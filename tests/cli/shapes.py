"""A program with a step of every shape, for which participants are written. It is text: it only ever stands in a
temporary folder, as `shop`."""

from pathlib import Path
from typing import Final

PAYLOADS: Final = '''"""Payloads of the shop."""

from decimal import Decimal
from enum import Enum
from typing import Generic, NewType

from attrs import frozen
from typing_extensions import TypeVar

Item = TypeVar("Item")
Cents = NewType("Cents", int)


class Size(Enum):
    SMALL = "small"
    LARGE = "large"


@frozen
class Basket:
    items: tuple[str, ...]


@frozen
class Stock:
    shelf: str


@frozen
class Release:
    shelf: str


@frozen
class Price:
    amount: Decimal


@frozen
class Box(Generic[Item]):
    content: Item


@frozen
class SagaContext:
    """Called as a class of the library."""

    text: str


@frozen
class Warning:
    """Called as a class of the language."""

    text: str
'''

DEEP: Final = '''"""Types far down."""

from attrs import frozen


@frozen
class Parcel:
    """Called as one in another module."""

    @frozen
    class Label:
        """A class within a class."""

        text: str

    label: Label


@frozen
class AParcelThatWasPackedUnderPressureAndThatNobodyWouldEverWantToOpenAgain:
    text: str


@frozen
class AReceiptWithSoManyWordsInItsNameThatNoLineHoldsIt:
    text: str


@frozen
class AnUndoThatTakesForEverToSayAndAsLongToRead:
    undone: str
'''

OTHER: Final = '''"""A second Parcel."""

from attrs import frozen


@frozen
class Parcel:
    weight: int
'''

SAGAS: Final = '''"""The workflow of the shop: one step of every shape."""

from decimal import Decimal
from typing import Final, Literal
from uuid import UUID

from saga_choreography import Saga, SagaWorkflow, Step, all_of, any_of
from shop.deep.down import (
    AnUndoThatTakesForEverToSayAndAsLongToRead,
    AParcelThatWasPackedUnderPressureAndThatNobodyWouldEverWantToOpenAgain,
    AReceiptWithSoManyWordsInItsNameThatNoLineHoldsIt,
    Parcel,
)
from shop.deep.other import Parcel as OtherParcel
from shop.payloads import Basket, Box, Cents, Price, Release, SagaContext, Size, Stock, Warning

SHOP = Saga("shop", Basket)
RESERVE: Final = Step[Basket, Stock, Release]("reserve", Stock, after=SHOP, undo=Release)
RATE = Step[Basket, Price]("rate", Price, after=SHOP, pure=True)
NOTIFY = Step[Stock, None]("notify", type(None), after=RESERVE)
JOINED = Step[tuple[Stock, Price], Box[Parcel], Parcel.Label](
    "joined", Box[Parcel], after=all_of(RESERVE, RATE), undo=Parcel.Label
)
EITHER = Step[Stock | Price, list[int]]("either", list[int], after=any_of(RESERVE, RATE))
TABLE = Step[list[int], dict[str, Stock]]("table", dict[str, Stock], after=EITHER, pure=True)
RAW = Step[dict[str, Stock], bytes, bytes]("raw", bytes, after=TABLE, undo=bytes)
PARCELS = Step[bytes, tuple[Parcel, OtherParcel]]("two.parcels", tuple[Parcel, OtherParcel], after=RAW)
BADLY_CALLED = Step[tuple[Parcel, OtherParcel], SagaContext, Warning](
    "badly-called", SagaContext, after=PARCELS, undo=Warning
)
STANDARD = Step[SagaContext, dict[UUID, Decimal | None], dict[Literal["a", "b"], Size]](
    "standard", dict[UUID, Decimal | None], after=BADLY_CALLED, undo=dict[Literal["a", "b"], Size]
)
LONG = Step[
    AParcelThatWasPackedUnderPressureAndThatNobodyWouldEverWantToOpenAgain,
    AReceiptWithSoManyWordsInItsNameThatNoLineHoldsIt,
    AnUndoThatTakesForEverToSayAndAsLongToRead,
](
    "a-step-name-of-64-characters-" + "x" * 35,
    AReceiptWithSoManyWordsInItsNameThatNoLineHoldsIt,
    after=Saga("shop", AParcelThatWasPackedUnderPressureAndThatNobodyWouldEverWantToOpenAgain),
    undo=AnUndoThatTakesForEverToSayAndAsLongToRead,
)
LONGER = Step[
    AReceiptWithSoManyWordsInItsNameThatNoLineHoldsIt,
    dict[str, tuple[AReceiptWithSoManyWordsInItsNameThatNoLineHoldsIt, Parcel, Box[Cents]] | None],
    list[AnUndoThatTakesForEverToSayAndAsLongToRead | AReceiptWithSoManyWordsInItsNameThatNoLineHoldsIt],
](
    "l",
    dict[str, tuple[AReceiptWithSoManyWordsInItsNameThatNoLineHoldsIt, Parcel, Box[Cents]] | None],
    after=LONG,
    undo=list[AnUndoThatTakesForEverToSayAndAsLongToRead | AReceiptWithSoManyWordsInItsNameThatNoLineHoldsIt],
)
FROM_START_AND_END = Step[tuple[Basket, Price, list[int]], Price, Basket](
    "from_start_and_end", Price, after=all_of(SHOP, RATE, EITHER), undo=Basket
)
STEPS = (
    *(RESERVE, RATE, NOTIFY, JOINED, EITHER, TABLE, RAW, PARCELS, BADLY_CALLED, STANDARD, LONG, LONGER),
    FROM_START_AND_END,
)
SHOP_WORKFLOW = SagaWorkflow(SHOP, steps=STEPS)
'''

FILES: Final = {
    "shop/__init__.py": '"""The shop."""\n',
    "shop/actors/__init__.py": '"""Its participants."""\n',
    "shop/deep/__init__.py": "",
    "shop/deep/down.py": DEEP,
    "shop/deep/other.py": OTHER,
    "shop/payloads.py": PAYLOADS,
    "shop/sagas.py": SAGAS,
}

PARTICIPANTS: Final = {
    "warehouse": "reserve",
    "rater": "rate",
    "bell": "notify",
    "joiner": "joined",
    "e": "either",
    "tabulator_2000": "table",
    "raw_bytes": "raw",
    "parcel": "two.parcels",
    "badly_named_one": "badly-called",
    "standard_desk": "standard",
    "a_participant_with_a_name_that_is_too_lo": "a-step-name-of-64-characters-" + "x" * 35,
    "another_participant_with_a_very_long_nam": "l",
    "last": "from_start_and_end",
}
"""Names of participants, short and as long as may be, and the steps they perform."""


def write_shop(folder: Path, *, line_length: int) -> None:
    """The program, in a folder of its own; ruff follows the rules of this repository, with another width."""
    for path, text in FILES.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    rules = '["E", "F", "W", "I", "B", "C4", "PIE", "PT", "RET", "RUF", "SIM", "TID", "UP"]'
    (folder / "pyproject.toml").write_text(
        f'[tool.ruff]\nline-length = {line_length}\ntarget-version = "py311"\n\n[tool.ruff.lint]\nselect = {rules}\n'
        '\n[tool.ruff.lint.flake8-tidy-imports]\nban-relative-imports = "all"\n\n[tool.pytest.ini_options]\n'
        'addopts = ["--import-mode=importlib", "--strict-markers"]\npythonpath = ["."]\nfilterwarnings = ["error"]\n',
        encoding="utf-8",
    )
