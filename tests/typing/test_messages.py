"""What a misuse is told: both checkers refuse every negative line, and name the step, the method or the state at fault.

The ignores of the negative files prove the first half wherever mypy and pyright run; this proves the second half.
"""

import os
import re
from typing import Final, cast, get_args

import pytest

from saga_choreography.state import StepState
from saga_choreography.state.transitions import TRANSITIONS
from tests.state.test_transitions import sources_of
from tests.typing.checking import MUST_RUN, Checker, Said, is_installed, malformed, misuses, said_by

MISUSES: Final = tuple(misuses())

pytestmark = [pytest.mark.checkers, pytest.mark.timeout(600)]


@pytest.fixture(scope="module", params=get_args(Checker))
def said(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Said:
    checker = cast("Checker", request.param)
    if not is_installed(checker) and checker not in os.environ.get(MUST_RUN, "").split():
        pytest.skip(f"{checker} is not installed here; its own environment runs this")
    return said_by(checker, tmp_path_factory.mktemp(checker))


def is_named(name: str, text: str) -> bool:
    return re.search(rf"\b{name}\b", text) is not None


def test_every_misuse_is_refused_and_the_message_names_what_is_at_fault(said: Said) -> None:
    unnamed = [
        f"{misuse}: {name!r} is not in {text!r}"
        for misuse in MISUSES
        for text in [said.get((misuse.file, misuse.line), "")]
        for name in sorted(misuse.names)
        if not is_named(name, text)
    ]
    assert unnamed == []


def test_nothing_else_in_the_negative_files_is_refused(said: Said) -> None:
    expected = {(misuse.file, misuse.line) for misuse in MISUSES}
    assert {place: text for place, text in said.items() if place not in expected} == {}


def test_every_negative_line_is_silenced_for_both_checkers_and_says_what_they_must_name() -> None:
    assert list(malformed()) == []
    assert len({misuse.file for misuse in MISUSES}) == 5


@pytest.mark.parametrize("state", get_args(StepState), ids=lambda state: state.__name__)
def test_every_move_that_no_transition_admits_has_its_negative_line(state: type[StepState]) -> None:
    here = [one for one in MISUSES if one.file == "negative_transitions.py" and state.__name__ in one.names]
    refused = {one.code.partition("(")[0].strip().removeprefix("transitions.") for one in here}
    assert refused == {function.__name__ for function in TRANSITIONS if state not in sources_of(function)}
