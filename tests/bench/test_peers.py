"""The peers of the benchmark: which are measured, what is said of the others, and what is made of the figures."""

import configparser
import json
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import pytest

import bench.peers
from bench.__main__ import main
from bench.case import Case, Runs, run
from bench.child import measure
from bench.drive import Measured, Wait, drive
from bench.peers import DBOS, EVENTSOURCING, PEERS, RESTATE, restate_binary, skipped
from bench.peers.section import THROUGHPUT, cases, peers_section

ROOT = Path(__file__).parents[2]
WITHOUT_PROGRAM = [DBOS, EVENTSOURCING]


def nothing_is_installed(name: str) -> None:
    """Finds no module, whatever its name."""


def everything_is_installed(name: str) -> object:
    """Finds every module."""
    return object()


@pytest.fixture
def no_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without the server of Restate."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(restate_binary.VARIABLE, raising=False)


def a_program(folder: Path, script: str = "exit 0") -> Path:
    folder.mkdir(exist_ok=True)
    program = folder / "restate-server"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return program


@pytest.mark.parametrize("peer", PEERS.values(), ids=PEERS)
def test_every_peer_has_a_module_and_a_target(peer: bench.peers.Peer) -> None:
    assert find_spec(peer.module) is not None
    assert peer.name in THROUGHPUT
    assert peer.sagas > 0
    assert PEERS[peer.name] is peer


def test_the_extra_has_every_package_of_every_peer() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    required = setup["options.extras_require"]["peers"].split()
    packages = {package for peer in PEERS.values() for package in peer.packages.values()}
    assert {requirement.partition(">=")[0] for requirement in required} == packages


@pytest.mark.parametrize("peer", PEERS.values(), ids=PEERS)
def test_a_peer_that_is_not_installed_is_skipped_with_the_way_to_install_it(
    peer: bench.peers.Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench.peers, "find_spec", nothing_is_installed)
    reason = skipped(peer)
    assert reason is not None
    assert reason.startswith(f"{peer.title} is skipped: not installed: {', '.join(peer.packages.values())}")
    assert "pip install 'saga_choreography[peers]'" in reason


@pytest.mark.parametrize("peer", WITHOUT_PROGRAM, ids=lambda peer: peer.name)
def test_a_peer_that_is_installed_is_measured(peer: bench.peers.Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench.peers, "find_spec", everything_is_installed)
    assert skipped(peer) is None


@pytest.mark.usefixtures("no_server")
def test_restate_without_its_server_is_skipped_with_the_places_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench.peers, "find_spec", everything_is_installed)
    reason = skipped(RESTATE)
    assert reason is not None
    assert "restate-server is not on the PATH" in reason
    assert "npm install @restatedev/restate-server" in reason
    assert "RESTATE_SERVER" in reason


@pytest.mark.usefixtures("no_server")
def test_a_variable_that_names_no_program_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(restate_binary.VARIABLE, str(tmp_path / "nothing"))
    assert f"RESTATE_SERVER names no program: {tmp_path / 'nothing'}" in str(restate_binary.missing())


@pytest.mark.usefixtures("no_server")
def test_the_server_is_found_on_the_path_and_by_its_variable_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    on_path, named = a_program(tmp_path / "path"), a_program(tmp_path / "named")
    monkeypatch.setenv("PATH", str(on_path.parent))
    assert restate_binary.find() == str(on_path)
    monkeypatch.setenv(restate_binary.VARIABLE, str(named))
    assert restate_binary.find() == str(named)
    assert restate_binary.missing() is None


def runs_of(case: Case, *, per_second: Mapping[str, float], p50: Mapping[str, float]) -> Runs:
    seconds = case.sagas / per_second[case.subject]
    latencies = (p50[case.subject],) * case.sagas
    return Runs(
        case=case, runs=(Measured(sagas=case.sagas, seconds=seconds, cpu_seconds=seconds, latencies=latencies),)
    )


