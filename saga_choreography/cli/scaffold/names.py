"""Names of what is to be made: lower-case identifiers that hide nothing."""

import builtins
import keyword
import re
import sys
from typing import Final

import saga_choreography
from saga_choreography.cli.faults import NameFault

LONGEST: Final = 40
"""Characters of a name. The lines of what is written are broken for names up to this length."""

_SHAPE: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_OURS: Final = frozenset({"saga_choreography", "deribit_example"})
_TAKEN: Final = frozenset(
    {"attr", "attrs", "cattr", "cattrs", "lmdb", "msgpack", "pykka", "typing_extensions"}  # what we stand on
    | {"mypy", "pip", "pyright", "pytest", "ruff", "setuptools", "tox", "wheel"}  # what checks it
    | {"build", "conftest", "dist", "docs", "setup", "src", "test", "tests"}  # what has a meaning in a project
)
MADE: Final = frozenset({"GetStats", "NotWritten", "StepInput", "StepResult", "UndoData"})
"""What the templates call their own classes and aliases."""


def check_name(name: str, what: str) -> str:
    """The name, when it can be that of a package.

    Raises:
        NameFault: it cannot; the message says why, and how it is to be.
    """
    why = _trouble(name)
    if why is not None:
        raise NameFault(f"{name!r} cannot be the name of a {what}: {why}")
    return name


def class_name(name: str) -> str:
    """`order_placer` as `OrderPlacer`."""
    return "".join(part.capitalize() for part in name.split("_"))


def in_words(name: str) -> str:
    """`order_placer` as `order placer`."""
    return name.replace("_", " ")


def _trouble(name: str) -> str | None:
    if not name:
        return "it is empty"
    if "/" in name or "\\" in name:
        return "it is a path; give the name alone, and the folder it goes into as --directory"
    if not name.isascii():
        return "it has other letters than a to z"
    if not _SHAPE.fullmatch(name):
        return "use lower-case words of letters and digits, joined by single underscores, like order_placer"
    if len(name) > LONGEST:
        return f"it has {len(name)} characters, more than {LONGEST}"
    if keyword.iskeyword(name) or keyword.issoftkeyword(name):
        return "it is a keyword of Python"
    if name in sys.stdlib_module_names:
        return "a module of the standard library is called so"
    if name in _OURS or name in _TAKEN:
        return "a package or folder that the result needs is called so"
    made = class_name(name)
    if made in MADE or hasattr(saga_choreography, made) or hasattr(builtins, made):
        return f"its class would be called {made}, as another one is already"
    return None
