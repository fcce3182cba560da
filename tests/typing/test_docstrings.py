"""Every public name says what it is."""

import inspect
from typing import Final

from tests.typing.public_names import classes, function_of, functions, members, others, text_below

NEEDS_A_UNIT: Final = {"timeout", "seconds", "delay", "interval"}
"""Parameters whose names do not say what their numbers count; `_millis` does."""


def test_every_public_class_and_function_has_a_docstring_of_its_own() -> None:
    documented = {**classes(), **functions()}
    assert [name for name, value in documented.items() if not vars(value).get("__doc__", value.__doc__)] == []


def test_every_public_alias_is_documented_below_its_assignment() -> None:
    assert [name for name in others() if not text_below(name)] == []


def test_every_public_method_has_a_docstring_or_overrides_one_that_has() -> None:
    silent = [
        f"{name}.{member}"
        for name, owner in classes().items()
        for member, _ in members(owner)
        if not inspect.getdoc(getattr(owner, member))
    ]
    assert silent == []


def test_a_time_whose_name_says_no_unit_is_explained() -> None:
    unclear = [
        f"{name}.{member}({parameter})"
        for name, owner in classes().items()
        for member, value in members(owner)
        for parameter in NEEDS_A_UNIT & inspect.signature(function_of(value)).parameters.keys()
        if "second" not in (inspect.getdoc(getattr(owner, member)) or "")
    ]
    assert unclear == []


def test_a_method_that_raises_says_so() -> None:
    silent = [
        f"{name}.{member}"
        for name, owner in classes().items()
        for member, value in members(owner)
        if "raise " in inspect.getsource(function_of(value))
        if "Raises:" not in (inspect.getdoc(getattr(owner, member)) or "")
    ]
    assert silent == []
