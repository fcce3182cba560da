"""The questions the benchmark answers, each with the cases that answer it."""

from collections.abc import Callable, Sequence
from typing import Final, final

from attrs import evolve, frozen

from bench.answer import HEADER, Answer, Verdict, row
from bench.case import Case, Runs


@final
@frozen(kw_only=True)
class Section:
    """One question."""

    name: str
    title: str
    cases: tuple[Case, ...]
    answer: Callable[[Sequence[Runs]], Answer]


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


def _in_flight(runs: Sequence[Runs]) -> Answer:
    titles = {"ours": "the library", "floor": "the floor"}
    return Answer(
        header=HEADER,
        rows=tuple(row(f"{titles[each.case.subject]}, {each.case.in_flight} in flight", each) for each in runs),
    )


_LATENCY_SAGAS: Final = 1_200
"""Twelve of them are slower than the 99th percentile of a run; it is one run's, and the median of all runs is told."""
_SAGAS_OF_A_SHARD: Final = 800
"""Ids are random, so some shard gets more sagas than the others, and at the end of a run the others wait for it. That
tail grows with the root of a run's length: with steps of exactly 10 ms and nothing else, eight shards reach 7.3 times
one with 200 sagas a shard, 7.6 times with 800, and 7.7 times with 1,600. 512 in flight keep all shards busy until then.
"""
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
        cases=tuple(evolve(case, sagas=_LATENCY_SAGAS, in_flight=1) for case in (OURS, FLOOR)),
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
            evolve(OURS, sagas=_SAGAS_OF_A_SHARD, in_flight=512, sleeps=0.01),
            evolve(OURS, sagas=8 * _SAGAS_OF_A_SHARD, in_flight=512, sleeps=0.01, shards=8),
        ),
        answer=_shards,
    ),
    Section(
        name="in-flight",
        title="Throughput over sagas in flight",
        cases=tuple(
            evolve(case, in_flight=count, sagas=_LATENCY_SAGAS if count == 1 else 4_000)
            for count in _STEPS
            for case in (OURS, FLOOR)
        ),
        answer=_in_flight,
    ),
)
