"""Draws what was measured: `python -m bench.plots FILE.json ... --out docs/performance` (needs matplotlib).

The files are those that `python -m bench --json` printed; sections may be measured apart. What they lack is left out.
"""

import argparse
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from bench.report import NoReport, Point, Reported, read

_SIZE: Final = (7.0, 3.6)
_FLOOR_AND_OURS: Final = (("floor", "the floor"), ("ours", "the library"))


def points(section: Reported, subject: str, over: str, figure: str) -> tuple[list[float], list[float]]:
    """(what was varied, median of a figure) of one subject."""
    of_subject: list[Point] = [point for point in section.points if point.subject == subject]
    xs = [float(getattr(point, over)) for point in of_subject]
    return xs, [statistics.median(getattr(point, figure)) for point in of_subject]


def _in_flight(axes: Any, section: Reported) -> None:
    for subject, label in _FLOOR_AND_OURS:
        axes.plot(*points(section, subject, "in_flight", "per_second"), marker="o", label=label)
    axes.set(xscale="log", xlabel="sagas in flight", ylabel="sagas a second", ylim=(0, None))
    axes.legend()


def _over_size(what: str) -> Callable[[Any, Reported], None]:
    def draw(axes: Any, section: Reported) -> None:
        axes.plot(*points(section, "ours", "size", "cpu_millis"), marker="o")
        axes.set(xscale="log", xlabel=what, ylabel="processor ms a saga", ylim=(0, None))

    return draw


PLOTS: Final[Mapping[str, tuple[str, Callable[[Any, Reported], None]]]] = {
    "in-flight": ("in_flight.svg", _in_flight),
    "finished": ("finished.svg", _over_size("finished sagas in the store")),
    "waiting": ("waiting.svg", _over_size("live sagas that wait")),
}
"""By section: the file, and what draws it."""


def draw(report: Mapping[str, Reported], directory: Path) -> list[Path]:
    """Draw what the report has; returns the files.

    Raises:
        ImportError: matplotlib is not installed.
    """
    matplotlib, pyplot = import_module("matplotlib"), import_module("matplotlib.pyplot")
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "saga_choreography"  # the same figures give the same file
    directory.mkdir(parents=True, exist_ok=True)
    drawn: list[Path] = []
    for name, (file, onto) in PLOTS.items():
        if name in report:
            figure, axes = pyplot.subplots(figsize=_SIZE, layout="constrained")
            onto(axes, report[name])
            axes.grid(alpha=0.3)
            path = directory / file
            figure.savefig(path, metadata={"Date": None})
            pyplot.close(figure)
            drawn.append(path)
    return drawn


def main(arguments: Sequence[str]) -> int:
    """Draw throughput over sagas in flight, and cost over finished and over waiting sagas."""
    parser = argparse.ArgumentParser(prog="python -m bench.plots", description="Draws what was measured.")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE.json", help="what python -m bench --json printed")
    parser.add_argument("--out", type=Path, required=True, metavar="DIRECTORY", help="where the plots are put")
    chosen = parser.parse_args(arguments)
    try:
        report = read(chosen.files)
        drawn = draw(report, chosen.out)
    except (NoReport, OSError) as error:
        parser.error(str(error))
    except ImportError:
        parser.error("matplotlib is not installed: pip install 'saga_choreography[bench]'")
    for path in drawn:
        print(path)
    if not drawn:
        parser.error(f"there is nothing to draw: none of {', '.join(PLOTS)} was measured")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
