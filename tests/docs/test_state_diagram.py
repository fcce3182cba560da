"""The diagram in the architecture page is what its script prints, and that is the transition table."""

import re
from pathlib import Path

from saga_choreography.state.transitions import LEGAL
from tests.docs.documents import ROOT
from tests.docs.running import printed_by, run_python

SCRIPT = ROOT / "docs" / "make_state_diagram.py"
PAGE = ROOT / "docs" / "architecture.md"


def test_the_committed_diagram_is_what_the_script_prints(tmp_path: Path) -> None:
    text = PAGE.read_text(encoding="utf-8")
    begin, end = (f"<!-- {word}: printed by docs/make_state_diagram.py -->\n" for word in ("begin", "end"))
    assert text.count(begin) == text.count(end) == 1
    committed = text.partition(begin)[2].partition(end)[0]
    assert committed == printed_by(str(SCRIPT), tmp_path), "run: python docs/make_state_diagram.py --write"


def test_the_arrows_between_states_are_the_table(tmp_path: Path) -> None:
    arrows = re.findall(r"^    (\w+) --> (\w+)$", printed_by(str(SCRIPT), tmp_path), re.MULTILINE)
    table = [(source.__name__, target.__name__) for source, targets in LEGAL.items() for target in targets]
    assert sorted(arrows) == sorted(table)


def test_writing_replaces_a_stale_diagram_and_nothing_else(tmp_path: Path) -> None:
    copy = tmp_path / SCRIPT.name
    copy.write_bytes(SCRIPT.read_bytes())
    page = tmp_path / PAGE.name
    fresh = PAGE.read_text(encoding="utf-8")
    page.write_text(fresh.replace("    Idle --> Triggered\n", ""), encoding="utf-8")
    assert printed_by(f"{copy}", tmp_path) != ""
    assert run_python([str(copy), "--write"], tmp_path).returncode == 0
    assert page.read_text(encoding="utf-8") == fresh


def test_an_unknown_argument_is_refused(tmp_path: Path) -> None:
    refused = run_python([str(SCRIPT), "--wrong"], tmp_path)
    assert refused.returncode == 2
    assert refused.stderr.startswith("usage: ")
