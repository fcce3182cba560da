"""The reference describes every public name, each once."""

import re
from collections import Counter
from typing import Final

import pytest

import saga_choreography
import saga_choreography.testing
from tests.docs.documents import ROOT

DIRECTIVE: Final = re.compile(r"^\.\. auto(?:class|exception|function|data):: ([\w.]+)$", re.MULTILINE)
DESCRIBED: Final = Counter(
    name
    for page in sorted(ROOT.glob("docs/reference/*.md"))
    for name in DIRECTIVE.findall(page.read_text(encoding="utf-8"))
)
PUBLIC: Final = [
    f"{package.__name__}.{name}"
    for package in (saga_choreography, saga_choreography.testing)
    for name in package.__all__
]


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_is_described_once(name: str) -> None:
    assert DESCRIBED[name] == 1


def test_nothing_is_described_twice() -> None:
    assert [name for name, times in DESCRIBED.items() if times > 1] == []


def test_the_page_of_inner_types_is_the_only_one_that_describes_what_is_not_public() -> None:
    inner = DIRECTIVE.findall((ROOT / "docs/reference/inner.md").read_text(encoding="utf-8"))
    assert set(DESCRIBED) - set(PUBLIC) == set(inner)
