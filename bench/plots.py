"""Draws what `python -m bench --json` measured: `python -m bench.plots FIGURES.json DIRECTORY` (needs matplotlib)."""

import json
import statistics
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Final, TypeAlias

Runs: TypeAlias = Sequence[dict[str, object]]

_SIZE: Final = (7.0, 3.6)


def points(runs: Runs, subject: str, over: str, figure: str) -> tuple[list[float], list[float]]:
    """(what was varied, median of a figure) of one subject."""
    xs: list[float] = []
    ys: list[float] = []
    for run in runs:
        case, values = run["case"], run[figure]
        assert isinstance(case, dict)
        assert isinstance(values, list)
        if case["subject"] == subject:
            xs.append(case[over])
            ys.append(statistics.median(values))
    return xs, ys


def main(arguments: Sequence[str]) -> int:
    """Draw throughput over sagas in flight, and cost over finished sagas in the store."""
    if len(arguments) != 2:
        print("usage: python -m bench.plots FIGURES.json DIRECTORY", file=sys.stderr)
        return 2
    try:
        matplotlib, pyplot = import_module("matplotlib"), import_module("matplotlib.pyplot")
    except ImportError:
        print("matplotlib is not installed: pip install 'saga_choreography[bench]'", file=sys.stderr)
        return 2
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "saga_choreography"  # the same figures give the same file

    report = json.loads(Path(arguments[0]).read_text())
    directory = Path(arguments[1])
    directory.mkdir(parents=True, exist_ok=True)

    figure, axes = pyplot.subplots(figsize=_SIZE, layout="constrained")
    for subject, label in (("floor", "the floor"), ("ours", "the library")):
        xs, ys = points(report["in-flight"]["runs"], subject, "in_flight", "per_second")
        axes.plot(xs, ys, marker="o", label=label)
    axes.set(xscale="log", xlabel="sagas in flight", ylabel="sagas a second", ylim=(0, None))
    axes.legend()
    figure.savefig(directory / "in_flight.svg", metadata={"Date": None})

    figure, axes = pyplot.subplots(figsize=_SIZE, layout="constrained")
    xs, ys = points(report["finished"]["runs"], "ours", "finished", "cpu_millis")
    axes.plot(xs, ys, marker="o")
    axes.set(xscale="log", xlabel="finished sagas in the store", ylabel="processor ms a saga", ylim=(0, None))
    figure.savefig(directory / "store_size.svg", metadata={"Date": None})
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
