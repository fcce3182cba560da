"""What was measured survives its way through a file, and what is no report is refused by name."""

import json
import os
from pathlib import Path

import pytest

from bench import conditions
from bench.report import NoReport, dumps, loads, read
from tests.bench.sample import reported, sample


def test_a_report_comes_back_as_it_was_written() -> None:
    assert loads(dumps(sample()), "a file") == sample()


def test_machines_are_told_whether_a_verdict_holds() -> None:
    assert [each["holds"] for each in json.loads(dumps(sample()))["throughput"]["verdicts"]] == [False]


def test_sections_of_several_files_stand_together_and_the_later_file_counts(tmp_path: Path) -> None:
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    first.write_text(dumps(sample()))
    second.write_text(dumps({"waiting": reported(title="Newer"), "import": reported(title="Import")}))
    report = read([first, second])
    assert set(report) == {*sample(), "import"}
    assert report["waiting"].title == "Newer"
    assert report["throughput"] == sample()["throughput"]


@pytest.mark.parametrize("text", ["no json", '{"latency": {"rows": 3}}', "[]", '{"latency": {}}'])
def test_what_is_no_report_is_refused_by_name(text: str, tmp_path: Path) -> None:
    path = tmp_path / "strange.json"
    path.write_text(text)
    with pytest.raises(NoReport, match=r"strange\.json"):
        read([path])


def test_figures_stand_beside_the_machine_they_were_measured_on(tmp_path: Path) -> None:
    here = conditions.conditions(3, str(tmp_path))
    assert here.processors == os.cpu_count()
    assert here.sync_millis > 0
    assert str(here).endswith("medians of 3")
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"
