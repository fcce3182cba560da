"""The benchmark measures what it says: every subject does the work, and the report has figures and verdicts."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.__main__ import main
from bench.answer import Verdict
from bench.case import Case, Runs, run
from bench.child import measure
from bench.drive import Measured, Wait, drive
from bench.report import loads, show
from tests.bench.sample import reported

ROOT = Path(__file__).parents[2]


def test_so_many_sagas_are_in_flight_and_no_more() -> None:
    in_flight: set[int] = set()
    most = 0

    def start(number: int) -> Wait:
        nonlocal most
        in_flight.add(number)
        most = max(most, len(in_flight))

        def wait() -> None:
            in_flight.discard(number)

        return wait

    measured = drive(start, 100, 10)
    assert measured.sagas == len(measured.latencies) == 100
    assert not in_flight
    assert most <= 10


def test_a_saga_that_fails_to_start_fails_the_run() -> None:
    def start(number: int) -> Wait:
        raise LookupError(number)

    with pytest.raises(LookupError):
        drive(start, 10, 2)


@pytest.mark.parametrize(
    "case",
    [
        Case(subject="ours", sagas=20, in_flight=4),
        Case(subject="ours", sagas=20, in_flight=4, doomed=True),
        Case(subject="ours", sagas=8, in_flight=4, sleeps=0.001, shards=2),
        Case(subject="ours", sagas=10, in_flight=4, unrelated=2),
        Case(subject="floor", sagas=20, in_flight=4),
    ],
    ids=lambda case: f"{case.subject}-{case.doomed}-{case.shards}-{case.unrelated}",
)
def test_every_subject_does_the_work(case: Case, tmp_path: Path) -> None:
    measured = measure(case, tmp_path)
    assert len(measured.latencies) == case.sagas
    assert measured.seconds > 0
    assert measured.cpu_seconds > 0


def test_a_case_is_measured_in_a_process_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    measured = run(Case(subject="floor", sagas=10, in_flight=2, directory=str(tmp_path)))
    assert measured.sagas == 10
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"


def test_a_verdict_names_its_figure_and_its_limit() -> None:
    good = Verdict(what="throughput", value=0.7, at_least=0.6)
    bad = Verdict(what="latency", value=2.0, at_most=1.5)
    assert (good.holds, bad.holds) == (True, False)
    assert str(good) == "yes  throughput: 0.70 (at least 0.6)"
    assert str(bad) == "NO   latency: 2.00 (at most 1.5)"
    shown = show(reported(header=("", "x"), rows=(("a", "1"),), verdicts=(good, bad), notes=("so it is",)))
    assert shown.splitlines()[-3:] == [f"  {good}", f"  {bad}", "  so it is"]


def test_medians_are_of_the_runs() -> None:
    def measured(seconds: float) -> Measured:
        return Measured(sagas=10, seconds=seconds, cpu_seconds=seconds / 2, latencies=(1.0, 2.0, 3.0))

    runs = Runs(case=Case(subject="ours", sagas=10), runs=(measured(1), measured(2), measured(10)))
    assert runs.per_second == 5
    assert runs.cpu_millis == 100
    assert runs.latency(0.5) == 2.0


def test_an_unknown_section_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["thruput"])
    assert stopped.value.code == 2
    assert "unknown section thruput; there are: throughput" in capsys.readouterr().err


def test_the_command_prints_figures_for_machines(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench", "latency", "import", "--rounds", "1", "--sagas", "10", "--json"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    printed = subprocess.run(
        [*command, "--directory", str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment,
        timeout=100,
    )
    assert printed.returncode in (0, 1), "1: a figure misses its limit on this machine"
    report = json.loads(printed.stdout)
    assert set(report) == {"latency", "import"}
    assert [point["subject"] for point in report["latency"]["points"]] == ["ours", "floor"]
    assert all(verdict["what"] for verdict in report["latency"]["verdicts"])
    assert loads(printed.stdout, "what was printed").keys() == report.keys()
