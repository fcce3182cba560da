"""The sequence diagrams in the page of the protocol are what their script prints, and that is a saga that ran."""

import shutil
from pathlib import Path

import pytest

from tests.docs.documents import ROOT
from tests.docs.running import run_python

SCRIPT = ROOT / "docs" / "make_sequence_diagrams.py"
PAGE = ROOT / "docs" / "topics" / "protocol.md"
JOURNEYS = ("completed", "undone", "quarantined")


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """The script and its page elsewhere, where the checkout cannot be imported in place of the wheel."""
    copy = tmp_path / SCRIPT.name
    shutil.copy(SCRIPT, copy)
    (tmp_path / "topics").mkdir()
    shutil.copy(PAGE, tmp_path / "topics" / PAGE.name)
    return copy


def printed(script: Path, journey: str) -> str:
    ran = run_python([script.name, journey], script.parent)
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout


@pytest.mark.parametrize("journey", JOURNEYS)
def test_the_committed_diagram_is_what_the_script_prints(script: Path, journey: str) -> None:
    text = PAGE.read_text(encoding="utf-8")
    begin, end = (
        f"<!-- {word}: printed by docs/make_sequence_diagrams.py {journey} -->\n" for word in ("begin", "end")
    )
    assert text.count(begin) == text.count(end) == 1
    committed = text.partition(begin)[2].partition(end)[0]
    assert committed == printed(script, journey), "run: python docs/make_sequence_diagrams.py --write"


def test_the_diagrams_show_how_each_saga_ends(script: Path) -> None:
    last = {journey: printed(script, journey).splitlines()[-2].split(": ")[1] for journey in JOURNEYS}
    assert last == {"completed": "SagaCompleted", "undone": "SagaFailed", "quarantined": "SagaFailed"}


def test_writing_replaces_stale_diagrams_and_nothing_else(script: Path) -> None:
    page = script.parent / "topics" / PAGE.name
    fresh = page.read_text(encoding="utf-8")
    page.write_text(fresh.replace("    Initiator->>FlightDesk: SagaStarted\n", ""), encoding="utf-8")
    assert page.read_text(encoding="utf-8") != fresh
    assert run_python([script.name, "--write"], script.parent).returncode == 0
    assert page.read_text(encoding="utf-8") == fresh


def test_a_page_without_its_markers_is_refused(script: Path) -> None:
    page = script.parent / "topics" / PAGE.name
    page.write_text("# Nothing\n", encoding="utf-8")
    refused = run_python([script.name, "--write"], script.parent)
    assert refused.returncode == 1
    assert "protocol.md needs one <!-- begin" in refused.stderr
    assert page.read_text(encoding="utf-8") == "# Nothing\n"


def test_an_unknown_argument_is_refused(script: Path) -> None:
    refused = run_python([script.name, "--wrong"], script.parent)
    assert refused.returncode == 2
    assert refused.stderr.startswith("usage: ")
