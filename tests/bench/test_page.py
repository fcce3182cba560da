"""The page has a place for every section, and its tables are made of a report and nothing else."""

import re
from pathlib import Path

import pytest

import saga_choreography
from bench.page import PAGE, NoTable, filled, main, names, table
from bench.questions import QUESTIONS
from bench.report import dumps
from tests.bench.sample import reported, sample

SMALL = """# Costs
<!-- bench: throughput -->
old
<!-- end: throughput -->
between
<!-- bench: waiting -->
kept
<!-- end: waiting -->
"""


def test_the_page_has_one_place_for_every_section_and_none_for_another() -> None:
    places = names(PAGE.read_text(encoding="utf-8"))
    assert sorted(places) == sorted(QUESTIONS)


def test_every_table_of_the_page_is_filled() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for name in names(page):
        block = page.partition(f"<!-- bench: {name} -->\n")[2].partition("<!-- end:")[0]
        assert block.startswith(("| ", "skipped: ")), f"{name} has no table"
        assert block.rstrip().endswith("*"), f"{name} does not say where it was measured"


def test_a_section_is_a_table_its_targets_its_notes_and_its_conditions() -> None:
    assert table(sample()["throughput"]).splitlines() == [
        "|  | sagas/s | CPU ms a saga | p50 ms | p99 ms |",
        "| --- | ---: | ---: | ---: | ---: |",
        "| a \\| b | 2,000 | 0.40 | 1.0 | 2.0 |",
        "",
        "| Target | measured | limit | reached |",
        "| --- | ---: | ---: | --- |",
        "| throughput over the floor | 0.50 | at least 0.6 | **no** |",
        "",
        "Restate is skipped: so",
        "",
        "*CPython 3.11.7 on Linux, x86_64, 2 processors (Some | Processor); a page is synced in 0.50 ms; load 0.0 "
        "before; medians of 3*",
    ]


def test_only_sections_that_were_measured_are_rewritten() -> None:
    report = {"throughput": sample()["throughput"]}
    page = filled(SMALL, report)
    assert "old" not in page
    assert "\nbetween\n<!-- bench: waiting -->\nkept\n<!-- end: waiting -->\n" in page
    assert filled(page, report) == page, "doing it again changes nothing"


def test_a_section_without_a_place_is_refused() -> None:
    with pytest.raises(NoTable, match=r"no place for in-flight"):
        filled(SMALL, sample())


def test_the_command_rewrites_the_page_and_says_what_it_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page, figures = tmp_path / "page.md", tmp_path / "figures.json"
    page.write_text(SMALL)
    figures.write_text(dumps({"throughput": reported(rows=(("new", "1", "2", "3", "4"),))}))
    assert main([str(figures), "--page", str(page)]) == 0
    assert "| new | 1 | 2 | 3 | 4 |" in page.read_text()
    assert "left as they were: waiting" in capsys.readouterr().out


def test_a_page_is_left_alone_when_a_file_is_no_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page, figures = tmp_path / "page.md", tmp_path / "figures.json"
    page.write_text(SMALL)
    figures.write_text("{")
    with pytest.raises(SystemExit) as stopped:
        main([str(figures), "--page", str(page)])
    assert stopped.value.code == 2
    assert "figures.json is no JSON" in capsys.readouterr().err
    assert page.read_text() == SMALL


def test_every_file_that_the_page_names_is_there() -> None:
    roots = (Path(saga_choreography.__file__).parent, PAGE.parents[1])
    named = re.findall(r"`([\w/]+\.py)`", PAGE.read_text(encoding="utf-8"))
    assert len(named) > 10
    assert [file for file in named if not any((root / file).is_file() for root in roots)] == []