def test_verdicts_compare_ours_with_each_peer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.peers.section.skipped", lambda peer: None)
    section = peers_section()
    assert [(case.subject, case.in_flight) for case in section.cases] == [
        (subject, in_flight) for subject in ("ours", *PEERS) for in_flight in (64, 1)
    ]
    per_second = {"ours": 4_000.0, "dbos": 100.0, "eventsourcing": 500.0, "restate": 390.0}
    p50 = {"ours": 2.0, "dbos": 7.0, "eventsourcing": 1.0, "restate": 5.0}
    answer = section.answer([runs_of(case, per_second=per_second, p50=p50) for case in section.cases])
    assert [(verdict.what, verdict.holds) for verdict in answer.verdicts] == [
        ("throughput over DBOS on SQLite, 64", True),
        ("throughput over eventsourcing on SQLite, 64", False),
        ("throughput over Restate, 64", True),
        ("p50 over that of DBOS on SQLite", True),
        ("p50 over that of Restate", False),
    ]
    assert [round(verdict.value, 3) for verdict in answer.verdicts] == [40.0, 8.0, 10.256, 0.286, 0.4]
    assert [cells[:2] for cells in answer.rows][:2] == [
        ("the library, 64 in flight", "4,000"),
        ("DBOS on SQLite, 64 in flight", "100"),
    ]
    assert answer.notes == ()


def test_a_peer_that_is_skipped_leaves_the_others_and_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "bench.peers.section.skipped", lambda peer: None if peer is EVENTSOURCING else f"{peer.title} is skipped: so"
    )
    section = peers_section()
    assert section.cases == cases([EVENTSOURCING])
    same = {"ours": 10.0, "eventsourcing": 1.0}
    answer = section.answer([runs_of(case, per_second=same, p50=same) for case in section.cases])
    assert [verdict.what for verdict in answer.verdicts] == ["throughput over eventsourcing on SQLite, 64"]
    assert answer.notes == ("DBOS on SQLite is skipped: so", "Restate is skipped: so")


@pytest.mark.parametrize(
    ("asked", "answered"), [(["peers"], {"peers"}), (["latency", "--peers"], {"latency", "peers"})], ids=" ".join
)
def test_the_command_measures_ours_and_tells_what_is_skipped(
    asked: list[str],
    answered: set[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("bench.peers.section.skipped", lambda peer: f"{peer.title} is skipped")
    code = main([*asked, "--rounds", "1", "--sagas", "5", "--json", "--directory", str(tmp_path)])
    assert code in (0, 1), "1: a figure of latency misses its limit on this machine"
    report = json.loads(capsys.readouterr().out)
    assert set(report) == answered
    assert report["peers"]["notes"] == [f"{peer.title} is skipped" for peer in PEERS.values()]
    assert [point["in_flight"] for point in report["peers"]["points"]] == [64, 1]


def test_only_ours_is_asked_to_undo(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="only ours can undo; dbos was asked to"):
        measure(Case(subject="dbos", sagas=1, doomed=True), tmp_path)


def test_the_processor_time_of_a_run_is_that_of_its_clock() -> None:
    times = iter((3.0, 10.5))

    def start(number: int) -> Wait:
        return lambda: None

    assert drive(start, 4, 2, cpu_clock=lambda: next(times)).cpu_seconds == 7.5


_BURN = "import time\nwhile time.process_time() < 0.5: pass\nprint('done', flush=True)\ninput()"


def test_processes_below_count_and_are_ended() -> None:
    pytest.importorskip("psutil")
    from bench.peers.process_tree import cpu_seconds, end

    before = cpu_seconds()
    shell = ["/bin/sh", "-c", f'"{sys.executable}" -c "$0"; true', _BURN]
    with subprocess.Popen(shell, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == b"done\n"
        assert cpu_seconds() - before >= 0.4, "the time of a grandchild, which still runs"
        end(started)
        assert started.stdout.read() == b"", "nobody holds the other end: the grandchild is gone, too"
        assert started.returncode is not None


def test_a_server_that_does_not_start_is_told_with_its_last_words(tmp_path: Path) -> None:
    if (reason := skipped(RESTATE)) is not None and "not installed" in reason:
        pytest.skip(reason)
    from bench.peers.restate_processes import serving

    program = a_program(tmp_path / "broken", "echo there is no room; exit 3")
    with (
        pytest.raises(RuntimeError, match=r"(?s)restate-server does not answer .*there is no room"),
        serving(str(program), tmp_path),
    ):
        pytest.fail("it must not come so far")


@pytest.mark.parametrize("in_flight", [4, 1])
@pytest.mark.parametrize("peer", PEERS.values(), ids=PEERS)
def test_a_peer_does_the_work(
    peer: bench.peers.Peer, in_flight: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if (reason := skipped(peer)) is not None:
        pytest.skip(reason)
    monkeypatch.chdir(ROOT)
    measured = run(Case(subject=peer.name, sagas=10, in_flight=in_flight, directory=str(tmp_path)))
    assert measured.sagas == len(measured.latencies) == 10
    assert measured.cpu_seconds > 0
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"
