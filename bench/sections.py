"""The questions the benchmark answers, each with the cases that answer it."""

from collections.abc import Callable, Sequence
from typing import Final, final

from attrs import evolve, frozen

from bench.case import Case, Runs

Row = tuple[str, ...]


@final
@frozen(kw_only=True)
class Answer:
    """A table, and the ratios that matter."""

    header: Row
    rows: tuple[Row, ...]
    verdicts: tuple["Verdict", ...] = ()
    notes: tuple[str, ...] = ()
    """What a reader must know beside: what could not be measured."""


@final
@frozen(kw_only=True)
class Verdict:
    """A figure beside what it is meant to be: at least, or at most, `limit`."""

    what: str
    value: float
    at_least: float | None = None
    at_most: float | None = None

    @property
    def holds(self) -> bool:
        enough = self.at_least is None or self.value >= self.at_least
        return enough and (self.at_most is None or self.value <= self.at_most)

    def __str__(self) -> str:
        limit = f"at least {self.at_least:g}" if self.at_least is not None else f"at most {self.at_most:g}"
        return f"{'yes' if self.holds else 'NO '}  {self.what}: {self.value:.2f} ({limit})"


@final
@frozen(kw_only=True)
class Section:
    """One question."""

    name: str
    title: str
    cases: tuple[Case, ...]
    answer: Callable[[Sequence[Runs]], Answer]


def row(label: str, runs: Runs) -> Row:
    return (
        label,
        f"{runs.per_second:,.0f}",
        f"{runs.cpu_millis:.2f}",
        f"{runs.latency(0.5):.1f}",
        f"{runs.latency(0.99):.1f}",
    )


HEADER: Final = ("", "sagas/s", "CPU ms a saga", "p50 ms", "p99 ms")
OURS: Final = Case(subject="ours", sagas=4_000)
FLOOR: Final = evolve(OURS, subject="floor")


def _throughput(runs: Sequence[Runs]) -> Answer:
    ours, floor, undone, ours_512, floor_512 = runs
    return Answer(
        header=HEADER,
        rows=(
            row("the library, 64 in flight", ours),
            row("the floor, 64 in flight", floor),
            row("the library, 64 in flight, undone", undone),
            row("the library, 512 in flight", ours_512),
            row("the floor, 512 in flight", floor_512),
        ),
        verdicts=(
            Verdict(what="throughput over the floor, 64", value=ours.per_second / floor.per_second, at_least=0.6),
            Verdict(
                what="throughput over the floor, 512", value=ours_512.per_second / floor_512.per_second, at_least=0.6
            ),
            Verdict(what="processor milliseconds a saga, 64", value=ours.cpu_millis, at_most=0.45),
            Verdict(what="undone over completed", value=undone.per_second / ours.per_second, at_least=0.5),
        ),
    )


def _latency(runs: Sequence[Runs]) -> Answer:
    ours, floor = runs
    p50, p99 = ours.latency(0.5), ours.latency(0.99)
    return Answer(
        header=HEADER,
        rows=(row("the library, one at a time", ours), row("the floor, one at a time", floor)),
        verdicts=(
            Verdict(what="p50 over the floor's", value=p50 / floor.latency(0.5), at_most=1.5),
            Verdict(what="p99 over p50", value=p99 / p50, at_most=3.0),
        ),
    )


def _unrelated(runs: Sequence[Runs]) -> Answer:
    alone, crowded = runs
    return Answer(
        header=HEADER,
        rows=(row("no other saga types", alone), row("50 other saga types", crowded)),
        verdicts=(
            Verdict(what="with 50 others over alone", value=crowded.per_second / alone.per_second, at_least=0.9),
        ),
    )


def _shards(runs: Sequence[Runs]) -> Answer:
    one, eight = runs
    return Answer(
        header=HEADER,
        rows=(row("a step of 10 ms, 1 shard", one), row("a step of 10 ms, 8 shards", eight)),
        verdicts=(Verdict(what="8 shards over 1", value=eight.per_second / one.per_second, at_least=7.0),),
    )


def _finished(runs: Sequence[Runs]) -> Answer:
    rows = tuple(row(f"{each.case.finished:,} finished sagas in the store", each) for each in runs)
    first, last = runs[0], runs[-1]
    return Answer(
        header=HEADER,
        rows=rows,
        verdicts=(
            Verdict(what="processor time, last over first", value=last.cpu_millis / first.cpu_millis, at_most=1.3),
        ),
    )


def _in_flight(runs: Sequence[Runs]) -> Answer:
    return Answer(header=HEADER, rows=tuple(row(f"{each.case.subject}, {each.case.in_flight}", each) for each in runs))


_STEPS: Final = (1, 4, 16, 64, 256, 1024)

SECTIONS: Final = (
    Section(
        name="throughput",
        title="Throughput",
        cases=(
            OURS,
            FLOOR,
            evolve(OURS, doomed=True),
            evolve(OURS, in_flight=512),
            evolve(FLOOR, in_flight=512),
        ),
        answer=_throughput,
    ),
    Section(
        name="latency",
        title="Latency of a single saga",
        cases=(evolve(OURS, sagas=400, in_flight=1), evolve(FLOOR, sagas=400, in_flight=1)),
        answer=_latency,
    ),
    Section(
        name="types",
        title="Unrelated saga types",
        cases=(OURS, evolve(OURS, unrelated=50)),
        answer=_unrelated,
    ),
    Section(
        name="shards",
        title="A step that waits for somebody else",
        cases=(
            evolve(OURS, sagas=200, in_flight=512, sleeps=0.01),
            evolve(OURS, sagas=1_600, in_flight=512, sleeps=0.01, shards=8),
        ),
        answer=_shards,
    ),
    Section(
        name="finished",
        title="Finished sagas in the store",
        cases=tuple(evolve(OURS, finished=count) for count in (1_000, 10_000, 100_000)),
        answer=_finished,
    ),
    Section(
        name="in-flight",
        title="Throughput over sagas in flight",
        cases=tuple(
            evolve(case, in_flight=count, sagas=200 if count == 1 else 4_000)
            for count in _STEPS
            for case in (OURS, FLOOR)
        ),
        answer=_in_flight,
    ),
)
