"""No fenced block of the documents escapes the tests: each language has somebody who runs or reads it."""

import configparser
import re
import tomllib
from importlib.metadata import metadata
from typing import Final

import pytest

from tests.docs.documents import PAGES, ROOT, Fence, fences, title

ALL: Final = tuple(fence for page in PAGES for fence in fences(page))
TAKEN_CARE_OF: Final = {
    "python": "test_examples.py, test_block_types.py",
    "console": "test_console.py, test_tutorial.py",
    "sh": "test_shell.py",
    "toml": "here",
    "ini": "here",
    "mermaid": "test_state_diagram.py, test_sequence_diagrams.py; architecture.md draws the modules by hand",
    "text": "what a program prints, or a drawing of folders",
    "{eval-rst}": "the build of the site; test_reference.py",
    "{toctree}": "the build of the site",
}


def test_every_block_has_a_language_that_is_taken_care_of() -> None:
    for fence in ALL:
        assert fence.language in TAKEN_CARE_OF, f"{fence} is of language {fence.language!r}"


def test_every_fence_is_closed() -> None:
    for page in PAGES:
        ticks = re.findall(r"^```", page.read_text(encoding="utf-8"), re.MULTILINE)
        assert len(ticks) == 2 * len(list(fences(page))), title(page)


@pytest.mark.parametrize("fence", [fence for fence in ALL if fence.language == "toml"], ids=str)
def test_a_toml_block_can_be_read(fence: Fence) -> None:
    assert tomllib.loads(fence.code)


@pytest.mark.parametrize("fence", [fence for fence in ALL if fence.language == "ini"], ids=str)
def test_an_ini_block_can_be_read(fence: Fence) -> None:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(fence.code)
    assert parser.sections()


def test_the_extras_of_the_installation_page_exist() -> None:
    text = (ROOT / "docs" / "installation.md").read_text(encoding="utf-8")
    extras = {extra for found in re.findall(r"saga_choreography\[([\w,]+)\]", text) for extra in found.split(",")}
    assert extras
    assert extras <= set(metadata("saga_choreography").get_all("Provides-Extra") or ())
