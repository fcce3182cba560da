"""Plots are drawn from a report, small enough for a page, and the same figures give the same file."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from bench import plots
from bench.page import PAGE
from bench.plots import PLOTS, draw, main, points
from bench.report import dumps
from tests.bench.sample import reported, sample

MOST_BYTES = 60 * 1024

needs_matplotlib = pytest.mark.skipif(find_spec("matplotlib") is None, reason="matplotlib is not installed")


def test_a_line_has_the_median_of_each_point_of_its_subject() -> None:
    report = sample()
    assert points(report["in-flight"], "ours", "in_flight", "per_second") == ([1.0, 64.0], [2.0, 128.0])
    assert points(report["waiting"], "ours", "size", "cpu_millis") == ([10.0, 1_000.0], [3.0, 3.0])


@pytest.mark.parametrize("file", [file for file, _ in PLOTS.values()])
def test_the_page_shows_every_plot_and_each_is_small(file: str) -> None:
    assert f"](performance/{file})" in PAGE.read_text(encoding="utf-8")
    assert 0 < PAGE.parent.joinpath("performance", file).stat().st_size < MOST_BYTES


@needs_matplotlib
def test_what_was_measured_is_drawn_and_the_rest_is_left_out(tmp_path: Path) -> None:
    drawn = draw(sample(), tmp_path / "plots")
    assert [path.name for path in drawn] == ["in_flight.svg", "waiting.svg"]
    assert sorted(path.name for path in (tmp_path / "plots").iterdir()) == ["in_flight.svg", "waiting.svg"]
    for path in drawn:
        assert path.read_text().startswith("<?xml")
        assert path.stat().st_size < MOST_BYTES


@needs_matplotlib
def test_the_same_figures_give_the_same_file(tmp_path: Path) -> None:
    first, second = (draw(sample(), tmp_path / name) for name in ("first", "second"))
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


@needs_matplotlib
def test_a_report_without_anything_to_draw_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures = tmp_path / "figures.json"
    figures.write_text(dumps({"import": reported()}))
    with pytest.raises(SystemExit) as stopped:
        main([str(figures), "--out", str(tmp_path)])
    assert stopped.value.code == 2
    assert "none of in-flight, finished, waiting was measured" in capsys.readouterr().err


def test_without_matplotlib_the_way_to_install_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def not_there(name: str) -> object:
        raise ImportError(name)

    monkeypatch.setattr(plots, "import_module", not_there)
    figures = tmp_path / "figures.json"
    figures.write_text(dumps(sample()))
    with pytest.raises(SystemExit) as stopped:
        main([str(figures), "--out", str(tmp_path / "plots")])
    assert stopped.value.code == 2
    assert "pip install 'saga_choreography[bench]'" in capsys.readouterr().err
    assert not (tmp_path / "plots").exists()
