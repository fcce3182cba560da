"""Small figures that were never measured."""

from collections.abc import Sequence

from bench.answer import HEADER, Row, Verdict
from bench.conditions import Conditions
from bench.report import Point, Report, Reported

CONDITIONS = Conditions(
    python="CPython 3.11.7",
    machine="x86_64",
    processors=2,
    model="Some | Processor",
    system="Linux",
    sync_millis=0.5,
    load=0.04,
    rounds=3,
)


def reported(
    *,
    title: str = "Some section",
    header: Row = HEADER,
    rows: tuple[Row, ...] = (),
    verdicts: tuple[Verdict, ...] = (),
    notes: tuple[str, ...] = (),
    points: Sequence[Point] = (),
) -> Reported:
    return Reported(
        title=title,
        header=header,
        rows=rows,
        verdicts=verdicts,
        notes=notes,
        conditions=CONDITIONS,
        points=tuple(points),
    )


def point(subject: str, *, in_flight: int = 64, size: int = 0, figure: float = 1.0) -> Point:
    return Point(
        words=f"{subject}, {in_flight}, {size}",
        subject=subject,
        in_flight=in_flight,
        size=size,
        per_second=(figure, 2 * figure, 9 * figure),
        cpu_millis=(figure, 3 * figure, 9 * figure),
        p50_millis=figure,
        p99_millis=2 * figure,
    )


def sample() -> Report:
    """Two sections with plots, one without."""
    verdict = Verdict(what="processor time with 1,000 over that with 10", value=1.25, at_most=1.3)
    missed = Verdict(what="throughput over the floor", value=0.5, at_least=0.6)
    return {
        "in-flight": reported(
            points=[point(subject, in_flight=count, figure=count) for count in (1, 64) for subject in ("ours", "floor")]
        ),
        "waiting": reported(
            rows=(("10 waiting", "2,000", "0.40", "1.0", "2.0"),),
            verdicts=(verdict,),
            points=[point("ours", size=size) for size in (10, 1_000)],
        ),
        "throughput": reported(
            rows=(("a | b", "2,000", "0.40", "1.0", "2.0"),), verdicts=(missed,), notes=("Restate is skipped: so",)
        ),
    }
