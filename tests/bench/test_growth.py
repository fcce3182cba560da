"""One process grows and is measured on the way; the last size is compared with the first."""

from pathlib import Path

import pytest

from bench.drive import Measured
from bench.growing import AtSize, Growth, Kind, grow
from bench.growth import GROWTHS, Grown, GrowthSection, growth_answer, measured
from saga_choreography.storage import LmdbEnvironment
from saga_choreography.storage.layout import INITIATOR, PARTICIPANT

ROOT = Path(__file__).parents[2]


def at(size: int, cpu_millis: float) -> Grown:
    run = Measured(sagas=10, seconds=1, cpu_seconds=cpu_millis / 100, latencies=(1.0,) * 10)
    return Grown(size=size, runs=(run, run, run))


def section(kind: Kind) -> GrowthSection:
    return next(section for section in GROWTHS if section.kind == kind)


def rows(directory: Path, actor: str, table: str) -> int:
    """How many rows a table of an actor's store has."""
    [path] = (directory / "state").rglob(f"{actor}/0")
    environment = LmdbEnvironment.open_readonly(path)
    try:
        return len(environment.all_rows(table))
    finally:
        environment.close()


@pytest.mark.parametrize(
    ("kind", "most", "sizes"),
    [
        ("finished", 1_000_000, (1_000, 10_000, 100_000, 1_000_000)),
        ("finished", 100_000, (1_000, 10_000, 100_000)),
        ("waiting", 10_000, (10, 1_000, 10_000)),
        ("waiting", 300, (10, 300)),
        ("waiting", 5, (5,)),
    ],
)
def test_sizes_go_up_to_the_largest_that_is_asked_for(kind: Kind, most: int, sizes: tuple[int, ...]) -> None:
    assert section(kind).sizes_up_to(most) == sizes


def test_the_last_size_is_compared_with_the_first() -> None:
    answer = growth_answer(section("finished"), [at(1_000, 0.4), at(10_000, 9.0), at(100_000, 0.5)])
    [verdict] = answer.verdicts
    assert verdict.what == "processor time with 100,000 over that with 1,000"
    assert verdict.value == pytest.approx(1.25)
    assert verdict.holds
    assert [cells[0] for cells in answer.rows] == ["1,000 finished", "10,000 finished", "100,000 finished"]


def test_what_grows_by_a_third_and_more_misses_its_limit() -> None:
    [verdict] = growth_answer(section("waiting"), [at(10, 0.4), at(1_000, 0.6)]).verdicts
    assert not verdict.holds


def test_one_size_alone_is_compared_with_nothing() -> None:
    assert growth_answer(section("waiting"), [at(10, 0.4)]).verdicts == ()


def test_finished_sagas_are_in_the_store_when_the_windows_begin(tmp_path: Path) -> None:
    told: list[str] = []
    growth = Growth(kind="finished", sizes=(5, 40), windows=2, sagas=4, in_flight=4)
    sizes = list(grow(growth, tmp_path, told.append))
    assert [each.size for each in sizes] == [5, 40]
    assert all(len(each.windows) == 2 for each in sizes)
    assert all(window.sagas == len(window.latencies) == 4 for each in sizes for window in each.windows)
    assert rows(tmp_path, "system-initiator", INITIATOR.ended) == 48
    assert rows(tmp_path, "system-initiator", INITIATOR.live) == 0
    assert told[0] == "growing to 5 finished sagas"


def test_sagas_wait_beside_those_that_are_measured(tmp_path: Path) -> None:
    growth = Growth(kind="waiting", sizes=(3, 20), windows=2, sagas=4, in_flight=4)
    sizes: list[AtSize] = list(grow(growth, tmp_path, lambda line: None))
    assert [each.size for each in sizes] == [3, 20]
    assert rows(tmp_path, "system-initiator", INITIATOR.live) == 20
    assert rows(tmp_path, "Monitor", PARTICIPANT.live) == 20, "all of them wait in their third step"
    assert rows(tmp_path, "system-initiator", INITIATOR.ended) == 3 + 2 * 2 * 4, "warm-up and windows"


def test_growth_is_measured_in_a_process_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    grown = measured(Growth(kind="waiting", sizes=(2, 4), windows=1, sagas=3, directory=str(tmp_path)))
    assert [each.size for each in grown] == [2, 4]
    assert all(each.per_second > 0 for each in grown)
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"
